"""PublicSet: a set of the TFDS catalogue, downloaded and prepared by TFDS, as Examples."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pipelines.data import public_pictures, tfds_rows
from pipelines.data.examples import Examples, Kind
from pipelines.data.waves import fit_length, resample
from pipelines.errors import BadInput
from pipelines.task import DataRequest, Dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE = 8000
"""Samples a second of every wave, whatever the rate of the recording."""

RETRIES = 5
"""How often a download is tried again: 6 s of waiting. TFDS tries ten times, which is 204 s without a network."""


@dataclass(frozen=True)
class PublicSet:
    """A Source that reads a set of the TFDS catalogue; its features become columns `image`, `wave`, `text` or numbers.

    Args:
        name: the set's name in TFDS, with its configuration where it has several.
        target: the feature to predict; a ClassLabel gives its names, a number stays one.
        positive: the label that counts as positive, or None.
        numbers: features that are single numbers, each a column of its name.
        vector: a feature that is a vector of numbers, and
        entries: the column name of each of its entries, in order.
        categories: ClassLabel or Text features, each a column of its name.
        groups: ClassLabel or Text features that are only for measuring bias.
        text, image, wave: the feature that becomes the column of that name.
        size: height and width in pixels that pictures are resized to; 0 keeps those of a set whose pictures have one.
        channels: 1 makes grey pictures of RGB ones, 3 the reverse; 0 keeps what they are.
        seconds: a wave is padded with zeros at its end, or cut to its loudest stretch, to this length.
        id: the feature that names the patient or speaker, and
        id_pattern: a regular expression whose group 1 is the id in it, for example in a file's name.
        without: labels whose rows are left out.
        renamed: label -> what it is called here; several may become one class.
        splits: which of its splits to read; two or more are the set's official split.
        limit: most rows to read, each split in proportion; None reads all. TFDS stores rows in a random order, so
            the first ones of a split are a fair sample.
    """

    name: str
    target: str = "label"
    positive: str | None = None
    numbers: tuple[str, ...] = ()
    vector: str | None = None
    entries: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    text: str | None = None
    image: str | None = None
    wave: str | None = None
    size: int = 0
    channels: Literal[0, 1, 3] = 0
    seconds: float = 1.0
    id: str | None = None
    id_pattern: str = "(.+)"
    without: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    splits: tuple[str, ...] = ("train",)
    limit: int | None = None

    def __post_init__(self) -> None:
        if (self.vector is None) != (not self.entries):
            raise ValueError(f"{self.name}: a vector needs the names of its entries, and entries need a vector")
        if unknown := sorted(set(self.splits) - set(tfds_rows.SPLITS)):
            raise ValueError(f"{self.name}: split {unknown[0]!r} is not one of {', '.join(tfds_rows.SPLITS)}")

    def load(self, request: DataRequest) -> Dataset:
        """Its rows, in an order that never changes; downloaded first where they are not yet.

        Pictures of more than `public_pictures.KEPT_BYTES` are read from the prepared files when they are needed.

        Raises:
            BadInput: a flag that belongs to --data PATH, a --sensitive attribute that is not there, no network, or
                what TFDS stored is not what it should be.
        """
        tfds_rows.refuse_own_flags(request)
        builder = self._prepared()
        try:
            large = self.image is not None and public_pictures.is_large(builder, self.splits, self._shape(builder))
            rows, lengths = self._on_demand(builder) if large else self._in_memory(builder)
        except BadInput:
            raise
        except Exception as error:
            raise BadInput(
                f"the public set {self.name} in {builder.data_dir} cannot be read ({tfds_rows.first_line(error)}); "
                "delete that folder and it is prepared again"
            ) from error
        examples = self._examples(rows)
        tfds_rows.require_sensitive(request, examples)
        return Dataset(
            examples=examples,
            source=f"public {builder.info.full_name}",
            simulated=False,
            target=self.target,
            official=tfds_rows.official_splits(lengths),
            notes=self._notes(builder, len(examples)),
            positive=self.positive,
        )

    def _prepared(self) -> Any:
        import tensorflow_datasets as tfds

        folder = tfds_rows.data_folder()
        builder = None
        try:
            builder = tfds.builder(self.name, data_dir=folder)
            with tfds_rows.quiet(bars=sys.stderr.isatty()), _few_retries():
                builder.download_and_prepare()
        except Exception as error:  # a download fails as many types: no network, no mirror, a checksum, a package
            by_hand = builder is not None and builder.MANUAL_DOWNLOAD_INSTRUCTIONS and isinstance(error, AssertionError)
            raise BadInput(self._by_hand(folder) if by_hand else self._explain(error, folder)) from error
        return builder

    def _by_hand(self, folder: Any) -> str:
        page = f"https://www.tensorflow.org/datasets/catalog/{self.name.partition('/')[0]}"
        return (
            f"the public set {self.name} has to be downloaded by hand into {folder}/downloads/manual, for its owners "
            f"ask who takes it; {page} says how"
        )

    def _explain(self, error: Exception, folder: Any) -> str:
        if reason := tfds_rows.disk_trouble(error):
            return (
                f"cannot prepare the public set {self.name} in {folder}: {reason}; set TFDS_DATA_DIR to another folder"
            )
        if isinstance(error, ImportError):
            return f"the public set {self.name} needs a package that is missing: {tfds_rows.first_line(error)}"
        reason = f"{type(error).__name__}: {_short(tfds_rows.first_line(error))}"
        return (
            f"the public set {self.name} could not be downloaded and prepared ({reason}); "
            "check the network and try again; --data sample works offline"
        )

    def _in_memory(self, builder: Any) -> tuple[dict[str, Any], dict[str, int]]:
        """All rows, and how many each split has."""
        parts = {split: self._split(builder, split) for split in self.splits}
        return tfds_rows.joined(parts.values()), {split: len(part[self.target]) for split, part in parts.items()}

    def _on_demand(self, builder: Any) -> tuple[dict[str, Any], dict[str, int]]:
        """The same, but for the pictures, of which nothing is kept."""
        assert self.image is not None  # noqa: S101  who asks has made sure
        found, pictures, lengths = public_pictures.scanned(
            builder, self.splits, self._small(), self.image, self.size, self.channels
        )
        rows = {name: self._value(builder, name, values) for name, values in found.small.items()}
        kept: dict[str, NDArray[Any]] = {}
        start = 0
        for split, length in lengths.items():
            most = length if self.limit is None else self._share(builder, split, self.limit)
            places = np.arange(start, start + most)
            kept[split] = places[~np.isin(rows[self.target][places], self.without)]
            start += length
        chosen = np.concatenate(list(kept.values()))
        rows = {name: values[chosen] for name, values in rows.items()}
        return {**rows, "image": pictures.only(chosen)}, {split: len(places) for split, places in kept.items()}

    def _split(self, builder: Any, split: str) -> dict[str, NDArray[Any]]:
        """The decoded features of a split's rows, without those whose label is left out."""
        rows = self._columns(builder, split if self.limit is None else self._slice(builder, split, self.limit))
        if self.without:
            kept = ~np.isin(rows[self.target], self.without)
            rows = {name: values[kept] for name, values in rows.items()}
        return rows

    def _slice(self, builder: Any, split: str, limit: int) -> str:
        return f"{split}[:{self._share(builder, split, limit)}]"

    def _share(self, builder: Any, split: str, limit: int) -> int:
        size = builder.info.splits[split].num_examples
        return int(min(size, math.ceil(size * limit / self._available(builder))))

    def _available(self, builder: Any) -> int:
        return sum(builder.info.splits[split].num_examples for split in self.splits)

    def _columns(self, builder: Any, split: str) -> dict[str, NDArray[Any]]:
        if self.wave:
            stored = self._stored_waves(builder, split)
        elif self.image and (self.size or self.channels):
            stored = public_pictures.whole_split(builder, split, self.image, self.size, self.channels)
        else:
            stored = tfds_rows.whole_split(builder, split)
        rows = {name: self._value(builder, name, stored[name]) for name in self._small()}
        if self.vector:
            rows |= dict(zip(self.entries, stored[self.vector].astype(np.float64).T, strict=True))
        for kind, feature in (("text", self.text), ("image", self.image), ("wave", self.wave)):
            if feature is not None:
                rows[kind] = tfds_rows.words(stored[feature]) if kind == "text" else stored[feature]
        return rows

    def _small(self) -> tuple[str, ...]:
        """The features that are one value a row."""
        ids = () if self.id is None else (self.id,)
        return tuple(dict.fromkeys((self.target, *self.numbers, *self.categories, *self.groups, *ids)))

    def _value(self, builder: Any, name: str, values: NDArray[Any]) -> NDArray[Any]:
        plain = _plain(builder.info.features[name], values)
        if name != self.target or not self.renamed:
            return plain
        return np.array([self.renamed.get(label, label) for label in plain], dtype=object)

    def _shape(self, builder: Any) -> tuple[int, ...]:
        """Of one picture; the size of a set whose pictures differ has to be declared."""
        height, width, stored = builder.info.features[self.image].shape
        size = (self.size, self.size) if self.size else (height, width)
        if None in size:
            raise BadInput(f"the public set {self.name} has pictures of many sizes; its declaration needs a size")
        return (*size, self.channels or stored)

    def _stored_waves(self, builder: Any, split: str) -> dict[str, NDArray[Any]]:
        """Row by row, because recordings differ in length and are shortened before they are kept."""
        import tensorflow_datasets as tfds

        rate = builder.info.features[self.wave].sample_rate
        stored: dict[str, list[Any]] = {}
        for row in tfds.as_numpy(builder.as_dataset(split=split, shuffle_files=False)):
            for name, value in row.items():
                stored.setdefault(name, []).append(self._heard(value, rate) if name == self.wave else value)
        return {name: np.array(values) for name, values in stored.items()}

    def _heard(self, samples: NDArray[Any], rate: int) -> NDArray[np.float32]:
        """(seconds * 8000,) float32 in [-1, 1], as a user's own recordings are resampled, padded and cropped."""
        return fit_length(resample(tfds_rows.full_scale(samples), rate, RATE), round(self.seconds * RATE))

    def _examples(self, rows: Mapping[str, NDArray[Any]]) -> Examples:
        kinds = dict(self._kinds())
        return Examples(
            columns={name: rows[name] for name in kinds},
            target=rows[self.target],
            kinds=kinds,
            groups={name: rows[name] for name in self.groups},
            ids=None if self.id is None else self._ids(rows[self.id]),
        )

    def _kinds(self) -> Iterator[tuple[str, Kind]]:
        yield from ((name, "number") for name in (*self.numbers, *self.entries))
        yield from ((name, "category") for name in self.categories)
        kinds: tuple[Kind, ...] = ("text", "image", "wave")
        yield from ((kind, kind) for kind in kinds if getattr(self, kind) is not None)

    def _ids(self, values: NDArray[Any]) -> NDArray[np.object_]:
        found = [re.search(self.id_pattern, str(value)) for value in values]
        if unmatched := found.count(None):
            row = found.index(None)
            raise BadInput(
                f"the public set {self.name}: {self.id} of row {row + 1} is {_short(str(values[row]))!r} and "
                f"{unmatched - 1} more do not match {self.id_pattern!r}, so no id can be read"
            )
        return np.array([match[1] for match in found if match], dtype=object)

    def _notes(self, builder: Any, rows: int) -> tuple[str, ...]:
        notes = []
        if self.limit is not None and self.limit < self._available(builder):
            notes.append(f"read {self.limit} of {self._available(builder)} rows, of each split its share")
        if self.without:
            notes.append(f"rows labelled {', '.join(self.without)} are left out; {rows} remain")
        return tuple(notes)


@contextmanager
def _few_retries() -> Iterator[None]:
    """TFDS offers no setting for this; its constant is read anew by each download."""
    from tensorflow_datasets.core.download import downloader

    before = downloader.MAX_RETRIES
    downloader.MAX_RETRIES = RETRIES
    try:
        yield
    finally:
        downloader.MAX_RETRIES = before


def _plain(feature: Any, values: NDArray[Any]) -> NDArray[Any]:
    """Names of classes, words, or float64 numbers."""
    import tensorflow_datasets as tfds

    if isinstance(feature, tfds.features.ClassLabel):
        return tfds_rows.label_names(feature, values)
    if values.dtype == object or values.dtype.kind == "S":
        return tfds_rows.words(values, missing=True)
    return values.astype(np.float64)


def _short(text: str, most: int = 160) -> str:
    return text if len(text) <= most else text[:most] + "…"
