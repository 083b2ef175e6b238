"""Splits: which rows train, which choose (validation), which test; by row, by id or by time."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import pairwise
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
    """Divide the rows as the protocol says: one fold for a holdout, folds x repeats for cross-validation, and of a walk
    forward one for each stretch that is tested.

    Args:
        classes: (n,) class index, for stratifying; None for a regression, which shuffles.
        official: (n,) `train`, `valid` or `test` from the set itself; a holdout keeps its test rows.

    Raises:
        BadInput: too few rows, ids or moments to divide so, or `protocol.by` needs a column that is not there.
    """
    if protocol.by == "id" and examples.ids is None:
        raise BadInput("rows are split by id, but the data names none; say which column with --id COLUMN")
    if protocol.kind == "walk-forward":
        return walk_forward(examples, protocol)
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
        for rest, test in _parts(
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
    small = [part for _, part in _parts(examples, rows, classes, "id", parts, seed)]
    aside: list[Rows] = small[:1]
    for part in small[1:-1]:
        if sum(map(len, aside)) + len(part) / 2 > share * len(rows):
            break
        aside.append(part)
    taken = np.concatenate(aside)
    return np.setdiff1d(rows, taken), taken


def _parts(
    examples: Examples, rows: Rows, classes: NDArray[np.int64] | None, by: str, parts: int, seed: int
) -> list[tuple[Rows, Rows]]:
    """(rest, part) for each of `parts` parts that together hold every row once."""
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


def walk_forward(examples: Examples, protocol: Protocol) -> tuple[Fold, ...]:
    """The last `protocol.test` of the moments, in `protocol.folds` stretches of equal length, each tested by what was
    learned from all before it, of which the last part validates; rows of one moment stay together.

    Reference: Bergmeir and Benitez (2012), Information Sciences 191, for evaluation that goes forward in time; Lopez de
    Prado (2018), Advances in Financial Machine Learning, chapter 7, for purging.
    """
    moments, position = _moments(examples)
    tested = round(len(moments) * protocol.test)
    edges = len(moments) - tested + np.round(np.linspace(0, tested, protocol.folds + 1)).astype(np.int64)
    if tested < protocol.folds:
        raise BadInput(
            f"{_counted(tested, 'moment')} to test cannot be divided into {protocol.folds} stretches; set fewer "
            "protocol.folds"
        )
    folds = []
    for start, stop in pairwise(edges.tolist()):
        starts_valid = start - round(start * protocol.valid)
        folds.append(_apart(examples, position, starts_valid, start, stop, protocol))
    return tuple(folds)


def _moments(examples: Examples) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The distinct moments in their order, and (n,) which of them each row is of."""
    if examples.time is None:
        raise BadInput("rows are split by time, but the data names none; say which column with --time COLUMN")
    moments, position = np.unique(examples.time, return_inverse=True)
    if len(moments) < 3:
        raise BadInput(f"rows are split by time, but there are only {len(moments)} distinct moments; at least 3 needed")
    return moments, position


def _by_time(examples: Examples, protocol: Protocol) -> Fold:
    """The last moments test, the ones before them validate; rows of one moment stay together."""
    moments, position = _moments(examples)
    share = np.cumsum(np.bincount(position)) / len(examples)  # of the rows up to and including each moment
    starts_test = int(np.clip(np.searchsorted(share, 1 - protocol.test, side="left") + 1, 2, len(moments) - 1))
    before = share[starts_test - 1]
    starts_valid = int(np.clip(np.searchsorted(share, before * (1 - protocol.valid)) + 1, 1, starts_test - 1))
    return _apart(examples, position, starts_valid, starts_test, len(moments), protocol)


def _apart(
    examples: Examples, position: NDArray[np.int64], starts_valid: int, starts_test: int, stop: int, protocol: Protocol
) -> Fold:
    """Rows before one moment train, from there on validate, and test from another on; `protocol.purge` moments are left
    out before each border, and rows whose labels are not known yet when what they would teach is used."""
    purge, moments = protocol.purge, _moments(examples)[0]
    train = np.flatnonzero(position < starts_valid - purge)
    valid = np.flatnonzero((position >= starts_valid) & (position < starts_test - purge))
    test = np.flatnonzero((position >= starts_test) & (position < stop))
    if not len(train) or not len(valid):
        raise BadInput(
            f"nothing is left to learn from, or to validate on, before the tested moments once "
            f"{_counted(purge, 'moment')} are left out; set protocol.purge, protocol.test or protocol.folds lower"
        )
    if protocol.delay and examples.time is not None:
        train = train[examples.time[train] <= moments[starts_valid] - protocol.delay]
        valid = valid[examples.time[valid] <= moments[starts_test] - protocol.delay]
        for left, first, last, what in (
            (train, 0, starts_valid, "to learn from"), (valid, starts_valid, starts_test, "to validate on")
        ):  # fmt: skip
            if not len(left):
                raise BadInput(
                    f"--set protocol.delay={protocol.delay:g}: of the rows {what} no label is known when the next rows "
                    f"begin, for they span {moments[last] - moments[first]:.3g}; set less, or 0"
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
