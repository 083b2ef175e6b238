"""Pictures of TFDS's public sets: made to one size, in memory where they fit, else read from the prepared files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.data import tfds_rows
from pipelines.data.pictures.sizes import in_channels
from pipelines.data.shards.decoders import Pictures, resized
from pipelines.data.shards.folder import open_folder
from pipelines.data.shards.frugal import return_large_blocks
from pipelines.data.shards.scan import Scanned, scan
from pipelines.data.shards.stored import Stored

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEPT_BYTES = 256 << 20
"""Decoded pictures of at most so many bytes are read into memory once."""

ROWS_AT_ONCE = 256


def is_large(builder: Any, splits: Sequence[str], shape: tuple[int, ...]) -> bool:
    """Whether the splits' pictures of this shape do not fit in memory."""
    rows = sum(builder.info.splits[split].num_examples for split in splits if split in builder.info.splits)
    return bool(rows * int(np.prod(shape)) > KEPT_BYTES)


def whole_split(builder: Any, split: str, image: str, size: int, channels: int) -> dict[str, NDArray[Any]]:
    """All rows of a split (or of a slice of it) by feature, pictures resized one by one before they are kept.

    Args:
        size: pixels of each side; 0 keeps what they have.
        channels: of each picture; 0 keeps what it has.
    """
    import tensorflow_datasets as tfds

    def one(row: dict[str, Any]) -> dict[str, Any]:
        return {**row, image: resized(row[image], size) if size else row[image]}

    rows = builder.as_dataset(split=split, shuffle_files=False).map(one).batch(ROWS_AT_ONCE)
    found = tfds_rows.joined(tfds.as_numpy(rows))
    return {**found, image: in_channels(found[image], channels)}


def scanned(
    builder: Any, splits: Sequence[str], small: Sequence[str], image: str, size: int, channels: int
) -> tuple[Scanned, Stored, dict[str, int]]:
    """The small features of all rows, the pictures as a column on demand, and the rows of each split, in their order.

    Raises:
        BadInput: a file is damaged or missing; the message names it.
    """
    folder = open_folder(builder.data_path)
    lengths = {split: sum(records for _, records in folder.splits[split]) for split in splits}
    files = [each for split in splits for each in folder.splits[split]]
    found = scan(files, {name: folder.features[name] for name in small}, image)
    decode = Pictures(image, folder.features[image], size, channels, in_channels, keep=not size)
    return_large_blocks()
    return found, Stored(found.records, decode, np.arange(len(found.records)), found.fingerprints), lengths
