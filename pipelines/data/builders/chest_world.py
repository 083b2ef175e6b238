"""A world of chests: children, X-rays of them, and opacities where some have pneumonia. Everything in it is invented.

Distances are in half sides of the picture, from -1 to 1, right and down; brightness is from 0 (air) to 1 (bone).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PIXELS = 28
OVERSAMPLING = 2

CHILDREN = 1000
SECOND_FILMS = 300
"""Children of whom a second film was taken."""

ILL = 0.5
AGES = ("<2", "2-5", ">5")
POSITIONS = ("standing", "lying")

LYING = {False: 0.25, True: 0.45}
"""Of the well and of the ill: films taken lying, which are blurred, poorly lit and show a wider heart. So the position
tells something of the illness, and makes it harder to see."""

READERS_ERR = 0.03
"""Films whose label is the wrong one, as readers err."""


def simulate(seed: int) -> dict[str, NDArray[Any]]:
    """1300 films: `image` (n, 28, 28, 1) uint8, `finding`, `child`, `age`, `position`."""
    random = np.random.default_rng(seed)
    child = np.concatenate([np.arange(CHILDREN), random.choice(CHILDREN, SECOND_FILMS, replace=False)])
    ill = (random.random(CHILDREN) < ILL)[child]
    age = random.choice(3, CHILDREN, p=(0.35, 0.4, 0.25))[child]
    lying = random.random(len(child)) < np.where(ill, LYING[True], LYING[False])
    pictures = np.stack([
        film(np.random.default_rng([seed, 1, number]), np.random.default_rng([seed, 2, int(who)]), *state)
        for number, (who, *state) in enumerate(zip(child, ill, age, lying, strict=True))
    ])  # fmt: skip
    wrong = random.random(len(child)) < READERS_ERR
    return {
        "image": pictures,
        "finding": np.where(ill ^ wrong, "pneumonia", "normal"),
        "child": np.array([f"child {number:04d}" for number in child]),
        "age": np.array(AGES)[age],
        "position": np.array(POSITIONS)[lying.astype(int)],
    }


def film(chance: Any, body: Any, ill: bool, age: int, lying: bool) -> NDArray[np.uint8]:
    """(28, 28, 1) one film.

    Args:
        chance: generator of what differs between films of a child: how it lies, light, noise, where opacities are.
        body: generator of what the child is, in the same state for each of its films.
    """
    x, y = _places(chance)
    size = 0.92 + 0.05 * age + body.normal(0, 0.03)
    lungs = _lungs(x / size, y / size, body)
    shown = 0.62 + 0.1 * np.exp(-(((x * 1.2) ** 2 + (y - 0.4) ** 2) * 2)) - 0.42 * lungs
    shown += 0.14 * np.exp(-((x / 0.09) ** 2))  # the spine
    shown += _ribs(x / size, y / size, body) * (0.4 + 0.6 * lungs)
    shown = np.maximum(shown, _heart(x / size, y / size, body, lying, age))
    shown = _without_body(shown, x, y, body)
    if ill:
        shown += _opacities(x / size, y / size, lungs, chance)
    return _exposed(shown, chance, lying)


def _places(chance: Any) -> tuple[Floats, Floats]:
    """Where each fine pixel is in the chest: shifted, turned and sized as the child happened to be."""
    fine = PIXELS * OVERSAMPLING
    at = (np.arange(fine) + 0.5) / fine * 2 - 1
    y, x = np.meshgrid(at, at, indexing="ij")
    angle, zoom = chance.normal(0, 0.06), chance.normal(1, 0.05)
    x, y = (x - chance.normal(0, 0.05)) * zoom, (y - chance.normal(0, 0.06)) * zoom
    return x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)


def _edge(distance: Floats, width: float) -> Floats:
    """1 where the distance is below 0, 0 beyond, softly over the width."""
    found: Floats = 1 / (1 + np.exp(np.clip(distance / width, -40, 40)))
    return found


def _lungs(x: Floats, y: Floats, body: Any) -> Floats:
    """How much air there is: two ovals, wider below, over the diaphragm."""
    air = np.zeros_like(x)
    for side in (-1, 1):
        across, height, floor = 0.27 + body.normal(0, 0.02), 0.68 + body.normal(0, 0.04), 0.5 + body.normal(0, 0.05)
        middle = side * (0.43 + 0.08 * (y + 0.3))
        oval = np.hypot((x - middle) / (across * (1 + 0.25 * y)), (y + 0.05) / height) - 1
        dome = y - floor - 0.25 * (np.abs(x) - 0.4) ** 2 + (0.06 if side < 0 else 0.0)
        air = np.maximum(air, _edge(oval, 0.09) * _edge(dome, 0.05))
    return air


def _ribs(x: Floats, y: Floats, body: Any) -> Floats:
    spacing, phase = 0.2 + body.normal(0, 0.01), body.uniform(0, 0.2)
    bent = y - 0.55 * np.abs(x) ** 1.5 + phase
    found: Floats = 0.07 * np.maximum(0, np.cos(2 * np.pi * bent / spacing)) ** 3
    return found


def _heart(x: Floats, y: Floats, body: Any, lying: bool, age: int) -> Floats:
    """Right of the middle in the picture, which is the child's left; wider in the young and in those who lie."""
    wide = 0.36 + 0.05 * lying - 0.03 * age + body.normal(0, 0.025)
    oval = np.hypot((x - 0.12) / wide, (y - 0.22 - 0.25 * (x - 0.12)) / 0.36) - 1
    found: Floats = (0.66 + body.normal(0, 0.03)) * _edge(oval, 0.12)
    return found


