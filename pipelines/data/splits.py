"""Splits: which rows train, which choose (validation), which test; by row, by id or by time."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import Examples
from pipelines.errors import BadInput
from pipelines.task import Protocol

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Fold:
    """One division of the rows, as sorted row numbers; the three parts share no row."""

    train: Rows
    valid: Rows
    test: Rows
    divided: int = 0
    """Rows that were divided off to train, where `protocol.learn_from` then left some of them out."""

    @property
    def n_train(self) -> int:
        """Rows divided off to train: what corrects for how much folds have in common, however few are learned from."""
        return self.divided or len(self.train)

    def counts(self) -> dict[str, int]:
        """Rows by part."""
        return {"train": len(self.train), "valid": len(self.valid), "test": len(self.test)}


def split(
    examples: Examples,
    classes: NDArray[np.int64] | None,
    protocol: Protocol,
    seed: int,
    official: NDArray[Any] | None = None,
) -> tuple[Fold, ...]:
    """Divide the rows as the protocol says: one fold for a holdout, folds x repeats for cross-validation.

    Args:
        classes: (n,) class index, for stratifying; None for a regression, which shuffles.
        official: (n,) `train`, `valid` or `test` from the set itself; a holdout keeps its test rows.

    Raises:
        BadInput: too few rows, ids or moments to divide so, or `protocol.by` needs a column that is not there.
    """
    if protocol.by == "id" and examples.ids is None:
        raise BadInput("rows are split by id, but the data names none; say which column with --id COLUMN")
    if protocol.by == "time":
        return (_by_time(examples, protocol),)
    if protocol.kind == "holdout":
        if official is not None and (official == "test").any():
            return (_official(examples, classes, protocol, seed, official),)
        rest, test = _cut(examples, np.arange(len(examples)), classes, protocol.by, protocol.test, seed)
        return (_with_validation(examples, rest, test, classes, protocol, seed),)
    return _cross_validation(examples, classes, protocol, seed)


def _official(
    examples: Examples, classes: NDArray[np.int64] | None, protocol: Protocol, seed: int, official: NDArray[Any]
) -> Fold:
    train, valid, test = (np.flatnonzero(official == part) for part in ("train", "valid", "test"))
    if not len(train):
        raise BadInput("the set's own split has no training rows")
    if len(valid):
        return Fold(train, valid, test)
    return _with_validation(examples, train, test, classes, protocol, seed)


def _cross_validation(
    examples: Examples, classes: NDArray[np.int64] | None, protocol: Protocol, seed: int
) -> tuple[Fold, ...]:
    folds = []
    for repeat in range(protocol.repeats):
        for rest, test in parts_of(
            examples, np.arange(len(examples)), classes, protocol.by, protocol.folds, seed + repeat
        ):
            folds.append(_with_validation(examples, rest, test, classes, protocol, seed + repeat))
    return tuple(folds)


def _with_validation(
    examples: Examples, rest: Rows, test: Rows, classes: NDArray[np.int64] | None, protocol: Protocol, seed: int
) -> Fold:
    train, valid = _cut(examples, rest, classes, protocol.by, protocol.valid, seed + 1)
    return Fold(np.sort(train), np.sort(valid), np.sort(test))


def _cut(
    examples: Examples, rows: Rows, classes: NDArray[np.int64] | None, by: str, share: float, seed: int
) -> tuple[Rows, Rows]:
    """Take `share` of the rows aside: stratified by class, and whole ids where they must not be cut."""
    if by == "id":
        return _cut_ids(examples, rows, classes, share, seed)
    from sklearn.model_selection import train_test_split

    labels = None if classes is None else classes[rows]
    try:
        kept, taken = train_test_split(rows, test_size=share, random_state=seed, stratify=labels)
    except ValueError:
        if labels is None or not len(labels):
            raise BadInput(f"no share of {share:g} can be taken from {_counted(len(rows), 'row')}") from None
        raise BadInput(_too_few(labels, max(2, round(1 / share)), "parts")) from None
    return kept, taken


def _cut_ids(
    examples: Examples, rows: Rows, classes: NDArray[np.int64] | None, share: float, seed: int
) -> tuple[Rows, Rows]:
    """Whole ids cannot be cut exactly, but many small parts, gathered up to the share, come close."""
    most = len(rows) if classes is None else np.bincount(classes[rows], minlength=1).max()
    parts = max(2, min(20, _units(examples, rows, "id"), most))
    small = [part for _, part in parts_of(examples, rows, classes, "id", parts, seed)]
    aside: list[Rows] = small[:1]
    for part in small[1:-1]:
        if sum(map(len, aside)) + len(part) / 2 > share * len(rows):
            break
        aside.append(part)
    taken = np.concatenate(aside)
    return np.setdiff1d(rows, taken), taken


def parts_of(
    examples: Examples, rows: Rows, classes: NDArray[np.int64] | None, by: str, parts: int, seed: int
) -> list[tuple[Rows, Rows]]:
    """(rest, part) for each of `parts` parts that together hold every one of the rows once.

    Args:
        classes: (all examples,) class index to stratify by; None for a number.
        by: `row` or `id`.

    Raises:
        BadInput: there are too few rows, ids or rows of a class.
    """
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

    units = _units(examples, rows, by)
    if units < parts:
        raise BadInput(f"{_counted(units, 'id' if by == 'id' else 'row')} cannot be divided into {parts} parts")
    labels = None if classes is None else classes[rows]
    if labels is not None:
        counts = np.bincount(labels)[np.unique(labels)]
        if (counts.max() if by == "id" else counts.min()) < parts:  # ids cannot give every part each class anyway
            raise BadInput(_too_few(labels, parts, "folds"))
    groups = examples.ids[rows].astype(str) if by == "id" and examples.ids is not None else None
    if groups is None:
        folder: Any = KFold if labels is None else StratifiedKFold
    else:
        folder = GroupKFold if labels is None else StratifiedGroupKFold
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a class has fewer rows than there are parts, which ids may have
        divided = list(folder(parts, shuffle=True, random_state=seed).split(rows, labels, groups))
    if not all(len(part) for _, part in divided):  # stratified by few ids, a part may stay empty
        divided = list(GroupKFold(parts, shuffle=True, random_state=seed).split(rows, labels, groups))
    return [(rows[rest], rows[part]) for rest, part in divided]


def _units(examples: Examples, rows: Rows, by: str) -> int:
    return len(np.unique(examples.ids[rows].astype(str))) if by == "id" and examples.ids is not None else len(rows)


def _by_time(examples: Examples, protocol: Protocol) -> Fold:
    """The last moments test, the ones before them validate; rows of one moment stay together.

    Rows whose labels are not known yet when what they would teach is used are in no part.
    """
    if examples.time is None:
        raise BadInput("rows are split by time, but the data names none; say which column with --time COLUMN")
    moments, position = np.unique(examples.time, return_inverse=True)
    if len(moments) < 3:
        raise BadInput(f"rows are split by time, but there are only {len(moments)} distinct moments; at least 3 needed")
    share = np.cumsum(np.bincount(position)) / len(examples)  # of the rows up to and including each moment
    starts_test = int(np.clip(np.searchsorted(share, 1 - protocol.test, side="left") + 1, 2, len(moments) - 1))
    before = share[starts_test - 1]
    starts_valid = int(np.clip(np.searchsorted(share, before * (1 - protocol.valid)) + 1, 1, starts_test - 1))
    part = np.digitize(position, [starts_valid, starts_test])
    train, valid, test = (np.flatnonzero(part == which) for which in range(3))
    if protocol.delay:
        train = train[examples.time[train] <= moments[starts_valid] - protocol.delay]
        valid = valid[examples.time[valid] <= moments[starts_test] - protocol.delay]
        if not len(train) or not len(valid):
            raise BadInput(
                f"--set protocol.delay={protocol.delay:g}: no row's label is known so late; the moments before the "
                f"test span {moments[starts_test] - moments[0]:g}, so set less, or 0"
            )
    if examples.ids is None:
        return Fold(train, valid, test)
    # Whoever is tested, or validated on, has no earlier rows to be learned from: these rows are left out.
    ids = examples.ids.astype(np.str_)
    valid = valid[~np.isin(ids[valid], ids[test])]
    train = train[~np.isin(ids[train], ids[np.concatenate([valid, test])])]
    if not len(train) or not len(valid):
        raise BadInput("nobody's rows are all early enough to learn from; leave out --time or --id")
    return Fold(train, valid, test)


def _too_few(labels: NDArray[np.int64], parts: int, what: str) -> str:
    present, counts = np.unique(labels, return_counts=True)
    return (
        f"the rarest class has {_counted(counts.min(), 'row')}, too few for {parts} {what} "
        f"(of {len(labels)} rows to divide, in {len(present)} classes); every part needs each class, so leave rarer "
        "classes out, merge them, or bring more rows of them"
    )


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"
