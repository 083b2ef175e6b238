"""Diabetes progression: a small regression, which shows that the regression objective works."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow_datasets as tfds

from pipelines.data.builders.features import category, number
from pipelines.data.builders.sample_facts import SampleFacts

NUMBERS = ("age", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")


class Diabetes(tfds.core.GeneratorBasedBuilder):
    """442 patients and how far their diabetes progressed within a year (25 to 346). Real.

    Source: Efron, Hastie, Johnstone and Tibshirani, Least Angle Regression (2004), Annals of Statistics 32(2); inside
    scikit-learn (`load_diabetes`, BSD licence), read in its own units (not scaled).

    A row is one patient at the start: age in years, sex, body mass index, blood pressure and six blood serum measures.
    The source codes sex as 1 and 2 without saying which is which; it is kept as these two categories. Nothing is
    missing, nothing leaks, nothing is left out.
    """

    VERSION = tfds.core.Version("1.0.0")
    FACTS = SampleFacts(target="progression")

    def _info(self) -> Any:
        features = {name: number() for name in (*NUMBERS, "progression")} | {"sex": category()}
        return tfds.core.DatasetInfo(
            builder=self, description=self.__doc__, features=tfds.features.FeaturesDict(features)
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        from sklearn.datasets import load_diabetes

        data = load_diabetes(scaled=False)
        for row, (values, progression) in enumerate(zip(data.data, data.target, strict=True)):
            patient = dict(zip(data.feature_names, values, strict=True))
            yield row, {**patient, "sex": f"{patient['sex']:.0f}", "progression": progression}
