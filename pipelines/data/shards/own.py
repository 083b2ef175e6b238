"""A user's own shards as a Dataset: which feature is learned from, which is the target, who a row is about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipelines.data import tfds_rows
from pipelines.data.cells import missing, moment
from pipelines.data.examples import Examples, Kind
from pipelines.data.shards.decoders import Decoder
from pipelines.data.shards.folder import ShardFolder, open_folder
from pipelines.data.shards.frugal import return_large_blocks
from pipelines.data.shards.scan import Scanned, scan
from pipelines.data.shards.stored import Stored
from pipelines.data.wording import count, did_you_mean, listed, numbered, shown
from pipelines.errors import BadInput
from pipelines.task import DataRequest, Dataset

KEPT_BYTES = 64 << 20
"""A column of at most so many bytes, decoded, is read into memory once; a larger one is read when it is needed."""

UNIQUE_SHARE, UNIQUE_ROWS = 0.9, 20
"""Of words: from this share of distinct ones on, and this many rows, a feature names rows and describes nothing."""

Large = Literal["image", "wave", "text"]
NOUNS = {"image": "picture", "wave": "sound", "text": "text"}


def load(request: DataRequest, kind: Large | None, decoder: Callable[[str, Any], Decoder] | None) -> Dataset:
    """Read a folder of shards: small features into memory, the large one only as far as it fits there.

    Args:
        kind: what the task learns from, which becomes the column of that name; None for a table, whose columns are
            all features that are single numbers, labels or short texts.
        decoder: feature's name, feature -> what decodes it.

    Raises:
        BadInput: the folder, a record, or a flag; the message names it.
    """
    folder = open_folder(request.where)
    roles = _Roles(folder, request)
    large = None if kind is None else roles.large(kind)
    small = [*roles.needed, *(roles.inputs() if kind is None else [])]
    files, official, notes = _splits(folder)
    found = scan([each for part in files for each in part], {name: folder.features[name] for name in small}, large)
    values = {name: _plain(folder.features[name], found.small[name]) for name in small}
    columns: dict[str, Any] = {}
    kinds: dict[str, Kind] = {}
    if kind is not None and large is not None and decoder is not None:
        columns[kind], kinds[kind] = _column(found, decoder(large, folder.features[large])), kind
    for name in roles.sensitive if kind is not None else [each for each in small if each not in roles.apart]:
        if name in columns:
            raise BadInput(f"--sensitive {name!r}: that feature is what is learned from; name another")
        if kind is None and (note := _names_rows(name, values[name])) and name not in roles.sensitive:
            notes.append(note)
            continue
        columns[name], kinds[name] = values[name], "category" if values[name].dtype == object else "number"
    examples = Examples(
        columns=columns,
        kinds=kinds,
        target=_complete(folder, values, roles.target, "--target"),
        ids=None if roles.id is None else _complete(folder, values, roles.id, "--id").astype(str).astype(object),
        time=None if roles.time is None else _moments(folder, values, roles.time),
    )
    notes += roles.notes(kind, large)
    return Dataset(examples, str(folder.path), False, roles.target, official, tuple(notes), request.positive)


class _Roles:
    """Which feature plays which part, as the flags and the set itself say."""

    def __init__(self, folder: ShardFolder, request: DataRequest) -> None:
        self._folder, self._request = folder, request
        self._kinds = {name: _kind(feature) for name, feature in folder.features.items()}
        target = request.target or folder.target or ("label" if "label" in folder.features else None)
        if target is None:
            raise BadInput(f"--target is missing: name the feature of {folder.path} to predict; it has {self._known()}")
        self.target, self.id, self.time = target, request.id, request.time
        self.sensitive = tuple(dict.fromkeys(request.sensitive))
        self._check()
        self.needed = tuple(dict.fromkeys(name for name in (target, self.id, self.time, *self.sensitive) if name))
        self.apart = {target, self.id, self.time, *request.exclude}

    def _check(self) -> None:
        single = [("--target", self.target), ("--id", self.id), ("--time", self.time)]
        flags = [(flag, name) for flag, name in single if name is not None]
        flags += [("--sensitive", name) for name in self.sensitive]
        taken: dict[str, str] = {}
        for flag, name in [*flags, *(("--exclude", name) for name in dict.fromkeys(self._request.exclude))]:
            if name not in self._kinds:
                hint = did_you_mean(name, self._kinds) or "."
                raise BadInput(f"{self._folder.path} has no feature {name!r} ({flag}){hint} It has {self._known()}")
            if name in taken:
                raise BadInput(f"feature {name!r} is given to both {taken[name]} and {flag}; it can have one role only")
            if flag != "--exclude" and self._kinds[name] not in ("number", "category", "text"):
                raise BadInput(f"{flag} {name!r} of {self._folder.path} is no single number, label or text")
            taken[name] = flag

    def _known(self) -> str:
        return listed(self._kinds, 50)

    def large(self, kind: Large) -> str:
        """The feature that becomes the column `image`, `wave` or `text`."""
        request, noun = self._request, NOUNS[kind]
        if request.text is not None and kind != "text":
            raise BadInput(f"--text is for tasks that learn from text; this one learns from a {noun}")
        away = {*self.needed, *request.exclude}
        found = [name for name, each in self._kinds.items() if each == kind and name not in away]
        if kind == "text" and request.text is not None:
            if self._kinds.get(request.text) != "text" or request.text in away:
                raise BadInput(
                    f"{self._folder.path} has no free feature {request.text!r} of text (--text); it has {listed(found)}"
                )
            return request.text
        if not found:
            raise BadInput(f"{self._folder.path} has no feature that is a {noun}; its features are {self._known()}")
        if len(found) > 1:
            flag = "name one with --text" if kind == "text" else "leave all but one out with --exclude"
            raise BadInput(f"{self._folder.path} has {len(found)} features that are a {noun}, {listed(found)}; {flag}")
        return found[0]

    def inputs(self) -> list[str]:
        """The features of a table that a model may look at, in their order."""
        if self._request.text is not None:
            raise BadInput("--text is for tasks that learn from text; this one learns from the columns of a table")
        single = [name for name, kind in self._kinds.items() if kind in ("number", "category", "text")]
        inputs = [name for name in single if name not in (self.target, self.id, self.time, *self._request.exclude)]
        if not inputs:
            raise BadInput(f"{self._folder.path} has no number, label or text besides the target to learn from")
        return [name for name in inputs if name not in self.sensitive]

    def notes(self, kind: Kind | None, large: str | None) -> Iterator[str]:
        if self._request.target is None:
            yield f"the target is {shown(self.target)}, as the set says; --target names another"
        used = {*self.apart, *self.sensitive, large}
        ignored = [
            name
            for name, each in self._kinds.items()
            if name not in used and (kind is not None or each not in ("number", "category", "text"))
        ]
        if ignored:
            yield f"{count(len(ignored), 'feature')} of the records ignored: {listed(ignored)}"


def _kind(feature: Any) -> Kind | None:
    """What a TFDS feature is here; None for one that is not read."""
    import tensorflow_datasets as tfds

    shape = tuple(feature.shape) if feature.shape is not None else (None, None)
    if isinstance(feature, tfds.features.ClassLabel):
        return "category"
    if isinstance(feature, tfds.features.Text):
        return "text"
    if isinstance(feature, tfds.features.Audio):
        return "wave" if len(shape) == 1 else None
    if isinstance(feature, tfds.features.Image):
        return "image" if shape[-1] in (1, 3) and feature.np_dtype == np.uint8 else None
    if type(feature) not in (tfds.features.Tensor, tfds.features.Scalar) or feature._encoded_to_bytes:
        return None
    if len(shape) == 3 and None not in shape and shape[-1] in (1, 3) and feature.np_dtype == np.uint8:
        return "image"
    if shape:
        return None
    return "number" if np.dtype(feature.np_dtype).kind in "fiub" else "text"


def _splits(folder: ShardFolder) -> tuple[list[Any], NDArray[Any] | None, list[str]]:
    """The files of each split that is read, which split each row is of, and notes."""
    known = {name: files for name, files in folder.splits.items() if name in tfds_rows.SPLITS} or dict(folder.splits)
    notes = []
    if others := [name for name in folder.splits if name not in known]:
        notes.append(f"{count(len(others), 'split')} besides train, validation and test ignored: {listed(others)}")
    lengths = {name: sum(records for _, records in files) for name, files in known.items()}
    if len(known) == 1:
        return list(known.values()), None, notes
    if not any(tfds_rows.SPLITS.get(name) == "train" for name in known):
        notes.append(f"it holds {', '.join(known)} only, so its rows are split anew")
        return list(known.values()), None, notes
    return list(known.values()), tfds_rows.official_splits(lengths), notes


def _column(found: Scanned, decode: Decoder) -> Any:
    """All values in memory if they are few, else a column that is read on demand."""
    rows = np.arange(len(found.records), dtype=np.int64)
    stored = Stored(found.records, decode, rows, found.fingerprints)
    decoded = found.large_bytes if stored.dtype == object else len(stored) * stored.row_bytes
    if decoded <= KEPT_BYTES:
        return stored[:]
    return_large_blocks()
    return stored


def _plain(feature: Any, raw: NDArray[Any]) -> NDArray[Any]:
    """(n,) names of classes or words as object str with None where missing, or float64."""
    import tensorflow_datasets as tfds

    if isinstance(feature, tfds.features.ClassLabel):
        names = np.array([*feature.names, None], dtype=object)
        labels: NDArray[Any] = names[np.where((raw >= 0) & (raw < len(feature.names)), raw, -1)]
        return labels
    return tfds_rows.words(raw, missing=True) if raw.dtype == object else raw.astype(np.float64)


def _complete(folder: ShardFolder, values: Mapping[str, NDArray[Any]], name: str, flag: str) -> NDArray[Any]:
    """A feature that every row needs."""
    found = values[name]
    absent = missing(found)
    if found.dtype != object:
        absent = absent | np.isinf(found)
    if rows := [int(row) + 1 for row in np.flatnonzero(absent)]:
        raise BadInput(
            f"{folder.path}: feature {name!r} ({flag}) is missing or infinite in {count(len(rows), 'row')} (counted "
            f"from 1: {numbered(rows)}); prepare the set again without {'it' if len(rows) == 1 else 'them'}"
        )
    return found


def _moments(folder: ShardFolder, values: Mapping[str, NDArray[Any]], name: str) -> NDArray[np.float64]:
    """(n,) float64 that sorts: numbers as they are, ISO dates as seconds since 1970."""
    found = _complete(folder, values, name, "--time")
    if found.dtype != object:
        return found.astype(np.float64)
    moments = [moment(cell) for cell in found]
    if None in moments:
        cell = found[moments.index(None)]
        raise BadInput(f"{folder.path}: {name!r} (--time) holds {shown(cell)}; write a number or a date as 2024-01-31")
    return np.array(moments, np.float64)


def _names_rows(name: str, values: NDArray[Any]) -> str:
    """A note where words nearly all differ, as names of files do."""
    if values.dtype != object or len(values) < UNIQUE_ROWS:
        return ""
    distinct = len({value for value in values if value is not None})
    if distinct < UNIQUE_SHARE * len(values):
        return ""
    return f"feature {shown(name)} is left out: {distinct:,} of its {len(values):,} values differ, as names do"
