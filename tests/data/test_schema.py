"""The summary of columns that a user looks at."""

from __future__ import annotations

import numpy as np

from pipelines.data.examples import Examples
from pipelines.data.schema import describe


def test_describe():
    town = np.array(["Ulm"] * 6 + ["Bonn"] * 5 + ["Jena", None], dtype=object)
    examples = Examples(
        columns={
            "age": np.array([20.0, np.nan, *range(30, 41)]),
            "town": town,
            "text": np.array(["abc"] * 12 + ["a"], dtype=object),
            "image": np.zeros((13, 4, 5, 1), np.uint8),
        },
        kinds={"text": "text"},
        target=np.zeros(13),
        groups={"sex": np.array(["f"] * 13, dtype=object)},
    )
    rows = {row.name: row for row in describe(examples)}
    assert (rows["age"].kind, rows["age"].missing, rows["age"].distinct) == ("number", 1, 12)
    assert rows["age"].holds == "20 to 40"
    assert (rows["town"].missing, rows["town"].distinct) == (1, 3)
    assert rows["town"].holds == "'Ulm' 6, 'Bonn' 5, 1 more"  # Jena is one person: not shown
    assert rows["text"].holds == "1 to 3 characters"
    assert rows["image"].holds == "4 x 5 x 1"
    assert rows["sex"].kind == "group"


def test_nothing_but_missing_values():
    rows = describe(Examples(columns={"a": np.full(3, np.nan)}, target=np.zeros(3)))
    assert (rows[0].missing, rows[0].distinct, rows[0].holds) == (3, 0, "nothing")
