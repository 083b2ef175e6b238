"""Checks of the data. Some only warn and stand in the report; those that make a result worthless stop the run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.behaviour import made_of_the_past
from pipelines.data.cells import missing
from pipelines.data.examples import Examples, OnDemand
from pipelines.data.leaks.burnt_in import burnt_in
from pipelines.data.leaks.near_duplicates import near_duplicates
from pipelines.data.leaks.telling import telling
from pipelines.data.wording import count, listed, numbered, shown
from pipelines.errors import BadInput
from pipelines.report.document import Check
from pipelines.task import Dataset

FEWEST_ROWS = 20
"""Below this nothing can be learned, held out and tested: 12 rows would train, 4 validate and 4 test."""

RARE = 10
"""A class of fewer rows may miss from a split."""

MOSTLY_MISSING = 0.5
"""Share of missing values from which a column is pointed out."""

REPEATS = 4
"""A column and a target whose values appear fewer times than this on average match one to one by chance."""

KNOWN = 0.9
"""Share of rows in which a column must be known to give the target away."""

Rows = NDArray[np.integer[Any]]


def require_learnable(dataset: Dataset) -> None:
    """Stop where no result could mean anything.

    Raises:
        BadInput: there are fewer than `FEWEST_ROWS` rows, a missing or single target value, no column that varies, or
            a column that is the target itself or a recoding of it; the message says what would be right.
    """
    examples, source = dataset.examples, dataset.source
    if len(examples) < FEWEST_ROWS:
        raise BadInput(f"{source} has {count(len(examples), 'row')}; at least {FEWEST_ROWS} are needed")
    if _is_scalar(examples.target):
        absent = np.flatnonzero(missing(examples.target))
        if len(absent):
            where = numbered([int(row) + 1 for row in absent])
            raise BadInput(f"{source}: the target is missing in {count(len(absent), 'row')} (counted from 1: {where})")
        labels = np.unique(_codes(examples.target))
        if len(labels) == 1:
            raise BadInput(
                f"{source}: the target {dataset.target!r} has one class only ({shown(examples.target[0])}); "
                f"two or more are needed"
            )
    if len(constant_columns(examples)) == len(examples.columns):
        raise BadInput(f"{source}: every column is constant ({listed(examples.columns)}), so there is nothing to learn")
    if leaks := revealing_columns(examples):
        raise BadInput(
            f"{source}: column {leaks[0]!r} is the target {dataset.target!r}, or the same in another code; "
            f"leave it out with --exclude {leaks[0]!r}"
        )


def run_checks(dataset: Dataset) -> tuple[Check, ...]:
    """The checks of a whole data set; each says what it found, and none shows a value of a row."""
    examples = dataset.examples
    found = dataset.personal
    return (
        *([] if found is None else [Check("no personal data", not found, "; ".join(found) or "none found")]),
        _check_rows(examples),
        _listing(
            "no column equals the target",
            revealing_columns(examples),
            ("gives the target away", "give the target away"),
        ),
        _listing(
            "no column is the target in another unit",
            rescaled_columns(examples),
            ("is a straight line of the target", "are straight lines of the target"),
        ),
        *(telling(examples) if _is_scalar(examples.target) else []),
        _check_constant(examples),
        # Windows of behaviour are missing where there is no past, which nobody could fill in.
        _check_missing(examples, made_of_the_past() if "delay" in dataset.reading else frozenset()),
        _check_classes(examples),
    )


def split_checks(examples: Examples, train: Rows, valid: Rows, test: Rows) -> tuple[Check, ...]:
    """The checks of a split: nothing that is tested may be known from training.

    Args:
        examples: all rows.
        train: positions of the training rows; likewise `valid` and `test`.
    """
    parts = {"train": train, "valid": valid, "test": test}
    return (
        _check_apart("no row in two splits", parts, "row", "rows"),
        _check_duplicates(examples, parts),
        *(
            [_check_apart("no id in two splits", {k: _codes(examples.ids)[v] for k, v in parts.items()}, "id", "ids")]
            if examples.ids is not None
            else []
        ),
        *near_duplicates(examples, parts),
        *burnt_in(examples, train),
    )


def constant_columns(examples: Examples) -> list[str]:
    """Columns that hold one value in every row, missing counting as a value."""
    return [name for name, values in examples.columns.items() if _is_constant(values)]


def revealing_columns(examples: Examples) -> list[str]:
    """Number and category columns that equal the target, or are the same in another code (`good`/`bad` for 0/1).

    A recoding counts only where values repeat (`REPEATS` times on average), since two columns of distinct values
    always match one to one. Rows in which the column is missing are left out, if they are few (`1 - KNOWN`).
    """
    if not _is_scalar(examples.target):
        return []
    target = _codes(examples.target)
    return [
        name
        for name in examples.names("number", "category")
        if _reveals(np.asarray(examples.columns[name]), examples.target, target)
    ]


def rescaled_columns(examples: Examples) -> list[str]:
    """Number columns that are the target, a number too, times and plus a constant. It may be the law to be learned,
    so it only warns."""
    if not _is_scalar(examples.target) or examples.target.dtype == object or len(np.unique(examples.target)) < 3:
        return []
    return [name for name in examples.names("number") if _is_line(np.asarray(examples.columns[name]), examples.target)]


def row_hashes(examples: Examples, with_target: bool = True) -> NDArray[np.uint64]:
    """(n,) a hash of all columns of each row, and of its target: equal rows have equal hashes.

    Pictures, waves and series are hashed by their bytes (BLAKE2b, 64 bit), columns on demand by what is stored, the
    rest column-wise by pandas.
    """
    total = np.zeros(len(examples), dtype=np.uint64)
    for name in sorted(examples.columns):
        _mix(total, _value_hashes(examples.columns[name]))
    if with_target:
        _mix(total, _value_hashes(examples.target))
    return total


def _reveals(values: NDArray[Any], target: NDArray[Any], codes: NDArray[np.int64]) -> bool:
    known = ~missing(values)
    if known.mean() < KNOWN:
        return False
    values, codes = values[known], codes[known]
    n_codes = len(np.unique(codes))
    if n_codes < 2:
        return False
    if values.dtype.kind == target.dtype.kind and np.array_equal(values, target[known]):
        return True
    column = _codes(values)
    n_values = int(column.max()) + 1
    if n_values != n_codes or len(values) < REPEATS * n_codes:
        return False
    return len(np.unique(column * np.int64(codes.max() + 1) + codes)) == n_codes


def _is_line(values: NDArray[Any], target: NDArray[Any]) -> bool:
    known = ~missing(values)
    if known.mean() < KNOWN or len(np.unique(values[known])) < 3:
        return False
    with np.errstate(all="ignore"):
        correlation = abs(np.corrcoef(values[known].astype(np.float64), target[known].astype(np.float64))[0, 1])
    return bool(correlation > 1 - 1e-12)


def _check_rows(examples: Examples) -> Check:
    repeated = len(examples) - len(np.unique(row_hashes(examples)))
    detail = f"{count(repeated, 'row repeats', 'rows repeat')} an earlier one" if repeated else "every row differs"
    return Check("no duplicate rows", repeated == 0, detail)


def _check_constant(examples: Examples) -> Check:
    found, tabular = constant_columns(examples), _tabular(examples)
    empty = [name for name in found if name in tabular and missing(np.asarray(examples.columns[name])).all()]
    same = [name for name in found if name not in empty]
    told = [
        *([_told(same, ("has one value only", "have one value only"))] if same else []),
        *([_told(empty, ("is missing in every row", "are missing in every row"))] if empty else []),
    ]
    return Check("no constant column", not found, "; ".join(told) or "none found")


def _check_missing(examples: Examples, made: frozenset[str]) -> Check:
    names = [name for name in _tabular(examples) if name not in made]
    shares = {name: float(missing(np.asarray(examples.columns[name])).mean()) for name in names}
    if not shares:
        return Check("few missing values", True, "no column can hold missing values")
    mostly = [name for name, share in shares.items() if share > MOSTLY_MISSING]
    overall = f"{100 * sum(shares.values()) / len(shares):.1f} % of the values are missing"
    worst = f"; more than half in {listed(mostly, 10)}" if mostly else ""
    return Check("few missing values", not mostly, overall + worst)


def _check_classes(examples: Examples) -> Check:
    name = "no very rare class"
    if not _is_scalar(examples.target):
        return Check(name, True, "the target is no class")
    sizes = np.bincount(_codes(examples.target))
    if examples.target.dtype != object and len(sizes) > max(20, len(examples) // 20):
        return Check(name, True, "the target is a number")
    rare = int((sizes < RARE).sum())
    smallest = f"the smallest of {count(len(sizes), 'class', 'classes')} has {count(int(sizes.min()), 'row')}"
    return Check(name, rare == 0, smallest + (f"; {rare} have fewer than {RARE}" if rare else ""))


def _listing(name: str, found: list[str], problem: tuple[str, str]) -> Check:
    return Check(name, not found, _told(found, problem) if found else "none found")


def _told(found: list[str], problem: tuple[str, str]) -> str:
    """What is the matter, said of one column or of several."""
    return f"{listed(found, 10)} {problem[len(found) > 1]}"


def _check_apart(name: str, parts: dict[str, NDArray[Any]], one: str, many: str) -> Check:
    shared = {
        f"{first} and {second}": len(np.intersect1d(parts[first], parts[second]))
        for first, second in combinations(parts, 2)
    }
    return Check(name, not any(shared.values()), _overlaps(shared, one, many))


def _check_duplicates(examples: Examples, parts: dict[str, Rows]) -> Check:
    """How many rows of a later split are equal, in every column and the target, to one of an earlier split."""
    hashes = row_hashes(examples)
    shared = {
        f"{first} and {second}": int(np.isin(hashes[parts[second]], hashes[parts[first]]).sum())
        for first, second in combinations(parts, 2)
    }
    return Check("no duplicate rows across splits", not any(shared.values()), _overlaps(shared, "row", "rows"))


def _overlaps(shared: dict[str, int], one: str, many: str) -> str:
    told = [f"{count(number, one, many)} in {where}" for where, number in shared.items() if number]
    return ", ".join(told) or "none found"


def _tabular(examples: Examples) -> list[str]:
    """The columns that may have missing values; those on demand have none."""
    names = examples.names("number", "category", "text")
    return [name for name in names if not isinstance(examples.columns[name], OnDemand)]


def _is_scalar(target: NDArray[Any]) -> bool:
    """Whether each target is one number or label, not a sequence or a picture."""
    if target.ndim != 1:
        return False
    return target.dtype != object or all(value is None or np.isscalar(value) for value in target)


def _codes(values: NDArray[Any]) -> NDArray[np.int64]:
    """(n,) a small whole number for each distinct value; missing is a value of its own."""
    import pandas as pd

    # Object columns may mix types, which cannot be sorted but can be told apart.
    codes: NDArray[np.int64] = pd.factorize(values, use_na_sentinel=False)[0].astype(np.int64)
    return codes


def _is_constant(values: Any, rows_at_once: int = 1024) -> bool:
    if isinstance(values, OnDemand):
        return len(np.unique(values.hashes())) < 2
    first = np.asarray(values[:1])
    for start in range(0, len(values), rows_at_once):
        block = np.asarray(values[start : start + rows_at_once])
        if block.dtype == object:
            same = all(value == first[0] or (value is None and first[0] is None) for value in block)
        else:
            same = np.array_equal(block, np.broadcast_to(first, block.shape), equal_nan=block.dtype.kind == "f")
        if not same:
            return False
    return True


def _value_hashes(values: Any) -> NDArray[np.uint64]:
    import pandas as pd

    if isinstance(values, OnDemand):
        return values.hashes()
    array = np.asarray(values[:1])
    if array.ndim == 1 and len(array) and (array.dtype != object or np.isscalar(array[0]) or array[0] is None):
        whole = np.asarray(values)
        if whole.dtype != object:
            return np.asarray(pd.util.hash_array(whole))
        return np.asarray(pd.util.hash_array(whole, categorize=True))
    return np.fromiter(_byte_hashes(values), dtype=np.uint64, count=len(values))


def _byte_hashes(values: Any, rows_at_once: int = 1024) -> Iterator[int]:
    for start in range(0, len(values), rows_at_once):
        for row in values[start : start + rows_at_once]:
            digest = hashlib.blake2b(np.ascontiguousarray(row).tobytes(), digest_size=8).digest()
            yield int.from_bytes(digest, "little")


def _mix(total: NDArray[np.uint64], hashes: NDArray[np.uint64]) -> None:
    """Add a column to the hash of its row, in place; the order of the columns counts."""
    total *= np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio, odd, so that no bit is lost
    total ^= total >> np.uint64(29)
    total += hashes
