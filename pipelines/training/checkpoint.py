"""State to return to: in memory, the values of variables at one moment; on disk, all that a training needs to go on.

A checkpoint is a folder that appears in one step, by a rename, after its files and their hashes were written and
fsynced. Whatever kills the process, the newest folder whose hashes are right is whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FORMAT = 1
MANIFEST, ARRAYS = "manifest.json", "state.npz"
PREFIX, UNFINISHED = "checkpoint-", ".writing-"


class Snapshot:
    """The values of some variables at one moment."""

    def __init__(self, variables: Sequence[Any]) -> None:
        self.values: list[NDArray[Any]] = [np.array(variable) for variable in variables]

    @classmethod
    def of(cls, values: Sequence[NDArray[Any]]) -> Snapshot:
        """Values that were kept elsewhere."""
        made = cls(())
        made.values = list(values)
        return made

    def restore(self, variables: Sequence[Any]) -> None:
        """Give the variables, in the same order, their values back."""
        for variable, value in zip(variables, self.values, strict=True):
            variable.assign(value)


@dataclass(frozen=True)
class Saved:
    """What one checkpoint holds.

    Args:
        arrays: name -> array.
        notes: the rest, as JSON holds it.
    """

    arrays: Mapping[str, NDArray[Any]]
    notes: Mapping[str, Any]


@dataclass
class Checkpoints:
    """The checkpoints of one training, in a folder of their own.

    Args:
        folder: made when the first one is saved.
        every: seconds between two of them; 0 saves whenever it is asked to.
        kept: how many stay; older ones are removed after a newer one is whole.
    """

    folder: Path
    every: float = 30.0
    kept: int = 2
    trouble: str = ""
    """Why the newest could not be written (a full disk); training goes on, and the one before it stays."""
    _last: float = field(default_factory=time.monotonic, repr=False)
    _writer: threading.Thread | None = field(default=None, repr=False)

    def part(self, number: int) -> Checkpoints:
        """The checkpoints of one of several trainings that make one model: the first has the folder itself."""
        return self if number == 0 else Checkpoints(self.folder / f"part-{number + 1}", self.every, self.kept)

    def within(self, name: str) -> Checkpoints:
        """The checkpoints of one of several trainings of which one is kept, in a folder of that name."""
        return Checkpoints(self.folder / name, self.every, self.kept)

    def due(self) -> bool:
        """Whether it is time to save again and nothing is being written."""
        idle = self._writer is None or not self._writer.is_alive()
        return idle and time.monotonic() - self._last >= self.every

    def save(self, saved: Saved, wait: bool = False) -> None:
        """Write a checkpoint in the background, after the one that is being written, if one is.

        Args:
            saved: arrays that nobody changes any more.
            wait: return only when it is on the disk.
        """
        self.settle()
        self._last = time.monotonic()
        self._writer = threading.Thread(target=self._write, args=(saved,), name="checkpoint")
        self._writer.start()
        if wait:
            self.settle()

    def settle(self) -> None:
        """Wait until nothing is being written."""
        if self._writer is not None:
            self._writer.join()
            self._writer = None

    def newest(self) -> Saved | None:
        """The newest checkpoint that is whole, found by walking back; None where there is none."""
        for path in reversed(self._paths()):
            if (saved := _read(path)) is not None:
                return saved
        return None

    def clear(self) -> None:
        """Remove them all."""
        self.settle()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _paths(self) -> list[Path]:
        found = self.folder.glob(f"{PREFIX}*") if self.folder.is_dir() else ()
        return sorted(path for path in found if path.name.removeprefix(PREFIX).isdecimal())  # not somebody's copy

    def _write(self, saved: Saved) -> None:
        try:
            _write(self.folder, self._following(), saved)
            self.trouble = ""
            self._prune()
        except OSError as error:
            self.trouble = f"no checkpoint could be written to {self.folder}: {error.strerror or error}"

    def _following(self) -> str:
        numbers = [int(path.name.removeprefix(PREFIX)) for path in self._paths()]
        return f"{PREFIX}{max(numbers, default=0) + 1:08}"

    def _prune(self) -> None:
        for path in self._paths()[: -self.kept]:
            shutil.rmtree(path, ignore_errors=True)


def _write(folder: Path, name: str, saved: Saved) -> None:
    # Its owner's alone: the seed of a private training is among the variables, and takes the noise away again.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in folder.glob(f"{UNFINISHED}*"):  # of a process that was killed while it wrote
        shutil.rmtree(left, ignore_errors=True)
    aside = folder / f"{UNFINISHED}{name}"
    try:
        aside.mkdir()
        with (aside / ARRAYS).open("wb") as file:
            np.savez(file, allow_pickle=False, **dict(saved.arrays))
            _to_disk(file)
        notes = dict(saved.notes)
        hashes = {ARRAYS: _hash(aside / ARRAYS), MANIFEST: _hash_of(notes)}
        manifest = {"format": FORMAT, "sha256": hashes, "notes": notes}
        with (aside / MANIFEST).open("w", encoding="utf-8") as text:
            json.dump(manifest, text)
            _to_disk(text)
        _folder_to_disk(aside)
        aside.rename(folder / name)
        _folder_to_disk(folder)
    except OSError:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def _read(path: Path) -> Saved | None:
    """What a checkpoint holds; None where it is not whole."""
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        hashes = manifest["sha256"]
        if manifest["format"] != FORMAT or hashes[MANIFEST] != _hash_of(manifest["notes"]):
            return None
        if hashes[ARRAYS] != _hash(path / ARRAYS):
            return None
        with np.load(path / ARRAYS, allow_pickle=False) as arrays:
            return Saved({name: arrays[name] for name in arrays.files}, manifest["notes"])
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None


def numbered(name: str, values: Sequence[NDArray[Any]]) -> Iterator[tuple[str, NDArray[Any]]]:
    """Arrays by names that keep their order: `name/0`, `name/1`."""
    for number, value in enumerate(values):
        yield f"{name}/{number}", value


def collected(name: str, arrays: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """The arrays that `numbered` named."""
    count = sum(key.startswith(f"{name}/") for key in arrays)
    return [arrays[f"{name}/{number}"] for number in range(count)]


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hash_of(notes: Any) -> str:
    return hashlib.sha256(json.dumps(notes, sort_keys=True).encode()).hexdigest()


def _to_disk(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())


def _folder_to_disk(folder: Path) -> None:
    """A rename is only certain to survive a power cut once the folder's own entry is on the disk."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
