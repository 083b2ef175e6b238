"""The trials of one tuning on the disk, so that a tuning that was stopped goes on after the last one that ended.

Not Optuna's own journal: a process killed while it appends leaves half a line there, and after the next append the file
can never be read again. Here a file appears whole or not at all, and the best model lies beside it.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pipelines.contenders import saved
from pipelines.contenders.contender import Fitted, History
from pipelines.contenders.suggestion import Point
from pipelines.data.examples import Examples
from pipelines.errors import BadInput
from pipelines.objectives.objective import Objective
from pipelines.report.document import Cost
from pipelines.report.tuning import Tried, tried_from

TRIALS, KEPT = "trials.json", "kept.json"


@dataclass(frozen=True)
class Attempt:
    """A trial that ended, where in the space it lies (None for a default outside), and what it cost."""

    tried: Tried
    point: Point | None
    cost: Cost


@dataclass
class Attempts:
    """The trials that ended, in their order.

    Args:
        folder: where they are kept; None keeps them in memory only.
        space: what is searched, as text: trials in another space do not count.
    """

    folder: Path | None
    space: str
    made: list[Attempt] = field(default_factory=list)

    @classmethod
    def found(cls, folder: Path | None, space: str) -> Attempts:
        """Those that an earlier process left, if what is there is whole."""
        attempts = cls(folder, space)
        if folder is not None:
            with suppress(OSError, ValueError, KeyError, TypeError):
                told = json.loads((folder / TRIALS).read_text(encoding="utf-8"))
                if told["space"] == space:
                    attempts.made = [
                        Attempt(tried_from(each["tried"]), each["point"], Cost(**each["cost"]))
                        for each in told["trials"]
                    ]
        return attempts

    @property
    def tried(self) -> tuple[Tried, ...]:
        return tuple(each.tried for each in self.made)

    @property
    def seconds(self) -> float:
        """Spent on them."""
        return sum(each.seconds for each in self.tried)

    def add(self, attempt: Attempt) -> None:
        """One more, on the disk before the next one begins."""
        self.made.append(attempt)
        if self.folder is None:
            return
        trials = [
            {"tried": _plain(asdict(each.tried)), "point": each.point, "cost": asdict(each.cost)} for each in self.made
        ]
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with saved.whole(self.folder / TRIALS) as file:
            file.write(json.dumps({"space": self.space, "trials": trials}).encode())

    def keep(self, number: int, fitted: Fitted, objective: Objective, name: str, rows: Examples) -> None:
        """The model of this trial in place of those before it; written before the trial is added."""
        if self.folder is None:
            return
        folder = self._model(number)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        saved.save(fitted, folder, "", name, objective, rows, math.nan)
        told = {
            "cost": asdict(fitted.cost),
            "history": {name: list(series) for name, series in fitted.history.metrics.items()},
            "best_epoch": fitted.history.best_epoch,
            "settings": dict(fitted.settings),
        }
        with saved.whole(folder / KEPT) as file:  # last: it says that the rest is there
            file.write(json.dumps(told).encode())

    def tidy(self, number: int) -> None:
        """Remove the models of all other trials."""
        for folder in self.folder.glob("model-*") if self.folder is not None else ():
            if folder != self._model(number):
                shutil.rmtree(folder, ignore_errors=True)

    def model(self, number: int) -> Any:
        """The model that `keep` kept; None where it is not there, or damaged."""
        if self.folder is None:
            return None
        try:
            told = json.loads((self._model(number) / KEPT).read_text(encoding="utf-8"))
            history = History({name: tuple(series) for name, series in told["history"].items()}, told["best_epoch"])
            fitted = saved.load(self._model(number)).fitted
            return replace(fitted, cost=Cost(**told["cost"]), history=history, settings=told["settings"])
        except (BadInput, OSError, ValueError, KeyError, TypeError):
            return None

    def _model(self, number: int) -> Path:
        assert self.folder is not None  # noqa: S101  whoever asks has looked
        return self.folder / f"model-{number}"


def _plain(tried: Mapping[str, Any]) -> dict[str, Any]:
    return {**tried, "score": None if math.isnan(tried["score"]) else tried["score"]}
