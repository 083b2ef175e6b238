"""Pictures of the fundus of an eye as a program draws them: nobody's eyes, with lesions of diabetic retinopathy.

Everything is drawn three times finer than the picture and averaged. Lengths are in half-widths of the picture: the
field is a disc of radius 0.97, the optic disc has a radius of 0.13, lesions are larger than life, for a picture of 48
pixels could not show them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Chance = np.random.Generator

PIXELS, FINER = 48, 3
FIELD = 0.97
DISC, DISC_RADIUS = (0.52, 0.02), 0.13
"""Where the optic disc is in a right eye, and how large; a left eye is the mirror image."""
MACULA = (-0.12, 0.06)
GAZE = 0.05
"""How far the eye's middle is from the picture's: the standard deviation, across and down."""

ARTERY, VEIN = 0.5, 0.8
"""How much of the light a vessel takes, in its middle."""
BLOOD = np.array([0.42, 0.85, 0.75], np.float32)
"""Share of red, green and blue that it takes where it is thick."""
FATTY, PALE = np.array([0.34, 0.38, 0.1], np.float32), np.array([0.2, 0.26, 0.2], np.float32)
"""What exudates and drusen, and what cotton-wool spots add."""


@dataclass(frozen=True)
class Camera:
    """How a camera changes what it sees.

    Args:
        blur: standard deviation, in pixels.
        light: factor of brightness.
        noise: standard deviation, of full brightness.
    """

    blur: float
    light: float
    noise: float


CAMERAS = {"tabletop": Camera(0.25, 1.0, 0.012), "handheld": Camera(1.0, 0.75, 0.04)}


@dataclass(frozen=True)
class Eye:
    """What is to be seen.

    Args:
        right: whether it is a right eye.
        grade: 0 to 4 of the International Clinical Diabetic Retinopathy scale.
        drusen: pale spots of age, which are none of the lesions.
        pigment: 0 to 1, how dark the fundus is.
        camera: one of `CAMERAS`.
    """

    right: bool
    grade: int
    drusen: int
    pigment: float
    camera: str


def draw(eye: Eye, chance: Chance) -> NDArray[np.uint8]:
    """(48, 48, 3) picture of an eye; vessels, places and sizes of lesions are drawn by chance."""
    from scipy.ndimage import gaussian_filter

    gaze = chance.normal(0, GAZE, 2)
    x, y = _grid(gaze)
    camera, beaded = CAMERAS[eye.camera], eye.grade == 3 and chance.random() < 0.6
    blood, fat, pale = _lesions(eye, chance, x, y)
    pen = _Pen(gaze)
    _vessels(pen, chance, beaded)
    if eye.grade == 4:
        np.maximum(blood, _proliferation(pen, chance, x, y), out=blood)
    picture = _background(eye, chance, x, y)
    for taken in (pen.drawn(), blood):
        picture *= 1 - taken[..., np.newaxis] * BLOOD
    picture += fat[..., np.newaxis] * FATTY + pale[..., np.newaxis] * PALE
    picture *= (np.square(x + gaze[0]) + np.square(y + gaze[1]) < FIELD * FIELD)[..., np.newaxis]
    small = camera.light * picture.reshape(PIXELS, FINER, PIXELS, FINER, 3).mean(axis=(1, 3))
    small = gaussian_filter(small, (camera.blur, camera.blur, 0)) + camera.noise * chance.standard_normal(small.shape)
    seen = np.clip(np.rint(255 * small), 0, 255).astype(np.uint8)
    return seen if eye.right else np.ascontiguousarray(seen[:, ::-1])


class _Pen:
    """Draws vessels on a fine canvas.

    Args:
        gaze: how far the eye's middle is from the picture's.
    """

    def __init__(self, gaze: NDArray[np.float64]) -> None:
        from PIL import Image, ImageDraw

        self.gaze = gaze
        self._canvas = Image.new("L", (PIXELS * FINER, PIXELS * FINER))
        self._pen = ImageDraw.Draw(self._canvas)

    def trace(self, points: NDArray[np.float64], width: float, taken: float, beads: Chance | None = None) -> None:
        """A vessel along (m, 2) points that grows thinner; a beaded one swells and narrows."""
        places = ((points + self.gaze + 1) * (PIXELS * FINER / 2)).tolist()
        widths = width * (1 - 0.55 * np.arange(len(places)) / len(places))
        if beads is not None:
            widths *= 1 + 0.9 * np.sin(np.arange(len(places)) * 1.9 + beads.uniform(0, 6))
        for number in range(len(places) - 1):
            line = (*places[number], *places[number + 1])
            self._pen.line(line, fill=int(255 * taken), width=max(1, round(float(widths[number]))))

    def drawn(self) -> Floats:
        """How much light is taken, from 0 to 1."""
        return np.asarray(np.asarray(self._canvas, np.float32) / 255, np.float32)


def _grid(gaze: NDArray[np.float64]) -> tuple[Floats, Floats]:
    """Places across and down from the eye's middle, of the fine picture."""
    places = (np.arange(PIXELS * FINER) + 0.5) * 2 / (PIXELS * FINER) - 1
    x, y = np.meshgrid(places - gaze[0], places - gaze[1])
    return x.astype(np.float32), y.astype(np.float32)


