"""The layout of MedMNIST: one `.npz` with pictures and labels of each split."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.cells import MISSING
from pipelines.data.examples import Examples
from pipelines.data.pictures.sizes import in_channels
from pipelines.data.wording import listed, shown
from pipelines.errors import BadInput
from pipelines.task import DataRequest, Dataset

SPLITS = {"train": "train", "val": "valid", "valid": "valid", "test": "test"}
"""How the parts of an `.npz`, or the folders above the classes, name the splits."""

MOST_BYTES = 4 << 30
"""An `.npz` that unpacks to more than this is refused before it fills the memory."""


def load(path: Path, request: DataRequest, channels: int, volumes: bool = False) -> Dataset:
    """Pictures (n, h, w[, 1 or 3]), or volumes (n, d, h, w[, 1 or 3]) where they may be, with their labels.

    Raises:
        BadInput: it is damaged or of another layout.
    """
    arrays = read(path)
    parts = [part for part in ("train", "val", "valid", "test") if f"{part}_images" in arrays]
    if not parts:
        raise BadInput(f"{path} has no train_images, val_images or test_images; it holds {listed(arrays)}")
    shown = [pictures(path, f"{part}_images", arrays[f"{part}_images"], channels, volumes) for part in parts]
    shapes = {picture.shape[1:] for picture in shown}
    if len(shapes) > 1:
        raise BadInput(f"{path}: the pictures differ in shape between {', '.join(parts)}: {sorted(shapes)}")
    labels = [_labels(path, part, arrays, len(picture)) for part, picture in zip(parts, shown, strict=True)]
    official = np.repeat([SPLITS[part] for part in parts], [len(picture) for picture in shown])
    notes = []
    first = arrays[f"{parts[0]}_images"]
    if shown[0].shape[-1] != (1 if first.ndim < shown[0].ndim else first.shape[-1]):
        notes.append(f"the pictures were turned into {'grey' if channels == 1 else 'RGB'}")
    whole = "train" not in parts or len(parts) == 1
    if whole:
        notes.append(f"it holds {', '.join(parts)} only, so its rows are split anew")
    if len({each.dtype for each in labels}) > 1:
        raise BadInput(f"{path}: labels are numbers in some of {', '.join(parts)}, and words in others")
    target = np.concatenate(labels)
    examples = Examples(columns={"image": np.concatenate(shown)}, target=target, kinds={"image": "image"})
    kept = None if whole else official
    return Dataset(examples, str(path), False, "label", kept, tuple(notes), request.positive)


def pictures(path: Path, name: str, array: NDArray[Any], channels: int, volumes: bool = False) -> NDArray[np.uint8]:
    """(n, h, w, c) of one array, or (n, d, h, w, c) where it may hold volumes and does.

    A fourth axis of 1 or 3 is taken for colours, not for the width of volumes.

    Raises:
        BadInput: it has another shape or type.
    """
    if array.dtype != np.uint8:
        raise BadInput(f"{path}: {name} holds {array.dtype}; expected uint8, grey levels from 0 to 255")
    coloured = array.ndim > 3 and array.shape[-1] in (1, 3)
    found = array if coloured else array[..., np.newaxis]
    if found.ndim in ((4, 5) if volumes else (4,)) and 0 not in found.shape[1:]:
        return in_channels(found, channels)
    shapes = "(n, h, w) or (n, h, w, 3)" + (", of volumes (n, d, h, w) or (n, d, h, w, 3)" if volumes else "")
    refused = array.ndim in (4, 5) and not volumes
    hint = "; these are volumes, and this task learns from pictures of two dimensions" if refused else ""
    raise BadInput(f"{path}: {name} has shape {array.shape}; expected {shapes}{hint}")


def read(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of the file, by their names.

    Raises:
        BadInput: it is damaged, too large, or holds Python objects.
    """
    damaged = f"{path} is a damaged .npz file"
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MOST_BYTES:
            raise BadInput(f"{path} unpacks to {size / 2**30:.1f} GiB; at most {MOST_BYTES >> 30} GiB are read")
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
        if foreign := [name for name, array in found.items() if not isinstance(array, np.ndarray)]:
            raise BadInput(f"{damaged} ({shown(foreign[0])} is no array); write it again with numpy.savez_compressed")
        return found
    except BadInput:
        raise
    except PermissionError as error:
        raise BadInput(f"{path} cannot be read: you have no permission to read it") from error
    except MemoryError as error:
        raise BadInput(f"{damaged} (an array says that it is larger than the memory); write it again") from error
    except ValueError as error:
        why = "it holds Python objects, which are not read" if "allow_pickle" in str(error) else "an array is cut short"
        raise BadInput(f"{damaged} ({why}); write plain arrays with numpy.savez_compressed") from error
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, KeyError, SyntaxError, NotImplementedError) as error:
        raise BadInput(f"{damaged}, or no .npz at all; download or write it again") from error


def _labels(path: Path, part: str, arrays: dict[str, NDArray[Any]], rows: int) -> NDArray[Any]:
    name = f"{part}_labels"
    if name not in arrays:
        raise BadInput(f"{path} has {part}_images but no {name}; it holds {listed(arrays)}")
    labels = arrays[name]
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise BadInput(f"{path}: {name} has shape {labels.shape}; expected one label for each picture: (n,) or (n, 1)")
    if len(labels) != rows:
        raise BadInput(f"{path}: {name} has {len(labels)} labels for {rows} pictures")
    if labels.dtype.kind in "biuf":
        numbers = labels.astype(np.float64)
        if not np.isfinite(numbers).all():
            raise BadInput(f"{path}: {name} has a label that is missing or infinite")
        return numbers
    words = labels.astype(str).astype(object) if labels.dtype.kind in "SU" else None
    if words is None:
        raise BadInput(f"{path}: {name} holds {labels.dtype}; expected numbers or words")
    if missing := [row for row, word in enumerate(words) if word.strip() in MISSING]:
        raise BadInput(f"{path}: {name} has no label in row {missing[0]}")
    return words
