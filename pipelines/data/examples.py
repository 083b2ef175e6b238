"""Examples: the rows of one data set or one split, column by column, in memory or read on demand."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import BadInput

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["number", "category", "text", "image", "wave", "series"]
"""What a column holds: `number` (n,) float with NaN where missing; `category` (n,) object str with None where
missing; `text` (n,) object str; `image` (n, height, width, channels); `wave` (n, samples) float in [-1, 1];
`series` (n, steps, ...) numbers over time."""


@runtime_checkable
class Column(Protocol):
    """What a column must do: say its length and give the rows that are asked for.

    A NumPy array is one. So is `OnDemand`, which decodes a row of a shard only when it is indexed; that is how data
    larger than memory travels through the same code.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any, /) -> Any: ...


BLOCK_BYTES = 8 << 20
"""Of values that a column on demand decodes at a time when all of them are gone through."""


class OnDemand(ABC):
    """A column larger than memory: `column[rows]` reads these rows now, `column.only(rows)` reads nothing yet.

    Attributes:
        shape: (n, ...) as of the array that holds all rows.
        dtype: of that array.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @abstractmethod
    def __getitem__(self, index: Any, /) -> Any:
        """The rows that a slice, a mask or row numbers name, as an array; or one of them."""

    @abstractmethod
    def only(self, rows: NDArray[np.integer[Any]]) -> OnDemand:
        """A column of the given rows, in the given order, read no sooner than this one."""

    @abstractmethod
    def hashes(self) -> NDArray[np.uint64]:
        """(n,) a hash of what is stored for each row, without reading it again."""

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def row_bytes(self) -> int:
        """Of one row's value, decoded; a text is taken for 1 KiB."""
        return 1024 if self.dtype == object else int(np.prod(self.shape[1:])) * self.dtype.itemsize

    def blocks(self, most: int = BLOCK_BYTES) -> Iterator[Any]:
        """All rows in order, some at a time: arrays of at most so many bytes, but of one row at least."""
        size = max(1, most // max(1, self.row_bytes))
        for start in range(0, len(self), size):
            yield self[start : start + size]

    def __iter__(self) -> Iterator[Any]:
        for block in self.blocks():
            yield from block


def chosen(values: Any, rows: NDArray[np.integer[Any]]) -> Any:
    """The given rows of a column: copied from an array, only noted where they are read on demand.

    Rows that follow each other are a view of it, for an array of windows that overlap holds each number many times.
    """
    if isinstance(values, np.ndarray) and len(rows) and (np.diff(rows) == 1).all():
        return values[rows[0] : rows[-1] + 1]
    return values.only(rows) if isinstance(values, OnDemand) else values[rows]


@dataclass(frozen=True)
class Examples:
    """The rows of one data set or one split.

    Args:
        columns: name -> n values; what a model may look at.
        target: (n,) raw labels, numbers or sequences; the objective turns them into what is learned.
        kinds: name -> kind, for each column; inferred from the arrays where it is left out.
        groups: name -> (n,) object str; the sensitive attributes, None where unknown. They are not model
            inputs unless the task also keeps them among the columns.
        weight: (n,) float >= 0, or None for 1 each.
        ids: (n,) patient, customer or speaker; rows of one id never cross a split. None where rows are independent.
        time: (n,) sortable moment of each row, or None.
        opinion: (n,) float in [0, 1], of two classes the share of those who judged a row that call it positive; None
            where nobody knows. Only training may look at it: rows are tested by their target.

    Raises:
        BadInput: lengths differ, there is no column, or a weight is negative or not finite.
    """

    columns: Mapping[str, Any]
    target: NDArray[Any]
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    groups: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    weight: NDArray[np.float64] | None = None
    ids: NDArray[Any] | None = None
    time: NDArray[Any] | None = None
    opinion: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if not self.columns:
            raise BadInput("the data has no column to learn from besides the target")
        kinds = {name: self.kinds.get(name) or infer_kind(values) for name, values in self.columns.items()}
        if unknown := sorted(set(kinds.values()) - set(get_args(Kind))):
            raise BadInput(f"unknown kind of column {unknown[0]!r}; a kind is one of {', '.join(get_args(Kind))}")
        object.__setattr__(self, "kinds", kinds)
        for name, values in self._per_row().items():
            if len(values) != len(self.target):
                raise BadInput(f"{name} has {len(values)} rows but the target has {len(self.target)}")
        if self.weight is not None and not (np.isfinite(self.weight).all() and (self.weight >= 0).all()):
            raise BadInput("a row weight is negative or not finite; weights are numbers of at least 0")
        if self.opinion is not None and not ((self.opinion >= 0) & (self.opinion <= 1)).all():
            raise BadInput("an opinion is not a share of judges; all are numbers between 0 and 1")

    def __len__(self) -> int:
        return len(self.target)

    def take(self, rows: NDArray[np.integer[Any]]) -> Examples:
        """The given rows, in the given order, as new Examples."""

        def pick(values: NDArray[Any] | None) -> NDArray[Any] | None:
            return None if values is None else values[rows]

        return replace(
            self,
            columns={name: chosen(values, rows) for name, values in self.columns.items()},
            target=self.target[rows],
            groups={name: values[rows] for name, values in self.groups.items()},
            weight=pick(self.weight),
            ids=pick(self.ids),
            time=pick(self.time),
            opinion=pick(self.opinion),
        )

    def names(self, *kinds: Kind) -> list[str]:
        """The columns of these kinds, in their order."""
        return [name for name in self.columns if self.kinds[name] in kinds]

    def frame(self) -> pd.DataFrame:
        """The one-dimensional columns as a DataFrame: what a scikit-learn pipeline for tables reads."""
        import pandas as pd

        # Object arrays stay objects: pandas 3 would make them `str` columns, whose missing value is NaN, not None.
        return pd.DataFrame(
            {
                name: pd.Series(values, dtype=object) if values.dtype == object else values
                for name, values in self.columns.items()
                if values.ndim == 1
            },
            index=pd.RangeIndex(len(self)),  # also where there is no such column: a model that reads none counts rows
        )

    def sha256(self) -> str:
        """A hash of every value, in order: two runs with one hash saw the same rows."""
        digest = hashlib.sha256()
        for name, values in sorted(self._per_row().items()):
            digest.update(f"{name}\0".encode())
            _hash_values(digest, values)
        _hash_values(digest, self.target)
        return digest.hexdigest()

    def _per_row(self) -> dict[str, Any]:
        named: dict[str, Any] = {f"column {name!r}": values for name, values in self.columns.items()}
        named |= {f"group {name!r}": values for name, values in self.groups.items()}
        alone = {"weight": self.weight, "ids": self.ids, "time": self.time, "opinion": self.opinion}
        return named | {name: values for name, values in alone.items() if values is not None}


def infer_kind(values: Any) -> Kind:
    """The kind that an array's shape and type suggest; text cannot be told from category and must be stated."""
    shape = np.shape(values)
    if len(shape) == 1:
        return "number" if np.asarray(values[:1]).dtype.kind in "fiub" else "category"
    return "wave" if len(shape) == 2 else "series" if len(shape) == 3 else "image"


def _hash_values(digest: Any, values: Any, rows_at_once: int = 4096) -> None:
    if isinstance(values, OnDemand):
        digest.update(values.hashes().tobytes())
        return
    for start in range(0, len(values), rows_at_once):
        block = np.asarray(values[start : start + rows_at_once])
        if block.dtype == object:
            digest.update("\x1f".join(f"{type(value).__name__}:{value}" for value in block).encode())
        else:
            digest.update(np.ascontiguousarray(block).tobytes())
