"""Reading a user's own pictures: an `.npz` in MedMNIST's layout, or a folder of PNG, JPEG, DICOM or NIfTI files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import numpy as np

from pipelines.data.paths import LABELS, existing
from pipelines.data.pictures import folder, npz, odd
from pipelines.data.pictures.files import kind_of, read_all
from pipelines.data.pictures.series import gathered
from pipelines.data.pictures.sizes import in_channels
from pipelines.data.pictures.wanted import Wanted
from pipelines.data.shards import own as shards
from pipelines.data.shards.decoders import Pictures
from pipelines.data.shards.folder import is_prepared
from pipelines.data.unlabelled import Unlabelled
from pipelines.data.wording import count
from pipelines.errors import BadInput
from pipelines.task import DataRequest, Dataset

WHY_IDS = "a model tested on a person that it has learned from looks better than it is"


@dataclass(frozen=True)
class OwnImages:
    """A user's pictures as a source.

    Args:
        size: height and width in pixels that the pictures of a folder are resized to, by area-weighted bilinear
            interpolation; the proportions are not kept. An `.npz` keeps its own size.
        channels: 1 for grey (ITU-R 601 luma), 3 for RGB, 0 for what the pictures are.
        volumes: pixels of each side that volumes are resized to, one row each, where a folder holds some; an `.npz` of
            volumes keeps its own size. 0 takes pictures alone, and slices of volumes.
        ids_required: whether data are refused that do not say whose each picture is.
    """

    size: int = 32
    channels: Literal[0, 1, 3] = 1
    volumes: int = 0
    ids_required: bool = False

    def load(self, request: DataRequest) -> Dataset:
        """Read the pictures into column `image`, (n, height, width, channels) uint8, volumes (n, depth, ...).

        An `.npz` holds `train_images` (n, h, w) or (n, h, w, 3) uint8 and `train_labels` (n,) or (n, 1), and the same
        for `val` and `test`, any of them; the official split is kept where there are training rows. Volumes have a
        depth before the height.

        A folder holds `CLASS/file.png`, or `train/CLASS/file.png` and so on for an official split, or a `labels.csv`
        with columns path, label and, if known, patient and attributes such as sex. DICOM files may say all that
        themselves: patients are their PatientID, groups PatientSex and PatientAge, and `--target`, `--id` and
        `--sensitive` name further elements of the header. Each frame of a file of several is a row, and so are up to 16
        slices of a NIfTI volume; with `volumes` such a file is one row, and so is each folder of DICOM slices that a
        `labels.csv` names in place of its files. A file that cannot be used is told by name and left out, or refused
        with `--strict` or where half of them are so.

        A folder of TFDS shards holds one feature that is a picture. More pictures than fit in memory are read as they
        are needed.

        Raises:
            BadInput: the data are damaged or of another layout; the message names the file.
        """
        path = existing(request.where)
        if is_prepared(path):
            found = shards.load(
                request, "image", lambda name, feature: Pictures(name, feature, self.size, self.channels, in_channels)
            )
            if self.ids_required and found.examples.ids is None:
                raise BadInput(f"{path}: name the feature that says whose each picture is with --id; {WHY_IDS}")
            return found
        if path.is_dir():
            volumes = Wanted(self.volumes, self.channels, 3) if self.volumes else None
            return folder.load(path, request, Wanted(self.size, self.channels), volumes, self.ids_required)
        for flag, value in (
            ("--target", request.target),
            ("--id", request.id),
            ("--time", request.time),
            ("--sensitive", request.sensitive),
            ("--exclude", request.exclude),
            ("--text", request.text),
        ):
            if value:
                raise BadInput(f"{flag} needs a folder of pictures with a {LABELS}; {path} is a single file")
        if path.suffix.lower() != ".npz":
            raise BadInput(f"{path} is not an .npz file or a folder of {folder.KINDS} files by class")
        if self.ids_required:
            raise BadInput(
                f"{path} does not say whose each picture is: {WHY_IDS}. Give a folder of pictures with a {LABELS} that "
                "has columns path, label and patient"
            )
        return npz.load(path, request, self.channels, bool(self.volumes))

    def unlabelled(self, where: str, shapes: Mapping[str, tuple[int, ...]]) -> Unlabelled:
        """Pictures to predict: one file, all files under a folder in the order of their names, or an `.npz`.

        Args:
            shapes: column -> shape of one value that the model takes; pictures of files are made to fit.

        Raises:
            BadInput: half of the files are damaged, there is none, or an `.npz` holds pictures of another shape.
        """
        path = existing(where)
        shape = shapes["image"]
        channels, dimensions = cast(Literal[0, 1, 3], shape[-1]), cast(Literal[2, 3], len(shape) - 1)
        if path.suffix.lower() == ".npz" and not path.is_dir():
            return _of_npz(path, shape)
        wanted = Wanted(shape[0], channels, dimensions)
        files, others = _files_to_predict(path)
        files = gathered(files) if dimensions == 3 else files
        found = read_all(files, wanted)
        odd.require_few(found.odd, len(files), strict=False)
        notes = [f"{count(others, 'file')} of other kinds ignored"] if others else []
        names = [
            str(each.path) if each.rows == 1 else f"{each.path} {row + 1}"
            for each in found.known
            for row in range(each.rows)
        ]
        notes += [*folder.told(found, wanted), *odd.names(found.odd)]
        return Unlabelled({"image": found.column}, tuple(names), tuple(notes))


def are_pictures(where: str) -> bool:
    """Whether a user's data are pictures, not a table: a folder, an `.npz`, or a file of a picture."""
    path = existing(where)
    return path.is_dir() or path.suffix.lower() == ".npz" or kind_of(path) is not None


def _of_npz(path: Path, shape: tuple[int, ...]) -> Unlabelled:
    """All pictures of a file to predict, whatever part they stand in; they have to be of the shape."""
    arrays = {name: array for name, array in npz.read(path).items() if name.endswith("_images")}
    pictures = [npz.pictures(path, name, each, shape[-1], len(shape) == 4) for name, each in arrays.items()]
    if wrong := [picture.shape[1:] for picture in pictures if picture.shape[1:] != shape]:
        raise BadInput(f"{path} holds pictures of {wrong[0]}; the model was trained on {shape}")
    if not pictures:
        raise BadInput(f"{path} has no train_images, val_images or test_images")
    return Unlabelled({"image": np.concatenate(pictures)}, ())


def _files_to_predict(path: Path) -> tuple[list[Path], int]:
    """The file itself, or all pictures under a folder, and how many other files lie there."""
    if path.is_dir():
        return folder.pictures_under(path)
    if kind_of(path) is None:
        raise BadInput(f"{path} is no {folder.KINDS} file; give one, or a folder of them")
    folder.require_readers(path, [path])
    return [path], 0
