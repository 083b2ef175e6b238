"""The command that asks for a run, as one types it: what the report says to reproduce it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from pipelines.data.personal_kinds import masked

FLAGS = {"where": "--data", "keep_personal": "--keep-personal"}
"""Parts of a request whose flag is not called like them."""
NO_FLAG = ("delay",)


def typed(command: Mapping[str, Any], trials: int = 0, seconds: float = 0.0) -> str:
    """What to type for what `run.commanded` says; personal data is masked, as everywhere in a report.

    Args:
        trials, seconds: of a tuning, its budget, one of which is 0.
    """
    words = ["tapeline", "tune" if trials or seconds else "run", command["task"]]
    words += ["--trials", str(trials)] if trials else ["--seconds", f"{seconds:g}"] if seconds else []
    for name, value in command["request"].items():
        if name not in NO_FLAG:
            words += _flagged(FLAGS.get(name, f"--{name}"), value)
    for assignment in command["assignments"]:
        words += ["--set", assignment]
    words += ["--seed", str(command["seed"])] + (["--deterministic"] if command["deterministic"] else [])
    return masked(shlex.join(words))


def _flagged(flag: str, value: Any) -> list[str]:
    """The flag as often as it has values; nothing where it was not given."""
    if isinstance(value, bool):
        return [flag] if value else []
    values = value if isinstance(value, (list, tuple)) else [value] if value is not None else []
    return [word for each in values for word in (flag, str(each))]
