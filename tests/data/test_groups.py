"""Sensitive columns become groups."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.data.examples import Examples
from pipelines.data.groups import edges_of, label_groups, labels_again, set_aside
from pipelines.errors import BadInput
from pipelines.task import Dataset, Sensitive


def dataset(**columns) -> Dataset:
    arrays = {name: np.array(values, dtype=object if None in values else None) for name, values in columns.items()}
    arrays = {name: values.astype(object) if values.dtype.kind == "U" else values for name, values in arrays.items()}
    rows = len(next(iter(arrays.values())))
    groups = {"race": np.array(["x"] * rows, dtype=object)}
    return Dataset(Examples(columns=arrays, target=np.zeros(rows), groups=groups), "table.csv", False, "y")


def test_bands_include_their_lower_edge():
    values = np.array([24.9, 25, 39.9, 40, np.nan, -3])
    assert label_groups(values, (25, 40)).tolist() == ["<25", "25-40", "25-40", ">=40", None, "<25"]


def test_few_numbers_stay_values():
    assert label_groups(np.array([1.0, 0.0, np.nan, 2.5])).tolist() == ["1", "0", None, "2.5"]


def test_quartiles_hold_a_quarter_each():
    values = np.random.default_rng(0).permutation(np.arange(1000)).astype(float)
    labels, sizes = np.unique(label_groups(values), return_counts=True)
    assert set(labels) == {"<250", "250-500", "500-749", ">=749"}
    assert all(240 <= size <= 260 for size in sizes)


def test_skewed_numbers_have_no_empty_band():
    values = np.array([0.0] * 80 + list(range(1, 21)))
    labels = label_groups(values)
    assert None not in labels.tolist()
    assert len(set(labels)) >= 1
    assert "<0" not in labels.tolist()


def test_negative_bands_can_be_read():
    assert label_groups(np.array([-4.0]), (-5, -3)).tolist() == ["-5 to -3"]


def test_set_aside_moves_columns_and_keeps_existing_groups():
    data = set_aside(
        dataset(sex=["f", None, "m"], age=[20, 30, 50], a=[1, 2, 3]),
        (Sensitive("sex"), Sensitive("age", bands=(25, 40), keep=True), Sensitive("race")),
    )
    assert list(data.examples.columns) == ["age", "a"]
    assert list(data.examples.kinds) == ["age", "a"]
    assert data.examples.groups["sex"].tolist() == ["f", None, "m"]
    assert data.examples.groups["age"].tolist() == ["<25", "25-40", ">=40"]
    assert data.examples.groups["race"].tolist() == ["x", "x", "x"]


def test_other_rows_are_cut_where_the_first_ones_were():
    ages = np.random.default_rng(0).integers(18, 80, 200).astype(float)
    data = set_aside(dataset(age=ages, floor=np.arange(200) % 4, sex=["f", "m"] * 100, a=ages), [
        Sensitive("age"), Sensitive("floor"), Sensitive("sex"),
    ])  # fmt: skip
    assert set(data.bands) == {"age", "floor"}
    assert data.bands["floor"] == ()
    groups = data.examples.groups["age"]
    for rows in (slice(None), slice(0, 3)):
        assert labels_again(ages[rows], data.bands["age"]).tolist() == groups[rows].tolist()
    assert labels_again(np.array([1.0, np.nan, 12.5]), ()).tolist() == ["1", None, "12.5"]
    assert edges_of(ages, (30.0, 60.0)) == (30.0, 60.0)


def test_unknown_attribute_suggests_the_nearest():
    with pytest.raises(BadInput, match=r"no column 'gendre' \(--sensitive\); did you mean 'gender'\?"):
        set_aside(dataset(gender=["f", "m"], a=[1, 2]), (Sensitive("gendre"),))


def test_something_must_be_left():
    with pytest.raises(BadInput, match="every column"):
        set_aside(dataset(sex=["f", "m"]), (Sensitive("sex"),))


def test_words_have_no_bands():
    with pytest.raises(BadInput, match="'sex' holds words"):
        set_aside(dataset(sex=["f", "m"], a=[1, 2]), (Sensitive("sex", bands=(1,)),))


def test_very_many_groups_are_noted():
    data = set_aside(dataset(zip=[f"p{row % 60}" for row in range(300)], a=list(range(300))), (Sensitive("zip"),))
    assert any("60 groups" in note for note in data.notes)


def test_names_are_no_groups():
    with pytest.raises(BadInput, match="80 groups in 80 rows"):
        set_aside(dataset(name=[f"p{row}" for row in range(80)], a=list(range(80))), (Sensitive("name"),))
