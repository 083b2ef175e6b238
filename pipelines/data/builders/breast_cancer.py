"""Breast tumours, measured from pictures of their cells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow_datasets as tfds

from pipelines.data.builders.features import number
from pipelines.data.builders.sample_facts import SampleFacts

MEASURES = (
    *("radius", "texture", "perimeter", "area", "smoothness"),
    *("compactness", "concavity", "concave_points", "symmetry", "fractal_dimension"),
)
COLUMNS = tuple(f"{summary}_{name}" for summary in ("mean", "error", "worst") for name in MEASURES)
"""In scikit-learn's order: the mean over a picture's nuclei, its standard error, and the mean of the three largest."""


class BreastCancer(tfds.core.GeneratorBasedBuilder):
    """569 breast masses, malignant (212) or benign (357). Real.

    Source: Breast Cancer Wisconsin (Diagnostic) by Wolberg, Street and Mangasarian, 1995, UCI Machine Learning
    Repository, https://doi.org/10.24432/C5DW2B, licence CC BY 4.0; inside scikit-learn (`load_breast_cancer`).

    A row is one mass: ten measures of the cell nuclei in a picture of a fine needle aspirate, each as mean, standard
    error and worst value; lengths in pixels of the picture. One row per patient, nothing missing, nothing that is
    known only after the diagnosis, nothing left out. The set has no attribute of the patient, so it cannot show bias.
    """

    VERSION = tfds.core.Version("1.0.0")
    FACTS = SampleFacts(target="diagnosis", positive="malignant")

    def _info(self) -> Any:
        features = {name: number() for name in COLUMNS}
        features["diagnosis"] = tfds.features.ClassLabel(names=["benign", "malignant"])
        return tfds.core.DatasetInfo(
            builder=self, description=self.__doc__, features=tfds.features.FeaturesDict(features)
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        from sklearn.datasets import load_breast_cancer

        data = load_breast_cancer()
        for row, (values, label) in enumerate(zip(data.data, data.target, strict=True)):
            yield row, {**dict(zip(COLUMNS, values, strict=True)), "diagnosis": str(data.target_names[label])}
