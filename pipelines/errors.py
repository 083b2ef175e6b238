"""What can go wrong, as a user sees it: one clear line and an exit code, never a traceback."""

from __future__ import annotations


class TapelineError(Exception):
    """A failure that is explained to the user in one message; `exit_code` is what the command returns."""

    exit_code = 1


class LimitFailed(TapelineError):
    """A limit that the task declares does not hold (`tapeline check`)."""

    exit_code = 1


class BadInput(TapelineError):
    """The input or the usage is wrong; the message names the file, row, column or flag and what would be right."""

    exit_code = 2


class TrainingFailed(TapelineError):
    """Training could not finish, for example because the loss stayed non-finite."""

    exit_code = 3


class WorkerLost(TrainingFailed):
    """Another worker of the job is gone; its last checkpoint lets the same command go on."""


class Interrupted(TapelineError):
    """The run was interrupted by the user or the machine."""

    exit_code = 130


def require(holds: bool, message: str) -> None:
    """Refuse a declaration that cannot work. A ValueError: the author of the task is told, not its user."""
    if not holds:
        raise ValueError(message)
