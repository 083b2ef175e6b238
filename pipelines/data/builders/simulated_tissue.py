"""Tiles of simulated tissue, by kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from pipelines.data.builders.sample_facts import SampleFacts
from pipelines.data.builders.tissue import KINDS, PIXELS, Stain, draw

SEED = 9
SLIDES, TILES = 60, 24
MISLABELLED = 0.04
"""Chance that a tile bears the label of another kind."""

MIXED = 0.5
"""Share of the tiles that show another kind beside their own."""

FAINT = 0.4
"""Share of the slides that come from the laboratory that stains faintly."""


class SimulatedTissue(tfds.core.GeneratorBasedBuilder):
    """1440 tiles of 60 slides of tissue, stained with haematoxylin and eosin, of five kinds. SIMULATED.

    Source: `tissue.draw`, seeded, so that each preparation gives the same rows. Nobody's tissue is in it, and good
    scores on it promise nothing for real slides.

    A row is a tile: 48 x 48 pixels, RGB, of `fat` (large empty bubbles), `gland` (rings of nuclei around a hole),
    `lymphocytes` (small dark nuclei side by side), `stroma` (fibres, few thin nuclei) or `tumour` (crowded nuclei of
    all sizes). Half of the tiles show a second kind, on a fifth to nearly a half of them. All tiles of a slide share
    its stain, so slides must be held out whole. 4 % of the tiles bear the label of another kind.

    Group, which no model sees, with what was built in: `laboratory`; the `faint` one (40 % of the slides) stains half
    as strongly and cuts thicker, so that its tiles are pale and blurred. Kinds are as frequent in both.
    """

    VERSION = tfds.core.Version("1.0.0")
    FACTS = SampleFacts(
        target="tissue",
        groups=("laboratory",),
        id="slide",
        simulated=True,
        notes=(
            "the tiles were drawn by a program; nobody's tissue is in them",
            f"{100 * MISLABELLED:.0f} % of the tiles bear the label of another kind: no model can be right there",
        ),
    )

    def _info(self) -> Any:
        features = {
            "image": tfds.features.Image(shape=(PIXELS, PIXELS, 3), dtype=np.uint8, encoding_format="png"),
            "tissue": tfds.features.ClassLabel(names=list(KINDS)),
            "slide": tfds.features.Text(),
            "laboratory": tfds.features.Text(),
        }
        return tfds.core.DatasetInfo(
            builder=self, description=self.__doc__, features=tfds.features.FeaturesDict(features)
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        for slide in range(SLIDES):
            for place, row in enumerate(tiles(slide)):
                yield TILES * slide + place, row


def tiles(slide: int) -> Iterator[dict[str, Any]]:
    """The tiles of a slide, all of one stain."""
    chance = np.random.default_rng([SEED, slide])
    faint = bool(chance.random() < FAINT)
    blue, pink = np.exp(chance.normal(scale=0.2, size=2)) * (0.5 if faint else 1.0)
    stain = Stain(float(blue), float(pink), 1.0 if faint else 0.5)
    kinds = list(KINDS)
    for _ in range(TILES):
        kind = int(chance.integers(len(kinds)))
        other = (kind + int(chance.integers(1, len(kinds)))) % len(kinds)
        beside = kinds[(kind + int(chance.integers(1, len(kinds)))) % len(kinds)] if chance.random() < MIXED else None
        yield {
            "image": draw(kinds[kind], stain, chance, beside),
            "tissue": kinds[other if chance.random() < MISLABELLED else kind],
            "slide": f"slide {slide + 1}",
            "laboratory": "faint" if faint else "usual",
        }
