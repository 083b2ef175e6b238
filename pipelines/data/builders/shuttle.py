"""Sensor readings of a space shuttle, some of them anomalous."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow_datasets as tfds

from pipelines.data.builders.features import number
from pipelines.data.builders.sample_facts import SampleFacts
from pipelines.data.builders.wheels import river_frame

NUMBERS = ("f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9")


class Shuttle(tfds.core.GeneratorBasedBuilder):
    """49097 readings of nine sensors of a NASA space shuttle, of which 3511 (7.15 %) are anomalous. Real.

    Source: Statlog (Shuttle) of the UCI repository (CC BY 4.0), of which the ODDS benchmark of anomalies (Rayana
    2016) makes two classes; read from the wheel river 0.26.1 (BSD-3, fetched by the user), whose file has these two and
    not the seven that they came from. ODDS takes class 1 (radiator flow) for normal, classes 2, 3, 5, 6 and 7 for
    anomalous, and leaves class 4 out; the numbers of rows agree with that (45586 and 3511 of 58000).

    A row is one reading: nine whole numbers, which the source neither names nor gives units of. Nothing is missing. The
    source has the readings in another order than they were taken in, so that nothing can be said of moments. No row
    repeats another. Anomalous here means rare, and only these anomalies are known: who finds them may miss others.
    """

    VERSION = tfds.core.Version("1.0.0")
    FACTS = SampleFacts(target="state", positive="anomalous", vector="reading", entries=NUMBERS, wheel="river")

    def _info(self) -> Any:
        features = {
            "reading": number(len(NUMBERS)),
            "state": tfds.features.ClassLabel(names=["normal", "anomalous"]),
        }
        return tfds.core.DatasetInfo(
            builder=self, description=self.__doc__, features=tfds.features.FeaturesDict(features)
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        table = river_frame("shuttle.csv.gz")
        readings, states = table[list(NUMBERS)].to_numpy(float), table["anomaly"].tolist()
        for row, (reading, state) in enumerate(zip(readings, states, strict=True)):
            yield row, {"reading": reading, "state": state}
