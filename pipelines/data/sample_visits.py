"""SampleVisits: a sample set of visits as a source, each with what was known of the ones before it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipelines.data.made_of_visits import with_visits
from pipelines.data.sample_set import SampleSet
from pipelines.data.visits import Visits
from pipelines.task import DataRequest, Dataset


@dataclass(frozen=True)
class SampleVisits:
    """The rows of a sample set that has ids.

    Args:
        id, time: what its ids and its column of moments are called; the moments become times between visits.
        numbers: columns that are followed from visit to visit.
        without: columns that are left out.
    """

    rows: SampleSet
    id: str
    time: str
    numbers: tuple[str, ...]
    without: tuple[str, ...] = ()

    def load(self, request: DataRequest) -> Dataset:
        """All visits, by person and moment.

        Raises:
            BadInput: as of the sample set.
        """
        dataset = self.rows.load(request)
        who: Any = dataset.examples.ids
        rows = dataset.examples.take(Visits(who, np.asarray(dataset.examples.columns[self.time])).order)
        visits = Visits(np.asarray(rows.ids), np.asarray(rows.columns[self.time]))
        columns = {name: values for name, values in rows.columns.items() if name not in (self.time, *self.without)}
        rows = replace(rows, columns=columns, kinds={name: rows.kinds[name] for name in columns})
        called = {"id": self.id, "time": self.time}
        return with_visits(replace(dataset, examples=rows), visits, self.numbers, called)
