"""A folder of shards as TFDS prepares it: what its records hold, and which files are which split."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.data.paths import existing
from pipelines.data.shards.files import ArrayRecordFile, RecordFile, TFRecordFile, brief
from pipelines.data.wording import listed
from pipelines.errors import BadInput

INFO, FEATURES = "dataset_info.json", "features.json"
FORMATS = {"tfrecord": TFRecordFile, "array_record": ArrayRecordFile}
OURS = "tensorflow_datasets."
"""Where the classes that `features.json` names must come from: TFDS imports whatever module stands there."""

DESCRIBE = "tfds.folder_dataset.write_metadata writes both beside shards of tf.train.Example"


@dataclass(frozen=True)
class ShardFolder:
    """A prepared set.

    Args:
        features: name -> TFDS feature, as `features.json` says.
        splits: TFDS's name of a split -> its files with the number of records each must hold.
        target: the feature that the set itself calls its label, or None.
    """

    path: Path
    features: Mapping[str, Any]
    splits: Mapping[str, tuple[tuple[RecordFile, int], ...]]
    target: str | None


def is_prepared(where: str | Path) -> bool:
    """Whether this is a folder with shards in it, or with what TFDS writes beside them, or one above such a folder."""
    try:
        folder = Path(where).expanduser()
        return folder.is_dir() and ((folder / INFO).exists() or any(_shards(folder)) or bool(_below(folder)))
    except (OSError, ValueError):
        return False


def open_folder(where: str | Path) -> ShardFolder:
    """What the folder says of itself; no record is read.

    Raises:
        BadInput: a description or a shard is missing, or it is of a kind that is not read; the message says which.
    """
    folder = existing(where)
    if not (folder / INFO).is_file() and (below := _below(folder)):
        raise BadInput(f"{folder} is not a prepared set itself, but {listed(below, 5)} in it is; give that to --data")
    for name in (INFO, FEATURES):
        if not (folder / name).is_file():
            found = next(_shards(folder), None)
            shards = f"shards such as {found.name}" if found else f"a {INFO}"
            raise BadInput(
                f"{folder} has {shards} but no {name}, which says what the records hold; copy it too, or write it: "
                f"{DESCRIBE}"
            )
    _require_known(folder / FEATURES)
    builder = _builder(folder)
    suffix = builder.info.file_format.file_suffix if builder.info.file_format else "tfrecord"
    if suffix not in FORMATS:
        raise BadInput(f"{folder} holds {suffix} files; prepare the set again with file_format {listed(FORMATS)}")
    splits = {name: tuple(_files(split, FORMATS[suffix])) for name, split in builder.info.splits.items()}
    splits = {name: files for name, files in splits.items() if files}
    if not splits:
        raise BadInput(f"{folder / INFO} names no shard, so there are no rows; prepare the set again")
    keys = builder.info.supervised_keys
    target = keys[1] if keys and isinstance(keys[1], str) else None
    features = dict(sorted(builder.info.features.items()))  # TFDS gives them in an order of the process
    for name, feature in features.items():
        _require_distinct(folder, name, getattr(feature, "names", None) or ())
    return ShardFolder(folder, features, splits, target)


def _require_distinct(folder: Path, name: str, labels: Sequence[str]) -> None:
    """Two labels of one name would become one class."""
    if twice := next((label for place, label in enumerate(labels) if label in labels[:place]), None):
        raise BadInput(f"{folder}: the feature {name!r} has two labels of the name {twice!r}; rename one of them")


def _shards(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if any(f".{suffix}" in path.name for suffix in FORMATS))


def _below(folder: Path) -> list[str]:
    """The prepared sets in it: TFDS keeps each in NAME/VERSION or NAME/CONFIGURATION/VERSION."""
    found = [*folder.glob(f"*/{INFO}"), *folder.glob(f"*/*/{INFO}")]
    return sorted(str(path.parent.relative_to(folder)) for path in found)


def _require_known(path: Path) -> None:
    try:
        classes = list(_class_names(json.loads(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} is damaged ({brief(error)}); copy it again, or write it: {DESCRIBE}") from error
    if strange := [name for name in classes if not name.startswith(OURS)]:
        raise BadInput(f"{path} names a feature of another package, {strange[0]!r}; only TFDS's own are read")


def _class_names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (str(name) for key, name in value.items() if key in ("pythonClassName", "type") and "." in str(name))
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _class_names(each)


def _builder(folder: Path) -> Any:
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder_from_directory(folder)
    except Exception as error:  # what is wrong with a description shows as one of many types
        raise BadInput(
            f"{folder / INFO} and {FEATURES} cannot be read ({brief(error)}); copy them again, or write them: "
            f"{DESCRIBE}"
        ) from error
    if not isinstance(builder.info.features, tfds.features.FeaturesDict):
        raise BadInput(f"{folder / FEATURES} describes no features by name; a FeaturesDict is needed")
    return builder


def _files(split: Any, kind: Any) -> Iterator[tuple[RecordFile, int]]:
    """The files of a split that hold records."""
    if not split.num_examples:
        return
    for file, records in zip(split.filepaths, split.shard_lengths, strict=True):
        path = Path(file)
        if not path.is_file():
            raise BadInput(f"the shard {path} is missing, though {INFO} names it; copy it, or prepare the set again")
        size = path.stat().st_size
        if not 0 <= records <= size:  # a record takes more than a byte
            raise BadInput(
                f"{path.parent / INFO} says that the shard {path.name} of {size:,} bytes holds {records:,} records; "
                "copy both again, or prepare the set again"
            )
        if records:
            yield kind(path), int(records)
