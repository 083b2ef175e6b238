"""A network that forecasts, on top of which an optimiser decides: it learns one objective and is judged by another."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.contender import Watch, unwatched
from pipelines.contenders.meter import Meter
from pipelines.contenders.network import FittedNetwork, NetworkContender
from pipelines.data.examples import Examples
from pipelines.objectives.mean_variance import covariances, mean_variance
from pipelines.objectives.objective import Predictions
from pipelines.report.document import together
from pipelines.training.checkpoint import Checkpoints

AVERSIONS = tuple(float(each) for each in np.geomspace(1, 1000, 8))
"""Tried on validation rows: from hardly minding risk to minding little else."""


@dataclass
class ForecastContender(NetworkContender):
    """Trains a network for `Forecast`; validation rows then choose how much risk its forecasts are worth."""

    def fit(
        self,
        train: Examples,
        valid: Examples,
        seed: int,
        watch: Watch = unwatched,
        checkpoints: Checkpoints | None = None,
    ) -> FittedForecast:
        trained = super().fit(train, valid, seed, watch, checkpoints)
        objective: Any = trained.objective
        judge = objective.allocation
        with Meter() as meter:
            expected, truth = trained.predict(valid).values, judge.encode(valid.target)
            risk = covariances(_returns(valid), objective.lookback)
            found = [
                judge.scores(truth, judge.predict(mean_variance(expected, risk, each)))[judge.primary]
                for each in AVERSIONS
            ]
        aversion = AVERSIONS[int(np.nanargmax(found))] if np.isfinite(found).any() else objective.aversion
        return FittedForecast(
            trained.model,
            replace(objective, aversion=aversion),
            trained.kinds,
            together([trained.cost, meter.cost()], trained.cost),
            trained.history,
            {**trained.settings, "aversion": f"{aversion:.3g}, chosen on validation rows"},
        )


@dataclass(frozen=True)
class FittedForecast(FittedNetwork):
    """A trained forecaster with the optimiser that decides on what it says; its objective is a `Forecast`."""

    def flops(self, examples: Examples) -> float:
        """NaN: how long the optimiser takes depends on the forecasts."""
        return math.nan

    def predict(self, examples: Examples) -> Predictions:
        objective: Any = self.objective
        decided: Predictions = objective.decide(super().predict(examples).values, _returns(examples))
        return decided


def _returns(examples: Examples) -> NDArray[Any]:
    (name,) = examples.names("series")
    return np.asarray(examples.columns[name])
