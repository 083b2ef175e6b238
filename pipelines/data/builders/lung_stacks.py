"""Lung nodules as radiologists outlined them, slice upon slice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from numpy.typing import NDArray

from pipelines.data.builders.lung_marks import Mark
from pipelines.data.builders.lung_nodules import FEATURES, FIELD_OF_VIEW_MM, PIXELS, LungNodules, described, drawn
from pipelines.data.builders.lung_nodules import opinions as decided

LAYERS = 16
"""Of 2.5 mm each, together as high as a picture is wide; the median scan has slices of 2 mm."""

SAMPLES = 10
"""Heights within a layer at which the nearest outline is looked for, so that ends are soft."""


class LungStacks(tfds.core.GeneratorBasedBuilder):
    """The 4253 marks of `LungNodules` as volumes of all their outlines. Real.

    A volume has 16 x 32 x 32 voxels of 2.5 x 1.25 x 1.25 mm, 40 mm a side, with the nodule in its middle: 255 inside
    the outlines, 0 outside, between them on the border. Where slices lie farther apart than 2.5 mm an outline fills
    several layers, where they lie closer a layer is the mean of several. Everything else is as in `LungNodules`.
    """

    VERSION = tfds.core.Version("1.0.0")
    FACTS = replace(
        LungNodules.FACTS,
        notes=(
            "a volume holds a radiologist's outlines, slice upon slice, not the grey values of the scan",
            "nodules wider or higher than the volume's 40 mm are cut off",
            *LungNodules.FACTS.notes[2:],
        ),
    )

    def _info(self) -> Any:
        volume = tfds.features.Tensor(
            shape=(LAYERS, PIXELS, PIXELS, 1), dtype=np.uint8, encoding=tfds.features.Encoding.ZLIB
        )
        features = tfds.features.FeaturesDict({"image": volume, **FEATURES})
        return tfds.core.DatasetInfo(builder=self, description=self.__doc__, features=features)

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        for mark, share in decided():
            yield mark.annotation, {"image": stacked(mark), **described(mark, share)}


def stacked(mark: Mark) -> NDArray[np.uint8]:
    """(16, 32, 32, 1) uint8 volume of the filled outlines, the middle of the box around them in the middle."""
    corners = np.concatenate(mark.outlines)
    middle = (corners.min(axis=0) + corners.max(axis=0)) / 2
    heights = np.unique(mark.heights)
    slices = np.zeros((len(heights), PIXELS, PIXELS, 1), np.float32)
    for height, outline in zip(mark.heights, mark.outlines, strict=True):
        place = np.searchsorted(heights, height)
        slices[place] = np.maximum(slices[place], drawn(outline, middle))  # a slice may hold two parts of one nodule
    shares = layers_of(heights, mark.thickness)
    layers: NDArray[np.uint8] = np.rint(np.tensordot(shares, slices, axes=1)).astype(np.uint8)
    return layers


def layers_of(heights: NDArray[np.float64], thickness: float) -> NDArray[np.float32]:
    """(16, slices) share of each layer that a slice at this height fills, in mm; of a single one its thickness says."""
    high = FIELD_OF_VIEW_MM / LAYERS
    sampled = (np.arange(LAYERS * SAMPLES) + 0.5) * (high / SAMPLES) - FIELD_OF_VIEW_MM / 2
    distances = np.abs(sampled[:, None] + (heights[0] + heights[-1]) / 2 - heights)
    apart = float(np.median(np.diff(heights))) if len(heights) > 1 else thickness
    nearest = np.eye(len(heights), dtype=np.float32)[distances.argmin(axis=1)]
    nearest *= (distances.min(axis=1) <= apart / 2)[:, None]
    shares: NDArray[np.float32] = nearest.reshape(LAYERS, SAMPLES, -1).mean(axis=1)
    return shares
