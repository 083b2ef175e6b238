"""Reading a user's own pictures: a MedMNIST-layout `.npz`, or a folder of PNG and JPEG files by class."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import Examples
from pipelines.data.listing import Listing, read_listing
from pipelines.data.paths import LABELS, existing, files_under
from pipelines.data.shards import own as shards
from pipelines.data.shards.decoders import Pictures
from pipelines.data.shards.folder import is_prepared
from pipelines.data.unlabelled import Unlabelled, files_to_predict
from pipelines.data.wording import count, listed
from pipelines.errors import BadInput
from pipelines.task import Beside, DataRequest, Dataset

SUFFIXES = (".png", ".jpg", ".jpeg")
SPLITS = {"train": "train", "val": "valid", "valid": "valid", "test": "test"}
"""How the parts of an `.npz`, or the folders above the classes, name the splits."""

MOST_BYTES = 4 << 30
"""An `.npz` that unpacks to more than this is refused before it fills the memory."""

MOST_PIXELS = 100_000_000
"""A picture of more pixels is refused before it is decoded."""


@dataclass(frozen=True)
class OwnImages:
    """A user's pictures as a source.

    Args:
        size: height and width in pixels that the pictures of a folder are resized to, by area-weighted bilinear
            interpolation; the proportions are not kept. An `.npz` keeps its own size.
        channels: 1 for grey (ITU-R 601 luma), 3 for RGB, 0 for what the pictures are.
    """

    size: int = 32
    channels: Literal[0, 1, 3] = 1

    def load(self, request: DataRequest) -> Dataset:
        """Read the pictures into column `image`, (n, height, width, channels) uint8.

        An `.npz` holds `train_images` (n, h, w) or (n, h, w, 3) uint8 and `train_labels` (n,) or (n, 1), and the same
        for `val` and `test`, any of them; the official split is kept where there are training rows. A folder holds
        `CLASS/file.png`, or `train/CLASS/file.png` and so on for an official split, or a `labels.csv` with columns
        path, label and, if known, patient and attributes such as sex. A folder of TFDS shards holds one feature that
        is a picture; more of them than fit in memory are read as they are needed.

        Raises:
            BadInput: a file is damaged or of another layout; the message names it.
        """
        path = existing(request.where)
        if is_prepared(path):
            return shards.load(
                request, "image", lambda name, feature: Pictures(name, feature, self.size, self.channels, in_channels)
            )
        if path.is_dir():
            return self._folder(path, request)
        for flag, value in (("--id", request.id), ("--time", request.time), ("--sensitive", request.sensitive)):
            if value:
                raise BadInput(f"{flag} needs a folder of pictures with a {LABELS}; {path} is a single file")
        if path.suffix.lower() != ".npz":
            raise BadInput(f"{path} is not an .npz file or a folder of {', '.join(SUFFIXES)} files by class")
        return self._npz(path, request)

    def unlabelled(self, where: str, shapes: Mapping[str, tuple[int, ...]]) -> Unlabelled:
        """Pictures to predict: one file, all files under a folder in the order of their names, or an `.npz`.

        Args:
            shapes: column -> shape of one value that the model takes; pictures of files are made to fit.

        Raises:
            BadInput: a file is damaged, there is none, or an `.npz` holds pictures of another shape.
        """
        path = existing(where)
        shape = shapes.get("image", (self.size, self.size, self.channels))
        if path.suffix.lower() == ".npz" and not path.is_dir():
            arrays = {name: array for name, array in _read_npz(path).items() if name.endswith("_images")}
            pictures = [self._pictures(path, name, array) for name, array in arrays.items()]
            if wrong := [picture.shape[1:] for picture in pictures if picture.shape[1:] != tuple(shape)]:
                raise BadInput(f"{path} holds pictures of {wrong[0]}; the model was trained on {tuple(shape)}")
            if not pictures:
                raise BadInput(f"{path} has no train_images, val_images or test_images")
            return Unlabelled({"image": np.concatenate(pictures)}, ())
        files, notes = files_to_predict(path, SUFFIXES)
        fitting = replace(self, size=shape[0], channels=cast(Literal[0, 1, 3], shape[-1]))
        pixels, _, changed = fitting._decoded(files)
        return Unlabelled({"image": pixels}, tuple(map(str, files)), (*notes, *changed))

    def _decoded(self, files: Sequence[Path]) -> tuple[NDArray[np.uint8], list[Beside], list[str]]:
        """(n, size, size, channels) pixels of the files, what their headers say, and what was done to them."""
        mode = "RGB" if self.channels == 3 else "L" if self.channels else ""
        shown = [_picture(path, self.size, mode) for path in files]
        channels = max(picture.pixels.shape[-1] for picture in shown)
        pixels = np.stack([np.broadcast_to(p.pixels, (*p.pixels.shape[:2], channels)) for p in shown])
        notes = []
        if resized := sum(picture.resized for picture in shown):
            notes.append(f"{count(resized, 'picture')} resized to {self.size} x {self.size} pixels")
        if squashed := sum(picture.squashed for picture in shown):
            notes.append(f"{count(squashed, 'picture')} not square; the proportions changed")
        keys = dict.fromkeys(key for picture in shown for key in picture.header)
        headers = [Beside("header", key, [p.header[key] for p in shown if key in p.header]) for key in keys]
        return pixels, headers, notes

    def _npz(self, path: Path, request: DataRequest) -> Dataset:
        arrays = _read_npz(path)
        parts = [part for part in ("train", "val", "valid", "test") if f"{part}_images" in arrays]
        if not parts:
            raise BadInput(f"{path} has no train_images, val_images or test_images; it holds {listed(arrays)}")
        pictures = [self._pictures(path, f"{part}_images", arrays[f"{part}_images"]) for part in parts]
        shapes = {picture.shape[1:] for picture in pictures}
        if len(shapes) > 1:
            raise BadInput(f"{path}: the pictures differ in shape between {', '.join(parts)}: {sorted(shapes)}")
        labels = [_labels(path, part, arrays, len(picture)) for part, picture in zip(parts, pictures, strict=True)]
        official = np.repeat([SPLITS[part] for part in parts], [len(picture) for picture in pictures])
        notes = []
        if pictures[0].shape[-1] != _channels_of(arrays[f"{parts[0]}_images"]):
            notes.append(f"the pictures were turned into {'grey' if self.channels == 1 else 'RGB'}")
        whole = "train" not in parts or len(parts) == 1
        if whole:
            notes.append(f"it holds {', '.join(parts)} only, so its rows are split anew")
        target = np.concatenate(labels)
        examples = Examples(columns={"image": np.concatenate(pictures)}, target=target, kinds={"image": "image"})
        kept = None if whole else official
        return Dataset(examples, str(path), False, "label", kept, tuple(notes), request.positive)

    def _pictures(self, path: Path, name: str, array: NDArray[Any]) -> NDArray[np.uint8]:
        if array.dtype != np.uint8:
            raise BadInput(f"{path}: {name} holds {array.dtype}; expected uint8, grey levels from 0 to 255")
        if array.ndim == 3:
            array = array[..., np.newaxis]
        if array.ndim != 4 or array.shape[-1] not in (1, 3) or 0 in array.shape[1:]:
            raise BadInput(f"{path}: {name} has shape {array.shape}; expected (n, h, w) or (n, h, w, 3)")
        return in_channels(array, self.channels)

    def _folder(self, folder: Path, request: DataRequest) -> Dataset:
        found, others = files_under(folder, SUFFIXES)
        if (folder / LABELS).is_file():
            listing = read_listing(folder, request, ("label", "class", "target"), ("patient", "id"), SUFFIXES)
            left = len(set(found) - set(listing.files))
            notes = [f"{count(left, 'picture')} not named in {LABELS} ignored"] if left else []
        else:
            listing, notes = _by_class(folder, found, request), []
        if others:
            notes.append(f"{count(len(others), 'file')} that are not {', '.join(SUFFIXES)} ignored")
        pixels, headers, changed = self._decoded(listing.files)
        notes += changed
        examples = Examples(
            columns={"image": pixels},
            kinds={"image": "image"},
            target=listing.target,
            groups=listing.groups,
            ids=listing.ids,
            time=listing.time,
        )
        notes = [*listing.notes, *notes]
        return Dataset(
            examples, str(folder), False, listing.target_name, listing.official, tuple(notes), request.positive,
            beside=(*listing.beside(folder), *headers),
        )  # fmt: skip


def in_channels(pictures: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """(n, h, w, 1 or 3) -> (n, h, w, channels): grey by ITU-R 601 luma, RGB by repeating grey; 0 keeps what it is."""
    if channels in (0, pictures.shape[-1]):
        return pictures
    if channels == 3:
        return np.repeat(pictures, 3, axis=-1)
    luma = np.empty((*pictures.shape[:-1], 1), np.uint8)
    for row, picture in enumerate(pictures):  # one by one: as floats all of them would take 24 times the memory
        luma[row] = np.rint(picture @ np.array([[0.299], [0.587], [0.114]]))
    return luma


@dataclass(frozen=True)
class _Picture:
    pixels: NDArray[np.uint8]
    resized: bool
    squashed: bool
    header: Mapping[str, str]


def _picture(path: Path, size: int, mode: str) -> _Picture:
    """One decoded picture, (size, size, 1 or 3), turned upright as its EXIF data says."""
    from PIL import Image, ImageOps

    try:
        with Image.open(path, formats=("PNG", "JPEG")) as file:
            if file.width * file.height > MOST_PIXELS:
                raise BadInput(f"{path} has {file.width} x {file.height} pixels; at most {MOST_PIXELS:,} are read")
            header = _header(file)
            upright = ImageOps.exif_transpose(_eight_bit(file))
            before = upright.size
            grey = upright.mode in ("1", "L", "LA")
            picture = upright.convert(mode or ("L" if grey else "RGB"))
            if before != (size, size):
                picture = picture.resize((size, size), Image.Resampling.BILINEAR)
            pixels = np.asarray(picture, dtype=np.uint8)
    except BadInput:
        raise
    except Exception as error:  # Pillow's decoders raise almost anything on damaged bytes
        raise BadInput(f"{path} is a damaged picture, or no PNG or JPEG; export it again or remove it") from error
    return _Picture(pixels.reshape(size, size, -1), before != (size, size), before[0] != before[1], header)


def _header(file: Any) -> dict[str, str]:
    """What is written beside the pixels: texts of a PNG, the comment of a JPEG, and EXIF, each by its name."""
    from PIL import ExifTags

    exif = file.getexif()
    tags = {**exif, **exif.get_ifd(ExifTags.IFD.Exif)}
    # What a PNG has behind its pixels is read when `text` is asked for.
    told = {**file.info, **getattr(file, "text", {}), **{ExifTags.TAGS.get(tag, str(tag)): tags[tag] for tag in tags}}
    told = {key: value for key, value in told.items() if key not in ("exif", "icc_profile")}
    return {str(key): _text(str(key), value) for key, value in told.items() if isinstance(value, str | bytes)}


def _text(key: str, value: str | bytes) -> str:
    if isinstance(value, str):
        return value
    if key.startswith("XP"):  # as Windows writes it
        return value.decode("utf-16-le", "replace").rstrip("\0")
    return value.decode("utf-8", "replace")


def _eight_bit(file: Any) -> Any:
    """A picture of 16 bits a pixel scaled to 8, which Pillow's own conversion would clip at 255."""
    from PIL import Image

    if not file.mode.startswith("I"):
        return file
    return Image.fromarray((np.asarray(file).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8))


