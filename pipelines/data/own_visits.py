"""OwnVisits: a user's visits of people as a source: a table of one visit a row, or pictures that were taken at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipelines.data import made_of_visits
from pipelines.data.examples import Kind
from pipelines.data.images import OwnImages, are_pictures
from pipelines.data.made_of_visits import followed, require_apart, with_visits
from pipelines.data.personal import look
from pipelines.data.tables import OwnTable, read_table
from pipelines.data.unlabelled import Unlabelled
from pipelines.data.visits import Visits
from pipelines.data.wording import listed
from pipelines.errors import BadInput
from pipelines.task import DataRequest, Dataset


@dataclass(frozen=True)
class OwnVisits:
    """A CSV, TSV or Parquet file with `--id` and `--time`, or a folder of pictures that says whose each is.

    Args:
        pictures: reads pictures, slices and volumes.
    """

    pictures: OwnImages

    def load(self, request: DataRequest) -> Dataset:
        """Rows that no split tears from the other rows of the same person.

        Of a table, the numbers that change from visit to visit are followed; personal data and `--sensitive` columns
        are not, so that nothing made of them stays among the inputs.

        Raises:
            BadInput: it is not said whose a row is, or when a visit was; a row, a file or a flag is wrong.
        """
        if are_pictures(request.where):
            return self.pictures.load(request)
        dataset = OwnTable("that says who is ill").load(request)
        examples = dataset.examples
        if examples.ids is None:
            raise BadInput(
                f"--id is missing: name the column of {dataset.source} that says whose each visit is, for a model "
                "tested on a person that it has learned from looks better than it is. What is left of its columns: "
                f"{listed(examples.columns, 50)}"
            )
        called = {"id": str(request.id)} | ({"time": request.time} if request.time else {})
        if examples.time is None and len(np.unique(examples.ids.astype(np.str_))) < len(examples):
            raise BadInput(
                f"--time is missing: {dataset.source} has several visits of one person; name the column that says when "
                "each was (a number that rises, or a date)"
            )
        visits = Visits(examples.ids, np.zeros(len(examples)) if examples.time is None else examples.time)
        if visits.twice():
            table = read_table(request.where)
            require_apart(visits, dataset.source, [int(line) for line in table.lines], table.place)
        hidden = [name for name in examples.names("number") if look(name, examples.columns[name])]
        numbers = followed(visits, examples, [*hidden, *request.sensitive])
        return with_visits(dataset, visits, numbers, called)

    def to_predict(self, where: str, kinds: Mapping[str, Kind], reading: Mapping[str, str]) -> Unlabelled:
        """Visits of a table to predict. Arguments and errors as of `made_of_visits.to_predict`."""
        return made_of_visits.to_predict(where, kinds, reading)

    def unlabelled(self, where: str, shapes: Mapping[str, tuple[int, ...]]) -> Unlabelled:
        """Pictures or volumes to predict. Arguments and errors as of `OwnImages.unlabelled`."""
        return self.pictures.unlabelled(where, shapes)
