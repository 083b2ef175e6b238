"""The Shuttle set: every reading of the wheel, in columns, and no other wheel's."""

import collections

import numpy as np
import pandas as pd
import pytest

from pipelines.data.builders import wheels
from pipelines.data.sample_set import SampleSet
from pipelines.errors import BadInput
from pipelines.task import DataRequest

SHUTTLE = SampleSet("pipelines.data.builders.shuttle.Shuttle")


def test_shuttle_has_every_reading_of_the_wheel_and_its_anomalies():
    dataset = SHUTTLE.load(DataRequest())
    examples = dataset.examples
    assert collections.Counter(examples.target) == {"normal": 45586, "anomalous": 3511}
    assert (dataset.target, dataset.positive, dataset.simulated) == ("state", "anomalous", False)
    table = pd.read_csv(wheels.wheel_folder("river") / "datasets" / "shuttle.csv.gz")
    assert examples.names("number") == list(examples.columns) == list(table.columns[:-1])
    ours = np.column_stack([*examples.columns.values(), examples.target == "anomalous"]).astype(float)
    assert collections.Counter(map(tuple, ours.tolist())) == collections.Counter(
        map(tuple, table.to_numpy(float).tolist())
    )


def test_a_table_of_another_wheel_is_not_read(monkeypatch):
    monkeypatch.setitem(wheels._TABLES, "shuttle.csv.gz", "0" * 64)
    with pytest.raises(BadInput, match=r"shuttle.csv.gz is not the file that was published: .*river==0.26.1"):
        wheels.river_frame("shuttle.csv.gz")
