"""What the files of a folder are: by the folders they lie in, by a `labels.csv`, or by what DICOM headers say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.data.groups import label_groups
from pipelines.data.listing import PATHS, Listing, read_listing
from pipelines.data.paths import LABELS
from pipelines.data.pictures import dicom_header as header
from pipelines.data.pictures.files import kind_of
from pipelines.data.pictures.npz import SPLITS
from pipelines.data.pictures.raster import SUFFIXES
from pipelines.data.tables import read_table
from pipelines.errors import BadInput
from pipelines.task import DataRequest

SUBJECT = "sub-"
"""How the parts of a path that name a subject begin (BIDS, Gorgolewski et al. 2016, Scientific Data 3)."""


@dataclass(frozen=True)
class Asked:
    """What is to come from DICOM headers: keywords of the target, the id and the groups; empty where elsewhere."""

    target: str = ""
    id: str = ""
    groups: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(name for name in (self.target, self.id, *self.groups) if name)


def listing_of(folder: Path, found: Sequence[Path], request: DataRequest, headed: bool) -> tuple[Listing, Asked]:
    """The files with what is known before they are read, and what their headers are asked for.

    Args:
        found: the pictures under the folder.
        headed: whether there are DICOM files among them.

    Raises:
        BadInput: it cannot be known what the pictures are; the message says what would be right.
    """
    if (folder / LABELS).is_file():
        return _listed(folder, request, headed)
    if not headed:
        return _by_class(folder, found, request), Asked()
    if request.time:
        raise BadInput(f"--time needs a {LABELS} in {folder} with columns path, label and {request.time}")
    asked = Asked(
        header.require_keyword(request.target, "--target") if request.target else "",
        header.require_keyword(request.id, "--id") if request.id else header.PATIENT,
        _groups(request.sensitive),
    )
    if asked.target:
        return Listing(list(found), np.full(len(found), "", dtype=object), asked.target), asked
    return _by_class(folder, found, replace(request, id=None, sensitive=())), asked


def _groups(sensitive: Sequence[str]) -> tuple[str, ...]:
    for name in sensitive:
        header.require_keyword(name, "--sensitive")
    return tuple(dict.fromkeys((*header.GROUPS, *sensitive)))


def _listed(folder: Path, request: DataRequest, headed: bool) -> tuple[Listing, Asked]:
    columns = read_table(folder / LABELS).columns if headed else {}
    elsewhere = [name for name in (request.target, request.id, *request.sensitive) if headed and name]
    elsewhere = [name for name in elsewhere if name not in columns]
    if request.target in elsewhere:
        header.require_keyword(str(request.target), "--target")
        raise BadInput(
            f"--target {request.target} is not in {folder / LABELS}; name one of its columns, or take the file away to "
            "learn what the headers say"
        )
    within = replace(
        request,
        id=None if request.id in elsewhere else request.id,
        sensitive=tuple(name for name in request.sensitive if name not in elsewhere),
    )
    listing = read_listing(
        folder, within, ("label", "class", "target"), ("patient", "subject", "id"), SUFFIXES,
        fits=lambda path: kind_of(path) is not None,
    )  # fmt: skip
    if not headed:
        return listing, Asked()
    person = header.require_keyword(str(request.id), "--id") if request.id in elsewhere else header.PATIENT
    groups = list(_groups([name for name in request.sensitive if name in elsewhere]))
    lower = {name.lower() for name in listing.groups}
    groups = [name for name in groups if name.lower().removeprefix("patient") not in lower and name not in columns]
    return listing, Asked("", "" if listing.ids is not None else person, tuple(groups))


def listed_folders(folder: Path) -> list[Path]:
    """The folders of slices that a `labels.csv` names."""
    if not (folder / LABELS).is_file():
        return []
    table = read_table(folder / LABELS)
    cells = [cell for name in PATHS if name in table.columns for cell in table.text(name) if cell]
    return [folder / cell for cell in cells if (folder / cell).is_dir()]


def with_headers(
    listing: Listing, headers: Sequence[Mapping[str, str]], asked: Asked
) -> tuple[Listing, list[tuple[Path, str]]]:
    """The listing with what the headers of its files say; and the files that do not say what they must.

    Args:
        headers: of each file of the listing.
    """
    needed = [name for name in (asked.target, asked.id) if name]
    known = {name for name in needed if any(each.get(name) for each in headers)}
    if asked.target and asked.target not in known:
        raise BadInput(f"--target {asked.target}: no header here says it; give a {LABELS} with path and label")
    if asked.id and asked.id != header.PATIENT and asked.id not in known:
        raise BadInput(f"--id {asked.id}: no header here says it; leave it out, or give a {LABELS}")
    lacks = [[name for name in needed if name in known and not each.get(name)] for each in headers]
    pairs = zip(listing.files, lacks, strict=True)
    odd = [(path, f"has no {names[0]} in its header") for path, names in pairs if names]
    kept = [place for place, names in enumerate(lacks) if not names]
    listing, headers = listing.take(np.array(kept, np.int64)), [headers[place] for place in kept]
    values: dict[str, Any] = {name: [each.get(name, "") for each in headers] for name in asked.fields}
    if asked.target:
        listing = replace(listing, target=header.attribute(asked.target, values[asked.target]))
    if asked.id in known:
        listing = replace(listing, ids=header.patients(values[asked.id]))
    groups = {name: label_groups(header.attribute(name, values[name])) for name in asked.groups}
    there = {name: labels for name, labels in groups.items() if any(label is not None for label in labels)}
    return replace(listing, groups={**listing.groups, **there}), odd


def subjects(folder: Path, files: Sequence[Path]) -> Any:
    """(n,) object str: the subject of each file, where a part of every path begins with `sub-`; else None."""
    found = []
    for path in files:
        parts = [part for part in path.relative_to(folder).parts if part.startswith(SUBJECT)]
        if not parts:
            return None
        found.append(parts[0].partition(".")[0].partition("_")[0])
    return np.array(found, dtype=object)


def _by_class(folder: Path, found: Sequence[Path], request: DataRequest) -> Listing:
    for flag, value in (
        ("--target", request.target),
        ("--id", request.id),
        ("--time", request.time),
        ("--sensitive", request.sensitive),
        ("--exclude", request.exclude),
        ("--text", request.text),
    ):
        if value:
            raise BadInput(f"{flag} needs a {LABELS} in {folder} with columns path, label and what the flag names")
    parts = [path.relative_to(folder).parts for path in found]
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
    return Listing(list(found), target, "label", official=official)
