"""Simulated X-rays of children's chests, some of them with pneumonia."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from pipelines.data.builders.chest_world import AGES, PIXELS, POSITIONS, simulate
from pipelines.data.builders.sample_facts import SampleFacts

SEED = 11


class SimulatedChests(tfds.core.GeneratorBasedBuilder):
    """1300 drawn chest X-rays, 28 x 28, of 1000 invented children, about half of them with pneumonia. SIMULATED.

    Source: `chest_world.simulate`, seeded, so that each preparation gives the same pictures. No patient is in it, and
    good scores on it promise nothing for a hospital: it is there so that the pipeline can be run where no real picture
    is at hand. A film shows two lungs, ribs, spine, heart and diaphragm of a child's own proportions; where the child
    is ill, one or two patches or fine streaks fill air of the lungs, from hardly visible to dense. The label of 3 % of
    the films is wrong, as readers err.

    Groups: age band, and whether the film was taken standing or lying. Lying is built in as a trap, as portable films
    are in hospitals: the ill lie more often (45 against 25 %), and such films are blurred, of less contrast, with a
    wider heart.
    """

    VERSION = tfds.core.Version("1.0.0")
    FACTS = SampleFacts(
        target="finding",
        positive="pneumonia",
        groups=("age", "position"),
        id="child",
        simulated=True,
        notes=("pictures are drawn by a program; no patient is in them",),
    )

    def _info(self) -> Any:
        features = {
            "image": tfds.features.Image(shape=(PIXELS, PIXELS, 1), dtype=np.uint8, encoding_format="png"),
            "finding": tfds.features.ClassLabel(names=["normal", "pneumonia"]),
            "child": tfds.features.Text(),
            "age": tfds.features.ClassLabel(names=list(AGES)),
            "position": tfds.features.ClassLabel(names=list(POSITIONS)),
        }
        return tfds.core.DatasetInfo(
            builder=self, description=self.__doc__, features=tfds.features.FeaturesDict(features)
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        films = simulate(SEED)
        for number in range(len(films["child"])):
            yield number, {name: values[number] for name, values in films.items()}
