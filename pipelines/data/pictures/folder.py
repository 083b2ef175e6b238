"""A folder of pictures as a Dataset: found, described, decoded, with what is odd told and left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipelines.data.examples import Examples
from pipelines.data.listing import Listing
from pipelines.data.paths import LABELS, files_under
from pipelines.data.pictures import dicom, nifti, odd, series
from pipelines.data.pictures import dicom_header as header
from pipelines.data.pictures.files import KEPT_BYTES, Files, Found, kind_of, read_all
from pipelines.data.pictures.labelled import Asked, listed_folders, listing_of, subjects, with_headers
from pipelines.data.pictures.raster import RESIZED, SUFFIXES
from pipelines.data.pictures.wanted import Known, Wanted
from pipelines.data.wording import count, shown
from pipelines.errors import BadInput
from pipelines.task import Beside, DataRequest, Dataset

RARE_MODALITY = 0.05
"""A modality of a smaller share of the files does not belong to them."""

KINDS = ", ".join((*SUFFIXES, *dicom.SUFFIXES, *nifti.SUFFIXES))


def load(
    folder: Path, request: DataRequest, wanted: Wanted, volumes: Wanted | None = None, ids_required: bool = False
) -> Dataset:
    """The pictures with their labels, patients and groups.

    Args:
        volumes: what is wanted where the folder holds volumes; None where it is their slices.
        ids_required: whether it has to be known whose each picture is; of several slices of one volume it always has.

    Raises:
        BadInput: the folder, a file or a flag; the message names it.
    """
    files, others = pictures_under(folder, f"; expected {folder}/CLASS/picture.png, or a {LABELS} with path and label")
    if volumes is not None and _holds_volumes(folder, files):
        wanted = volumes
    headed = any(map(dicom.is_dicom, files))
    listing, asked = listing_of(folder, files, request, headed)
    named = set(listing.files)
    left = sum(path not in named and path.parent not in named for path in files)
    notes = [f"{count(left, 'picture')} not named in {LABELS} ignored"] if left else []
    if others:
        notes.append(f"{count(others, 'file')} that are not {KINDS} ignored")
    found, listing, strange = _read(listing, replace(wanted, fields=asked.fields), asked, request.strict)
    if listing.ids is None:
        listing = replace(listing, ids=subjects(folder, listing.files))
    _require_ids(folder, listing, found, ids_required)
    notes += [*told(found, wanted), *odd.notes(strange)]
    if headed and listing.ids is None:
        notes.append(f"no header names a patient, so pictures are split singly; a {LABELS} with a column patient would")
    rows = listing.take(found.places())
    examples = Examples(
        columns={"image": found.column},
        kinds={"image": "image"},
        target=rows.target,
        groups=rows.groups,
        ids=rows.ids,
        time=rows.time,
    )
    return Dataset(
        examples, str(folder), False, listing.target_name, rows.official, (*listing.notes, *notes), request.positive,
        beside=(*listing.beside(folder), *_headers(found)), told=tuple(odd.names(strange)),
    )  # fmt: skip


def pictures_under(folder: Path, hint: str = "") -> tuple[list[Path], int]:
    """The pictures in a folder and its subfolders, and how many other files there are.

    Raises:
        BadInput: there are none, or what reads them is not installed.
    """
    known, others = files_under(folder, SUFFIXES)
    more = [path for path in others if kind_of(path) is not None]
    files = sorted([*known, *more])
    if not files:
        raise BadInput(f"{folder} holds no {' or '.join(SUFFIXES)} file, and neither DICOM nor NIfTI{hint}")
    require_readers(folder, files)
    return files, len(others) - len(more)


def require_readers(where: Path, files: Sequence[Path]) -> None:
    """What reads these files is installed.

    Raises:
        BadInput: it is not; the message says how to install it.
    """
    if any(map(dicom.is_dicom, files)):
        dicom.require(where)
    if any(map(nifti.is_nifti, files)):
        nifti.require(where)


def told(found: Found, wanted: Wanted) -> list[str]:
    """What was done to the pictures, in words."""
    size = " x ".join([str(wanted.size)] * wanted.dimensions)
    notes = []
    for change, number in sorted(found.changes.items(), key=lambda each: (each[0] != RESIZED, each[0])):
        what = f"resized to {size} pixels" if change == RESIZED else change
        notes.append(f"{count(number, 'picture')} {what}")
    several = [each for each in found.known if each.rows > 1]
    if several:
        rows = sum(each.rows for each in several)
        notes.append(f"{count(len(several), 'volume')} taken as {rows:,} slices or frames, each a row of its own")
    if isinstance(found.column, Files):
        notes.append(f"more than {KEPT_BYTES >> 20} MiB of pictures, so they are decoded whenever they are needed")
    return notes


def _read(
    listing: Listing, wanted: Wanted, asked: Asked, strict: bool
) -> tuple[Found, Listing, list[tuple[Path, str]]]:
    """The files that can be used, in the order of the listing, which is made to fit; and the others, with why."""
    total = len(listing.files)
    found = read_all(listing.files, wanted)
    strange = list(found.odd)
    odd.require_few(strange, total, strict)
    place = {path: at for at, path in enumerate(listing.files)}
    listing = listing.take(np.array([place[each.path] for each in found.known], np.int64))
    foreign = _foreign(found)
    strange += foreign
    listing, lacking = with_headers(listing, [each.header for each in found.known], asked)
    strange += lacking
    if foreign or lacking:
        away = {path for path, _ in (*foreign, *lacking)}
        found = found.only([at for at, each in enumerate(found.known) if each.path not in away])
        kept = [at for at, path in enumerate(listing.files) if path not in away]
        listing = listing.take(np.array(kept, np.int64))
    odd.require_few(strange, total, strict)
    return found, listing, strange


def _foreign(found: Found) -> list[tuple[Path, str]]:
    """DICOM files of a modality that hardly any other has, such as a dose report among scans."""
    modalities = [each.header.get(header.MODALITY, "") if _of_dicom(each) else "" for each in found.known]
    sizes = Counter(name for name in modalities if name)
    rare = {name for name, number in sizes.items() if number < RARE_MODALITY * sizes.total()}
    return [
        (each.path, "is of another modality than the rest")
        for each, name in zip(found.known, modalities, strict=True)
        if name in rare
    ]


def _holds_volumes(folder: Path, files: Sequence[Path]) -> bool:
    """Whether there are NIfTI files, DICOM files of many frames, or a list that names folders of slices."""
    first = next(filter(dicom.is_dicom, files), None)
    several = first is not None and dicom.frames_of(first) > 1
    return several or any(map(nifti.is_nifti, files)) or bool(listed_folders(folder))


def _of_dicom(one: Known) -> bool:
    return kind_of(one.path) in (dicom, series)


def _require_ids(folder: Path, listing: Listing, found: Found, required: bool) -> None:
    if listing.ids is not None:
        return
    several = next((each for each in found.known if each.rows > 1), None)
    if several is None and not required:
        return
    why = f"{several.path} gives {several.rows} slices or frames" if several else "this task learns from people"
    raise BadInput(
        f"{folder} does not say whose each picture is, and {why}: a model tested on a person that it has learned from "
        f"looks better than it is. Give a {LABELS} with columns path, label and patient, name files or folders "
        f"sub-01, sub-02 and so on, or give DICOM files with a PatientID"
    )


def _headers(found: Found) -> tuple[Beside, ...]:
    """What is written beside the pixels and nobody learns from."""
    of_dicom = [each.header for each in found.known if _of_dicom(each)]
    others = [each.header for each in found.known if each.header and not _of_dicom(each)]
    keys = dict.fromkeys(key for each in others for key in each)
    told = [Beside("header", shown(key)[1:-1], [each[key] for each in others if key in each]) for key in keys]
    return (*header.beside(of_dicom), *told)
