"""Unfinished work: what a pipeline run has done so far, so that the same command, given again, goes on from there.

A journal is a folder beside the runs, `mlruns/unfinished/KEY`, held by a lock for as long as its process lives. A fold
that is done leaves its predictions, costs and, for the first fold, its model; a fold that is being trained leaves
checkpoints. The journal of a run that ended well is removed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, astuple, dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders import saved
from pipelines.contenders.contender import Fitted, History
from pipelines.data.examples import Examples
from pipelines.errors import BadInput
from pipelines.evaluation.directions import Moves
from pipelines.evaluation.robustness import Worse
from pipelines.objectives import group_thresholds
from pipelines.objectives.automation import Automation
from pipelines.objectives.calibration import Calibration, from_dict
from pipelines.objectives.group_thresholds import GroupThresholds
from pipelines.objectives.objective import Objective, Predictions
from pipelines.objectives.operating import Chosen
from pipelines.objectives.referral import Zone
from pipelines.report.document import Cost, Estimate
from pipelines.report.explanation import Explanation, explanation
from pipelines.report.strangers import Strangers
from pipelines.report.strangers import strangers as strangers_from
from pipelines.report.tuning import Tried, tried_from
from pipelines.training.checkpoint import Checkpoints

COMMAND, RESULT, PREDICTIONS, MODEL = "command.json", "result.json", "predictions.npz", "model"
WORSE = ("worse_rows", "worse_clean", "worse_said")
OLD = 30 * 24 * 3600
"""Seconds after which the journal of a run that nobody went on with is removed."""


@dataclass(frozen=True)
class Finished:
    """A fold that is done: what judging it needs, without its model, unless it is the first."""

    predictions: Predictions
    threshold: float
    seconds: float
    cost: Cost
    history: History
    settings: Mapping[str, str]
    calibration: Calibration | None = None
    uncalibrated: NDArray[Any] | None = None
    """(n, classes) what the model said before `calibration`."""
    tried: tuple[Tried, ...] = ()
    """Where settings were chosen by a tuning: all that it tried."""
    by_group: GroupThresholds | None = None
    zone: Zone | None = None
    """Which of its answers go to a person."""
    moves: Moves | None = None
    membership: Mapping[str, Estimate] = field(default_factory=dict)
    """Of the first training: what its model gives away of who it learned from."""
    explanation: Explanation | None = None
    """Of the first training: what the answers of its model hang on."""
    automation: Automation | None = None
    """Which of its decisions need no person."""
    operating: tuple[Chosen, ...] = ()
    """At which thresholds it reaches what is asked for."""
    worse: Worse | None = None
    """Of the first training: what its model says of tested pictures made worse."""
    strangers: Strangers | None = None
    """Of the first training: whether its features tell other pictures."""


@dataclass(frozen=True)
class Entry:
    """One training of one contender on one fold."""

    folder: Path
    checkpoints: Checkpoints

    def finished(self) -> Finished | None:
        """What was written when the fold was done; None where it is not, or where what is there is damaged."""
        try:
            with np.load(self.folder / PREDICTIONS, allow_pickle=False) as arrays:
                values, decisions, said = arrays["values"], arrays.get("decisions"), arrays.get("uncalibrated")
                moved, rows = arrays.get("moved"), arrays.get("moved_rows")
                worse = tuple(arrays.get(name) for name in WORSE)
            result = json.loads((self.folder / RESULT).read_text(encoding="utf-8"))
            metrics = {name: tuple(series) for name, series in result["history"].items()}
            return Finished(
                Predictions(values, decisions),
                result["threshold"],
                result["seconds"],
                Cost(**result["cost"]),
                History(metrics, result["best_epoch"]),
                result["settings"],
                None if result["calibration"] is None else from_dict(result["calibration"]),
                said,
                tuple(tried_from(each) for each in result["tried"]),
                None if result["by_group"] is None else group_thresholds.from_dict(result["by_group"]),
                None if result["zone"] is None else Zone.from_dict(result["zone"]),
                None if moved is None else Moves(rows, dict(zip(result["moved"], moved, strict=True))),
                {name: Estimate(*each) for name, each in result["membership"].items()},
                explanation(result["explanation"]),
                None if result["automation"] is None else Automation.from_dict(result["automation"]),
                tuple(Chosen.from_dict(each) for each in result["operating"]),
                None if worse[0] is None else Worse(worse[0], worse[1], worse[2], *_ways(result["worse"])),
                strangers_from(result["strangers"]),
            )
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error):
            return None

    def model(self) -> Any:
        """The model that `finish` kept, or None."""
        try:
            return saved.load(self.folder / MODEL).fitted
        except BadInput:
            return None

    def kept(self, name: str) -> NDArray[Any] | None:
        """The numbers that were kept under this name; None where there are none, or what is there is damaged."""
        try:
            found: NDArray[Any] = np.load(self.folder / f"{name}.npy", allow_pickle=False)
            return found
        except (OSError, ValueError, EOFError):
            return None

    def keep(self, name: str, values: NDArray[Any]) -> None:
        """Keep some numbers that belong to this training, such as what a shadow model says."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with saved.whole(self.folder / f"{name}.npy") as file:
            np.save(file, values, allow_pickle=False)

    def finish(self, fitted: Fitted, done: Finished, keep: Keep | None) -> None:
        """Write what the fold gave; its checkpoints are not needed any more.

        Args:
            keep: what saving the model needs, for the fold whose model is kept.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if keep is not None:
            (self.folder / MODEL).mkdir(exist_ok=True)
            said = (keep.task, keep.name, keep.objective, keep.examples, done.threshold)
            saved.save(fitted, self.folder / MODEL, *said, done.calibration, done.by_group)
        told = {"decisions": done.predictions.decisions, "uncalibrated": done.uncalibrated}
        if done.moves is not None:
            told |= {"moved": np.array(list(done.moves.wrong.values())), "moved_rows": done.moves.rows}
        if done.worse is not None:
            told |= dict(zip(WORSE, (done.worse.rows, done.worse.clean, done.worse.said), strict=True))
        also = {name: values for name, values in told.items() if values is not None}
        with saved.whole(self.folder / PREDICTIONS) as file:
            np.savez(file, allow_pickle=False, values=done.predictions.values, **also)
        result = {
            "threshold": done.threshold,
            "seconds": done.seconds,
            "cost": asdict(done.cost),
            "history": {name: list(series) for name, series in done.history.metrics.items()},
            "best_epoch": done.history.best_epoch,
            "settings": dict(done.settings),
            "calibration": None if done.calibration is None else done.calibration.to_dict(),
            "tried": [asdict(each) for each in done.tried],
            "by_group": None if done.by_group is None else done.by_group.to_dict(),
            "zone": None if done.zone is None else done.zone.to_dict(),
            "membership": {name: list(astuple(each)) for name, each in done.membership.items()},
            "explanation": None if done.explanation is None else asdict(done.explanation),
            "automation": None if done.automation is None else done.automation.to_dict(),
            "operating": [each.to_dict() for each in done.operating],
            "worse": None if done.worse is None else [list(map(list, done.worse.ways)), done.worse.seconds],
            "strangers": None if done.strangers is None else asdict(done.strangers),
            "moved": [] if done.moves is None else list(done.moves.wrong),
        }
        with saved.whole(self.folder / RESULT) as file:  # last: it says that the rest is there
            file.write(json.dumps(result).encode())
        self.checkpoints.clear()


@dataclass(frozen=True)
class Keep:
    """What a saved model says of itself beside its weights."""

    task: str
    name: str
    objective: Objective
    examples: Examples


@dataclass
class Journal:
    """The unfinished work of one command.

    Args:
        folder: of this command.
        identity: what must be the same for the work to count: data, code, versions.
        run_id: the MLflow run that it belongs to; empty where the work starts anew.
    """

    folder: Path
    identity: Mapping[str, str]
    every: float = 30.0
    run_id: str = ""
    dropped: tuple[str, ...] = ()
    """What was different, where there was work that does not count."""
    _lock: IO[bytes] | None = field(default=None, repr=False)

    def begin(self, run_id: str, command: Mapping[str, Any]) -> None:
        """Note which run this work belongs to and which command makes it."""
        self.run_id = run_id
        noted = {"run_id": run_id, "identity": dict(self.identity), "command": dict(command)}
        with saved.whole(self.folder / COMMAND) as file:
            file.write(json.dumps(noted).encode())

    def entry(self, contender: str, fold: int, training: int = 0) -> Entry:
        """The place of one training of one contender on one fold."""
        folder = self.folder / f"{contender}-{fold + 1}{f'.{training + 1}' if training else ''}"
        return Entry(folder, Checkpoints(folder / "checkpoints", self.every))

    def close(self) -> None:
        """Remove it: the run ended well. The folder of all journals goes with the last one."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):  # it is not empty
            self.folder.parent.rmdir()
        self.release()

    def release(self) -> None:
        """Leave it for another process."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def open_journal(place: Path, command: Mapping[str, Any], identity: Mapping[str, str], fresh: bool) -> Journal | None:
    """The journal of this command: with the work of a process that died, or empty.

    Args:
        place: folder of all journals.
        command: what was asked for; the same command finds the same journal.
        identity: as `Journal`; work done on other data or by other versions is dropped.
        fresh: drop whatever is there.

    Returns:
        None where nothing can be written: the run goes on without a net.
    """
    key = hashlib.sha256(json.dumps(command, sort_keys=True).encode()).hexdigest()[:16]
    try:
        place.mkdir(parents=True, exist_ok=True)
        _sweep(place)
        for suffix in ("", *(f"-{number}" for number in range(2, 100))):
            folder = place / f"{key}{suffix}"
            folder.mkdir(parents=True, exist_ok=True)  # another run that ended may just have removed the place
            if (lock := _locked(folder)) is not None:
                return _opened(folder, identity, fresh, lock)
    except OSError:
        return None
    return None


def unfinished(place: Path, run_id: str) -> Mapping[str, Any]:
    """The command of the unfinished run whose id starts like this.

    Raises:
        BadInput: there is none, or more than one.
    """
    found = {}
    for path in sorted(place.glob(f"*/{COMMAND}")):
        noted = _noted(path.parent)
        if noted and str(noted["run_id"]).startswith(run_id):
            found[str(noted["run_id"])] = noted["command"]
    if len(found) == 1:
        command: Mapping[str, Any] = next(iter(found.values()))
        return command
    if not found:
        raise BadInput(
            f"--resume {run_id}: no unfinished run of that id under {place}; a run that ended, or was started in "
            "another folder, cannot go on"
        )
    raise BadInput(f"--resume {run_id}: several unfinished runs start like that: {', '.join(found)}")


def _opened(folder: Path, identity: Mapping[str, str], fresh: bool, lock: IO[bytes]) -> Journal:
    noted = _noted(folder)
    if noted and not fresh and noted["identity"] == dict(identity):
        return Journal(folder, identity, run_id=str(noted["run_id"]), _lock=lock)
    before = noted["identity"] if noted and not fresh and isinstance(noted["identity"], dict) else identity
    dropped = tuple(sorted(name for name in {*before, *identity} if before.get(name) != identity.get(name)))
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != "lock":
            path.unlink()
    return Journal(folder, identity, dropped=dropped, _lock=lock)


def _ways(told: Any) -> tuple[tuple[tuple[str, int, float], ...], float]:
    """The ways in which pictures were made worse, and the seconds that answering them took."""
    ways, seconds = told
    return tuple((str(name), int(severity), float(amount)) for name, severity, amount in ways), float(seconds)


def _noted(folder: Path) -> dict[str, Any] | None:
    try:
        noted = json.loads((folder / COMMAND).read_text(encoding="utf-8"))
        return noted if {"run_id", "identity", "command"} <= set(noted) else None
    except (OSError, ValueError, TypeError):
        return None


def _locked(folder: Path) -> IO[bytes] | None:
    """The folder's lock, which the system releases however the process ends; None where another process has it."""
    import fcntl

    file = (folder / "lock").open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def _sweep(place: Path) -> None:
    """Remove journals that nobody went on with for long."""
    for folder in place.iterdir():
        with suppress(OSError):  # its own run removes it at this moment
            old = time.time() - folder.stat().st_mtime > OLD
            if folder.is_dir() and old and (lock := _locked(folder)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                lock.close()
