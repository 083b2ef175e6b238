"""The first reading of shards: every record once, for the small features of all rows and a hash of the large one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.shards.files import RecordFile, require_length
from pipelines.data.shards.stored import Records
from pipelines.errors import BadInput

Raw = NDArray[Any]
"""(n,) numbers, or bytes as objects, as they stand in the records."""


@dataclass
class Scanned:
    """What the first reading found.

    Args:
        small: feature -> (n,) values of all rows.
        fingerprints: (n,) hash of the large feature of each row.
        large_bytes: of the large feature in all rows, as stored.
    """

    records: Records
    small: dict[str, Raw]
    fingerprints: NDArray[np.uint64]
    large_bytes: int


@dataclass
class _Shard:
    small: dict[str, list[Any]]
    hashes: list[int] = field(default_factory=list)
    large_bytes: int = 0


def scan(files: Sequence[tuple[RecordFile, int]], small: Mapping[str, Any], large: str | None) -> Scanned:
    """Read every record of these files once.

    Args:
        files: each with the number of records that it must hold.
        small: name -> TFDS feature that is one value; all its values are kept in memory.
        large: the feature that is only hashed here and read again when it is needed.

    Raises:
        BadInput: a shard is damaged, cut short, or lacks a feature; the message names file and record.
    """
    shards = []
    for file, expected in files:
        shards.append(_scanned(file, small, large))
        require_length(file.path, len(shards[-1].hashes), expected)
    return Scanned(
        Records([file for file, _ in files], [expected for _, expected in files]),
        {name: _joined([shard.small[name] for shard in shards]) for name in small},
        np.array([value for shard in shards for value in shard.hashes], np.uint64),
        sum(shard.large_bytes for shard in shards),
    )


def _scanned(file: RecordFile, small: Mapping[str, Any], large: str | None) -> _Shard:
    import tensorflow as tf

    found = _Shard({name: [] for name in small})
    lists = {name: _list_of(feature) for name, feature in small.items()}
    for position, record in enumerate(file.scan()):
        try:
            held = tf.train.Example.FromString(record).features.feature
        except Exception as error:
            raise BadInput(f"record {position + 1} of {file.path} is no tf.train.Example") from error
        where = f"record {position + 1} of {file.path}"
        for name, kind in lists.items():
            value: Any = getattr(held[name], kind).value if name in held else ()
            if len(value) != 1:
                raise BadInput(f"{where} {_instead(held, name, kind)}; prepare the set again")
            found.small[name].append(value[0])
        if large is not None and not any(_values(held, name) for name in _entries(held, large)):
            raise BadInput(f"{where} has no {large!r}, which features.json promises; prepare the set again without it")
        found.hashes.append(_hash(held, large, found) if large is not None else 0)
    return found


def _instead(held: Any, name: str, kind: str) -> str:
    """What a record has in place of one value of a feature."""
    if name not in held or not (count := _values(held, name)):
        return f"has no {name!r}, which features.json promises"
    found = held[name].WhichOneof("kind")
    of = "" if found == kind else f" of type {found.removesuffix('_list')}"
    return (
        f"holds {'a value' if count == 1 else f'{count} values'}{of} in {name!r}, where features.json promises one of "
        f"type {kind.removesuffix('_list')}"
    )


def _values(held: Any, name: str) -> int:
    """How many values a record has in an entry."""
    kind = held[name].WhichOneof("kind")
    return 0 if kind is None else len(getattr(held[name], kind).value)


def _entries(held: Any, large: str) -> list[str]:
    """Where a record keeps the large feature, which may be several entries: `sound`, or `sound/value` and so on."""
    return sorted(name for name in held if name == large or name.startswith(f"{large}/"))


def _hash(held: Any, large: str, found: _Shard) -> int:
    """Of what is stored for the large feature."""
    digest = hashlib.blake2b(digest_size=8)
    for name in _entries(held, large):
        stored = held[name].SerializeToString()
        digest.update(stored)
        found.large_bytes += len(stored)
    return int.from_bytes(digest.digest(), "little")


def _list_of(feature: Any) -> str:
    """Where tf.train.Example keeps a single value of this feature."""
    kind = np.dtype(feature.np_dtype).kind
    return {"f": "float_list", "i": "int64_list", "u": "int64_list", "b": "int64_list"}.get(kind, "bytes_list")


def _joined(parts: list[list[Any]]) -> Raw:
    values = [value for part in parts for value in part]
    return np.array(values, dtype=object if values and isinstance(values[0], bytes) else None)