def _background(eye: Eye, chance: Chance, x: Floats, y: Floats) -> Floats:
    """Retina, macula and optic disc, in uneven light."""
    from scipy.special import expit

    light, dark = np.array([0.86, 0.46, 0.22]), np.array([0.6, 0.26, 0.12])
    colour = (light + eye.pigment * (dark - light)) * chance.normal(1, 0.04, 3)
    across, down, fall = (float(each) for each in (*chance.normal(0, 0.08, 2), chance.uniform(0.1, 0.3)))
    shade = (1 + across * x + down * y - fall * (x * x + y * y)) * (1 - 0.3 * _spot(x, y, *MACULA, 0.17))
    picture = shade[..., np.newaxis] * colour.astype(np.float32)
    nerve = np.array([0.97, 0.82, 0.55], np.float32) * np.float32(chance.normal(1, 0.04))
    away = np.hypot((x - DISC[0]) / 0.92, y - DISC[1])
    whole = expit((DISC_RADIUS - away) / 0.012)
    cup = 0.25 * _spot(x, y, *DISC, DISC_RADIUS * chance.uniform(0.3, 0.5))
    picture += whole[..., np.newaxis] * (nerve - picture) + (whole * cup)[..., np.newaxis]
    return np.asarray(picture, np.float32)


def _vessels(pen: _Pen, chance: Chance, beaded: bool) -> None:
    """Arteries and veins: two of each that arch around the macula, two that leave towards the nose, and branches."""
    for up in (-1, 1):
        for place, taken in enumerate((VEIN, ARTERY)):
            arch = _arch(chance, up, place)
            pen.trace(arch, 2.6 if taken == VEIN else 1.9, taken, chance if beaded and taken == VEIN else None)
            for start in chance.choice(np.arange(4, len(arch) - 3), 4, replace=False):
                inside = chance.random() < 0.6
                pen.trace(_branch(chance, arch, int(start), -up if inside else up), 1.3, 0.8 * taken)
            pen.trace(_walk(chance, DISC, math.atan2(up * chance.uniform(0.5, 1.4), 1.0), 12), 1.6, 0.9 * taken)


def _arch(chance: Chance, up: int, place: int) -> NDArray[np.float64]:
    """(m, 2) points of a vessel from the disc around the macula: half an ellipse."""
    height, reach = chance.uniform(0.5, 0.66) + 0.07 * place, chance.uniform(1.15, 1.35)
    turn = np.linspace(0, chance.uniform(0.8, 0.95) * math.pi, 28)
    wiggle = np.cumsum(chance.normal(0, 0.008, (28, 2)), axis=0)
    across = DISC[0] - reach * (1 - np.cos(turn)) / 2
    return np.column_stack([across, DISC[1] + up * height * np.sin(turn)]) + wiggle


def _branch(chance: Chance, vessel: NDArray[np.float64], start: int, up: int) -> NDArray[np.float64]:
    """(m, 2) points of a branch that leaves a vessel there, upwards or downwards."""
    along = vessel[start] - vessel[start - 1]
    angle = math.atan2(along[1], along[0])
    sideways = up if along[0] > 0 else -up
    return _walk(chance, vessel[start], angle + sideways * chance.uniform(0.5, 1.1), int(chance.integers(5, 12)))


def _walk(chance: Chance, start: Any, angle: float, steps: int) -> NDArray[np.float64]:
    """(steps + 1, 2) points of a line that turns a little by chance at each step."""
    angles = angle + np.cumsum(chance.normal(0, 0.16, steps))
    moves = 0.055 * np.column_stack([np.cos(angles), np.sin(angles)])
    return np.vstack([start, np.asarray(start) + np.cumsum(moves, axis=0)])


