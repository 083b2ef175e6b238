"""Pictures and recordings to predict, of which nobody needs to know what they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.data.paths import LABELS, files_under
from pipelines.data.wording import count
from pipelines.errors import BadInput


@dataclass(frozen=True)
class Unlabelled:
    """Rows without a target.

    Args:
        columns: name -> (n, ...) values.
        files: (n,) the file that each row was read from, or another name of it; empty where one file holds all.
        notes: what reading repaired or skipped.
        called: what `files` names.
        answered: for each row of a file, which of the rows here answers it, -1 for none; None where each does itself.
    """

    columns: Mapping[str, Any]
    files: tuple[str, ...]
    notes: tuple[str, ...] = ()
    called: str = "file"
    answered: Any = None


def files_to_predict(path: Path, suffixes: tuple[str, ...]) -> tuple[Sequence[Path], list[str]]:
    """The file itself, or all files under a folder in the order of their names, whatever folders they lie in.

    Raises:
        BadInput: there is none of these kinds.
    """
    if not path.is_dir():
        if path.suffix.lower() not in suffixes:
            raise BadInput(f"{path} is no {' or '.join(suffixes)} file; give one, or a folder of them")
        return [path], []
    found, others = files_under(path, suffixes)
    if not found:
        raise BadInput(f"{path} holds no {' or '.join(suffixes)} file")
    others = [other for other in others if other.name != LABELS]
    return found, [f"{count(len(others), 'file')} of other kinds ignored"] if others else []
