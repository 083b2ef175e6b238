"""Checks of the data: what stops a run, what only warns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipelines.data.checks import (
    constant_columns,
    require_learnable,
    rescaled_columns,
    revealing_columns,
    row_hashes,
    run_checks,
    split_checks,
)
from pipelines.data.examples import Examples
from pipelines.errors import BadInput
from pipelines.task import Dataset

ROWS = 60
rng = np.random.default_rng(3)
TARGET = np.tile([0.0, 1.0, 1.0], ROWS // 3)


def objects(values) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = list(values)
    return array


def examples(target=TARGET, **columns) -> Examples:
    return Examples(columns=columns or {"a": rng.normal(size=len(target))}, target=target)


def dataset(rows: Examples) -> Dataset:
    return Dataset(rows, "table.csv", False, "y")


def refusal(rows: Examples) -> str:
    with pytest.raises(BadInput) as caught:
        require_learnable(dataset(rows))
    return str(caught.value)


def found(rows: Examples) -> dict[str, tuple[bool, str]]:
    return {check.name: (check.passed, check.detail) for check in run_checks(dataset(rows))}


def test_good_data_passes_everything():
    require_learnable(dataset(examples()))
    assert all(passed for passed, _ in found(examples()).values())


def test_too_few_rows():
    message = refusal(examples(TARGET[:3]))
    assert "3 rows" in message
    assert "at least 20" in message
    require_learnable(dataset(examples(TARGET[:20])))


@pytest.mark.parametrize("target", [np.ones(ROWS), objects(["good"] * ROWS)])
def test_one_class_only(target):
    assert "one class only" in refusal(examples(target))


@pytest.mark.parametrize("target", [np.where(np.arange(ROWS) == 6, np.nan, TARGET), objects([*"ab" * 29, None, "a"])])
def test_missing_targets(target):
    assert "missing in 1 row" in refusal(examples(target))


def test_constant_columns():
    rows = examples(
        same=np.full(ROWS, 2.0),
        empty=np.full(ROWS, np.nan),
        none=objects([None] * ROWS),
        image=np.zeros((ROWS, 4, 4, 1), np.uint8),
        late=np.append(np.zeros(ROWS - 1), 1),
        sometimes=objects([None] + ["x"] * (ROWS - 1)),
    )
    assert constant_columns(rows) == ["same", "empty", "none", "image"]
    passed, detail = found(rows)["no constant column"]
    assert not passed
    assert detail == "'same', 'image' have one value only; 'empty', 'none' are missing in every row"
    one = examples(same=np.full(ROWS, 2.0), late=np.append(np.zeros(ROWS - 1), 1))
    assert found(one)["no constant column"][1] == "'same' has one value only"
    assert "every column is constant" in refusal(examples(same=np.full(ROWS, 2.0)))


@pytest.mark.parametrize(
    "column",
    [
        TARGET,
        1 - TARGET,
        objects(["bad" if value else "good" for value in TARGET]),
        np.append(TARGET[:-2], [np.nan, np.nan]),
    ],
    ids=["equal", "flipped", "words", "partly missing"],
)
def test_a_column_that_is_the_target_stops_the_run(column):
    rows = examples(a=rng.normal(size=ROWS), leak=column)
    message = refusal(rows)
    assert "'leak'" in message
    assert "--exclude 'leak'" in message
    assert not found(rows)["no column equals the target"][0]


def test_columns_that_only_resemble_the_target_do_not():
    nearly = TARGET.copy()
    nearly[0] = 1 - nearly[0]
    rows = examples(
        nearly=nearly, finer=np.arange(ROWS) + 1000 * TARGET, rarely=np.where(np.arange(ROWS) < 9, TARGET, np.nan)
    )
    assert revealing_columns(rows) == []


def test_a_column_coarser_than_the_target_is_no_recoding():
    target = objects("abc" * (ROWS // 3))
    assert revealing_columns(examples(target, coarse=objects("aac" * (ROWS // 3)))) == []
    assert revealing_columns(examples(target, code=np.tile([3.0, 1.0, 2.0], ROWS // 3))) == ["code"]


def test_distinct_numbers_match_one_to_one_by_chance():
    target = rng.normal(size=ROWS)
    assert revealing_columns(examples(target, a=rng.normal(size=ROWS))) == []
    assert revealing_columns(examples(target, a=target.copy())) == ["a"]


def test_another_unit_only_warns():
    target = rng.normal(size=ROWS)
    rows = examples(target, cents=100 * target + 5, near=target + 1e-3 * rng.normal(size=ROWS))
    assert rescaled_columns(rows) == ["cents"]
    require_learnable(dataset(rows))
    assert not found(rows)["no column is the target in another unit"][0]


def test_missing_values_and_rare_classes_warn():
    target = objects(["a"] * 30 + ["b"] * 27 + ["c"] * 3)
    rows = examples(target, a=np.where(np.arange(ROWS) < 40, np.nan, rng.normal(size=ROWS)), b=rng.normal(size=ROWS))
    passed, detail = found(rows)["few missing values"]
    assert not passed
    assert "33.3 %" in detail
    assert "'a'" in detail
    passed, detail = found(rows)["no very rare class"]
    assert not passed
    assert "3 rows" in detail
    require_learnable(dataset(rows))


def test_windows_without_a_past_are_not_blamed_for_what_is_missing():
    absent = np.full(ROWS, np.nan)
    absent[0] = 1.0
    rows = examples(customer_mean_1d=absent, amount=rng.normal(size=ROWS))
    payments = replace(dataset(rows), reading={"delay": "7.0"})
    checks = {check.name: check for check in run_checks(payments)}
    assert checks["few missing values"].passed
    assert checks["few missing values"].detail == "0.0 % of the values are missing"
    assert not found(rows)["few missing values"][0]


def test_numbers_as_targets_have_no_rare_class():
    assert found(examples(rng.normal(size=ROWS)))["no very rare class"][0]


COLUMNS = {
    "number": np.array([1.0, np.nan, 1.0, np.nan, 2.0]),
    "category": objects(["x", None, "x", None, "x"]),
    "image": np.array([1, 2, 1, 2, 1], np.uint8).repeat(12).reshape(5, 2, 2, 3),
    "wave": np.array([1, 2, 1, 2, 3], np.float32).repeat(4).reshape(5, 4),
}


def test_equal_rows_have_equal_hashes():
    hashes = row_hashes(Examples(columns=COLUMNS, target=np.zeros(5)))
    assert hashes[0] == hashes[2]
    assert hashes[1] == hashes[3]
    assert len(set(hashes.tolist())) == 3


@pytest.mark.parametrize("name", COLUMNS)
def test_each_kind_of_column_counts(name):
    values = COLUMNS[name]
    rows = values[[0, 0]].copy()
    rows[1] = values[4] if name in ("number", "wave") else values[1]
    others = {other: array[[0, 0]] for other, array in COLUMNS.items() if other != name}
    assert len(set(row_hashes(Examples(columns={**others, name: rows}, target=np.zeros(2))).tolist())) == 2


def test_the_target_counts_if_asked():
    rows = Examples(columns={"a": np.zeros(2)}, target=objects(["x", "y"]))
    assert len(set(row_hashes(rows).tolist())) == 2
    assert len(set(row_hashes(rows, with_target=False).tolist())) == 1


def test_values_in_swapped_columns_differ():
    rows = Examples(columns={"a": np.array([1.0, 2.0]), "b": np.array([2.0, 1.0])}, target=np.zeros(2))
    assert len(set(row_hashes(rows).tolist())) == 2


def test_splits_that_share_nothing():
    rows = replace(examples(a=np.arange(ROWS, dtype=float)), ids=objects([f"p{row // 20}" for row in range(ROWS)]))
    checks = split_checks(rows, np.arange(20), np.arange(20, 40), np.arange(40, 60))
    assert [check.name for check in checks] == [
        "no row in two splits",
        "no duplicate rows across splits",
        "no id in two splits",
    ]
    assert all(check.passed for check in checks)


def test_splits_that_share_rows_duplicates_and_ids():
    values = np.arange(ROWS, dtype=float)
    values[57] = values[0]
    target = TARGET.copy()
    target[57] = target[0]
    rows = replace(examples(target, a=values), ids=objects([f"p{row // 19}" for row in range(ROWS)]))
    checks = {check.name: check for check in split_checks(rows, np.arange(20), np.arange(19, 40), np.arange(40, 60))}
    assert not any(check.passed for check in checks.values())
    assert checks["no row in two splits"].detail == "1 row in train and valid"
    assert "1 row in train and test" in checks["no duplicate rows across splits"].detail
    assert checks["no id in two splits"].detail == "1 id in train and valid, 1 id in valid and test"


def test_without_ids_there_is_no_check_of_ids():
    assert len(split_checks(examples(), np.arange(20), np.arange(20, 40), np.arange(40, 60))) == 2


def test_sequences_as_targets_are_left_alone():
    target = objects([["a", "b"]] * ROWS)
    require_learnable(dataset(examples(target)))
    assert found(examples(target))["no very rare class"][0]
