"""Finding and opening the files that a user names: each way it can fail is one clear line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pipelines.data.wording import count, did_you_mean
from pipelines.errors import BadInput

LABELS = "labels.csv"
"""The file that may lie in a folder of images or sounds and say what each of them is."""


def existing(where: str | Path) -> Path:
    """The path, if something is there.

    Raises:
        BadInput: nothing is; the message suggests the nearest name in its folder.
    """
    if not str(where).strip():
        raise BadInput("the path is empty; name a file or a folder")
    path = Path(where).expanduser()
    try:
        if path.exists():
            return path
        if path.is_symlink():
            raise BadInput(f"{path} is a symbolic link that leads nowhere")
        folder = path.parent
        neighbours = [entry.name for entry in folder.iterdir()] if folder.is_dir() else None
    except (OSError, ValueError) as error:
        raise BadInput(f"{str(where)!r} cannot be opened: {_reason(error)}") from error
    if neighbours is None:
        raise BadInput(f"there is no file {path}: its folder {folder} does not exist")
    raise BadInput(f"there is no file {path}{did_you_mean(path.name, neighbours)}")


def existing_file(where: str | Path, what: str = "a CSV or Parquet file") -> Path:
    """The path of a regular file.

    Raises:
        BadInput: it is missing, a folder, or something else that is no file.
    """
    path = existing(where)
    if path.is_dir():
        inside = sum(1 for entry in path.iterdir() if entry.is_file()) if _listable(path) else 0
        raise BadInput(f"{path} is a folder ({count(inside, 'file')} in it); expected {what}")
    if not path.is_file():
        raise BadInput(f"{path} is not a regular file; expected {what}")
    return path


def read_bytes(path: Path) -> bytes:
    """All bytes of a file.

    Raises:
        BadInput: it may not be read, or the disk failed.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {_reason(error)}") from error


def files_under(folder: Path, suffixes: tuple[str, ...]) -> tuple[list[Path], list[Path]]:
    """The files in a folder and its subfolders, sorted by name: those with these suffixes, and the others.

    Hidden files (`.DS_Store`) and `labels.csv` are in neither list. Suffixes are compared in lower case.

    Raises:
        BadInput: a folder may not be read.
    """
    try:
        entries = sorted(path for path in _below(folder) if path.is_file())
    except OSError as error:
        raise BadInput(f"{error.filename or folder} cannot be read: {_reason(error)}") from error
    visible = [path for path in entries if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    wanted = [path for path in visible if path.suffix.lower() in suffixes]
    others = [path for path in visible if path.suffix.lower() not in suffixes and path != folder / LABELS]
    return wanted, others


def _below(folder: Path) -> Iterator[Path]:
    """All files; a folder that may not be read raises, where `rglob` would leave out what is in it."""

    def refuse(error: OSError) -> None:
        raise error

    for within, _, names in os.walk(folder, onerror=refuse):
        yield from (Path(within, name) for name in names)


def _listable(folder: Path) -> bool:
    try:
        next(folder.iterdir(), None)
    except OSError:
        return False
    return True


def _reason(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "you have no permission to read it (chmod u+r, or ask its owner)"
    return (getattr(error, "strerror", None) or str(error)).replace("\n", " ")