def _lesions(eye: Eye, chance: Chance, x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """Light that is taken by blood, and added by fat and by cotton-wool spots."""
    blood, fat, pale = (np.zeros_like(x) for _ in range(3))
    for place, radius, depth in (*_bleeding(eye.grade, chance), *_dust(chance)):
        np.maximum(blood, depth * _spot(x, y, *place, radius), out=blood)
    for place, radius, strength in (*_exudates(eye.grade, chance), *_drusen(eye.drusen, chance)):
        np.maximum(fat, strength * _spot(x, y, *place, radius), out=fat)
    if eye.grade >= 2:
        for _ in range(chance.poisson(0.3 if eye.grade == 2 else 1.0)):
            np.maximum(pale, _spot(x, y, *_somewhere(chance), chance.uniform(0.04, 0.06)), out=pale)
    return blood, fat, pale


Spot = tuple[tuple[float, float], float, float]
"""Place, radius, strength."""


def _bleeding(grade: int, chance: Chance) -> Iterator[Spot]:
    """Microaneurysms from grade 1 on, haemorrhages from grade 2 on; many in each quadrant in grade 3."""
    proliferative = grade == 4
    stage = int(chance.choice([2, 3])) if proliferative else grade
    for _ in range(0 if stage == 0 else 2 + chance.poisson({1: 3.0, 2: 5.0, 3: 8.0}[stage])):
        yield _somewhere(chance), chance.uniform(0.016, 0.024), chance.uniform(0.6, 1.0)
    for quadrant in range(4 if stage >= 2 else 0):
        several = chance.poisson(0.8) + (quadrant == 0) if stage == 2 else 2 + chance.poisson(1.5)
        for _ in range(several):
            yield _somewhere(chance, quadrant), chance.uniform(0.028, 0.055), chance.uniform(0.7, 1.0)


def _dust(chance: Chance) -> Iterator[Spot]:
    """Specks of pigment or on the lens, in any eye, which look like faint microaneurysms."""
    for _ in range(chance.poisson(0.7)):
        yield _somewhere(chance), chance.uniform(0.012, 0.02), chance.uniform(0.25, 0.5)


def _exudates(grade: int, chance: Chance) -> Iterator[Spot]:
    """Clusters of sharp bright dots around the macula, from grade 2 on."""
    for _ in range(chance.poisson(1.0) if grade >= 2 else 0):
        angle, away = chance.uniform(0, 2 * math.pi), chance.uniform(0.15, 0.4)
        centre = np.array(MACULA) + away * np.array([math.cos(angle), math.sin(angle)])
        for place in centre + chance.normal(0, 0.05, (int(chance.integers(4, 11)), 2)):
            yield (float(place[0]), float(place[1])), chance.uniform(0.012, 0.022), chance.uniform(0.8, 1.0)


def _drusen(count: int, chance: Chance) -> Iterator[Spot]:
    """Softer and duller than exudates, around the macula too."""
    for place in np.array(MACULA) + chance.normal(0, 0.16, (count, 2)):
        yield (float(place[0]), float(place[1])), chance.uniform(0.02, 0.032), chance.uniform(0.3, 0.6)


def _proliferation(pen: _Pen, chance: Chance, x: Floats, y: Floats) -> Floats:
    """Draw new vessels, a fine tangle; give the blood before the retina of some eyes, flat above as it settles."""
    from scipy.special import expit

    spilt = np.zeros_like(x)
    before_retina = chance.random() < 0.35
    if not before_retina or chance.random() < 0.5:
        root = DISC if chance.random() < 0.5 else _somewhere(chance)
        for _ in range(int(chance.integers(7, 13))):
            start = np.asarray(root) + chance.normal(0, 0.05, 2)
            angles = np.cumsum(chance.normal(0, 1.0, 9)) + chance.uniform(0, 6)
            moves = 0.03 * np.column_stack([np.cos(angles), np.sin(angles)])
            pen.trace(start + np.cumsum(moves, axis=0), 1.2, 0.6)
    if before_retina:
        across, down = _somewhere(chance)
        wide, deep = chance.uniform(0.12, 0.25), chance.uniform(0.1, 0.18)
        inside = np.hypot((x - across) / wide, (y - down) / deep)
        spilt = np.where(y > down, expit((1 - inside) / 0.08), 0.0).astype(np.float32)
    return spilt


def _somewhere(chance: Chance, quadrant: int | None = None) -> tuple[float, float]:
    """A place in the field, off the disc, perhaps in one quadrant around the macula's meridians."""
    while True:
        away = 0.85 * math.sqrt(chance.random())
        angle = chance.uniform(0, 2 * math.pi) if quadrant is None else (quadrant + chance.random()) * math.pi / 2
        across, down = away * math.cos(angle), away * math.sin(angle)
        if math.hypot(across - DISC[0], down - DISC[1]) > DISC_RADIUS + 0.05:
            return across, down


def _spot(x: Floats, y: Floats, across: float, down: float, radius: float) -> Floats:
    """1 in the middle, falling as a bell of this radius; it is found along each side apart."""
    return np.asarray(
        np.exp(-np.square((y[:, :1] - down) / radius) / 2) * np.exp(-np.square((x[:1] - across) / radius) / 2)
    )
