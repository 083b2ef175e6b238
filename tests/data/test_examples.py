"""Examples: lengths and weights are checked, rows travel together, the hash sees every value."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.data.examples import Examples, infer_kind
from pipelines.errors import BadInput


def examples(n=4):
    return Examples(
        columns={
            "age": np.arange(float(n)),
            "town": np.array(["a", None, "b", "c"][:n], dtype=object),
            "scan": np.arange(n * 12, dtype=np.uint8).reshape(n, 2, 6, 1),
        },
        target=np.arange(n) % 2,
        groups={"sex": np.array(["f", "m", None, "f"][:n], dtype=object)},
        weight=np.arange(n) + 0.5,
        ids=np.array(["p1", "p1", "p2", "p3"][:n]),
        time=np.arange(n),
    )


def test_rows_travel_together():
    taken = examples().take(np.array([2, 0, 2]))
    assert len(taken) == 3
    assert taken.columns["age"].tolist() == [2, 0, 2]
    assert taken.columns["town"].tolist() == ["b", "a", "b"]
    assert taken.columns["scan"].shape == (3, 2, 6, 1)
    assert taken.target.tolist() == [0, 0, 0]
    assert taken.groups["sex"].tolist() == [None, "f", None]
    assert taken.weight.tolist() == [2.5, 0.5, 2.5]
    assert taken.ids.tolist() == ["p2", "p1", "p2"]
    assert taken.time.tolist() == [2, 0, 2]


def test_kinds_are_inferred_and_stated_ones_kept():
    assert examples().kinds == {"age": "number", "town": "category", "scan": "image"}
    assert infer_kind(np.zeros((3, 5))) == "wave"
    assert infer_kind(np.zeros((3, 5, 2))) == "series"
    assert infer_kind(np.array([True, False])) == "number"
    stated = Examples(columns={"t": np.array(["x"], dtype=object)}, target=np.zeros(1), kinds={"t": "text"})
    assert stated.names("text") == ["t"]
    assert stated.names("number", "category") == []


def test_the_frame_holds_one_dimensional_columns_and_keeps_none():
    frame = examples().frame()
    assert list(frame.columns) == ["age", "town"]
    assert frame["town"].dtype == object
    assert frame["town"][1] is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": {}}, "no column"),
        ({"columns": {"age": np.zeros(3)}}, "column 'age' has 3 rows but the target has 4"),
        ({"groups": {"sex": np.zeros(5)}}, "group 'sex' has 5 rows"),
        ({"weight": np.ones(3)}, "weight has 3 rows"),
        ({"ids": np.ones(2)}, "ids has 2 rows"),
        ({"time": np.ones(9)}, "time has 9 rows"),
        ({"weight": np.array([1, 1, -1, 1.0])}, "negative or not finite"),
        ({"weight": np.array([1, 1, np.nan, 1.0])}, "negative or not finite"),
        ({"weight": np.array([1, 1, np.inf, 1.0])}, "negative or not finite"),
        ({"kinds": {"age": "integer"}}, "unknown kind of column 'integer'"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(BadInput, match=message):
        replace(examples(), **change)


def test_the_hash_sees_every_value_and_nothing_else():
    first = examples().sha256()
    assert first == examples().sha256()
    seen = {first}
    for change in (
        lambda e: e.columns["age"].__setitem__(1, 9.0),
        lambda e: e.columns["town"].__setitem__(1, "None"),  # the word is not the missing value
        lambda e: e.columns["scan"].__setitem__((3, 1, 5, 0), 0),
        lambda e: e.target.__setitem__(0, 1),
        lambda e: e.groups["sex"].__setitem__(2, "m"),
        lambda e: e.weight.__setitem__(0, 1.0),
        lambda e: e.ids.__setitem__(0, "p9"),
        lambda e: e.time.__setitem__(0, 7),
    ):
        changed = examples()
        change(changed)
        seen.add(changed.sha256())
    seen.add(examples().take(np.array([1, 0, 2, 3])).sha256())
    seen.add(replace(examples(), columns={"height": examples().columns["age"]}).sha256())
    assert len(seen) == 11
    shuffled_names = dict(reversed(examples().columns.items()))
    assert replace(examples(), columns=shuffled_names).sha256() == first


def test_a_table_without_columns_has_its_rows_all_the_same():
    pictures = replace(examples(), columns={"scan": examples().columns["scan"]}, kinds={})
    assert pictures.frame().shape == (4, 0)