def _by_class(folder: Path, found: list[Path], request: DataRequest) -> Listing:
    for flag, value in (
        ("--target", request.target),
        ("--id", request.id),
        ("--time", request.time),
        ("--sensitive", request.sensitive),
    ):
        if value:
            raise BadInput(f"{flag} needs a {LABELS} in {folder} with columns path, label and what the flag names")
    parts = [path.relative_to(folder).parts for path in found]
    if not found:
        raise BadInput(f"{folder} holds no {', '.join(SUFFIXES)} file; expected {folder}/CLASS/picture.png")
    split_first = {part[0] for part in parts} <= SPLITS.keys() and all(len(part) > 2 for part in parts)
    level = 1 if split_first else 0
    if loose := [path for path, part in zip(found, parts, strict=True) if len(part) <= level + 1]:
        raise BadInput(
            f"{loose[0]} lies in no class folder; "
            f"expected {folder}/CLASS/picture.png, or a {LABELS} with path and label"
        )
    target = np.array([part[level] for part in parts], dtype=object)
    splits = np.array([SPLITS[part[0]] for part in parts]) if split_first else None
    official = splits if splits is not None and "train" in splits and len(set(splits)) > 1 else None
    return Listing(found, target, "label", official=official)


def _read_npz(path: Path) -> dict[str, NDArray[Any]]:
    damaged = f"{path} is a damaged .npz file"
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MOST_BYTES:
            raise BadInput(f"{path} unpacks to {size / 2**30:.1f} GiB; at most {MOST_BYTES >> 30} GiB are read")
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except BadInput:
        raise
    except PermissionError as error:
        raise BadInput(f"{path} cannot be read: you have no permission to read it") from error
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
    return labels.astype(str).astype(object)


def _channels_of(array: NDArray[Any]) -> int:
    return 1 if array.ndim == 3 else int(array.shape[-1])