def _without_body(shown: Floats, x: Floats, y: Floats, body: Any) -> Floats:
    """Dark beside the body and above the shoulders."""
    wide = 0.93 + body.normal(0, 0.04)
    outside = np.maximum(np.abs(x) - wide - 0.08 * y, -y - 0.98 + 0.5 * np.abs(x) ** 2)
    return shown * _edge(outside, 0.05)


def _opacities(x: Floats, y: Floats, lungs: Floats, chance: Any) -> Floats:
    """What fills air: one or two patches (lobar), or fine streaks in both lungs (interstitial), from faint to dense."""
    added, dense = np.zeros_like(x), chance.uniform(0.06, 0.3)
    if chance.random() < 0.3:
        streaks = np.zeros_like(x)
        for _ in range(12):
            angle, wave = chance.uniform(0, np.pi), chance.uniform(9, 16)
            streaks += np.cos(wave * (x * np.cos(angle) + y * np.sin(angle)) + chance.uniform(0, 2 * np.pi))
        added += 0.7 * dense * lungs * (0.6 + 0.35 * streaks / np.sqrt(6))
        return added
    for _ in range(chance.integers(1, 3)):
        side, down = chance.choice((-1, 1)), chance.uniform(-0.35, 0.4)
        across, height = chance.uniform(0.1, 0.24), chance.uniform(0.1, 0.26)
        patch = np.exp(-(((x - side * 0.45) / across) ** 2) - ((y - down) / height) ** 2)
        added = np.maximum(added, dense * patch)
    found: Floats = 1.2 * added * lungs
    return found


def _exposed(shown: Floats, chance: Any, lying: bool) -> NDArray[np.uint8]:
    """Blurred, lit and grainy as a film is, in 8 bits."""
    from scipy.ndimage import gaussian_filter

    blurred = gaussian_filter(shown, OVERSAMPLING * (0.75 if lying else 0.45))
    small = blurred.reshape(PIXELS, OVERSAMPLING, PIXELS, OVERSAMPLING).mean(axis=(1, 3))
    contrast, light = chance.normal(1, 0.1) - 0.15 * lying, chance.normal(0, 0.05) + 0.04 * lying
    lit = (small - 0.5) * contrast + 0.5 + light + chance.normal(0, 0.025 if lying else 0.015, small.shape)
    found: NDArray[np.uint8] = np.round(np.clip(lit, 0, 1) * 255).astype(np.uint8)[..., np.newaxis]
    return found
