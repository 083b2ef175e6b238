"""Operating points: what decisions do where a stated share of one class is decided rightly, measured on tested rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.comparison import compare, holm
from pipelines.evaluation.intervals import effective, estimates, proportion
from pipelines.evaluation.outcome import Outcome
from pipelines.evaluation.predictive import predictive_values
from pipelines.evaluation.ranking import Ranking, Weighed
from pipelines.evaluation.replicates import Judge
from pipelines.objectives.objective import Predictions
from pipelines.report.document import Comparison, Estimate
from pipelines.report.operating import OperatingPoint

Floats = NDArray[np.float64]
ROUNDING = 1e-9
"""Shares nearer to each other than this are the same."""


class Asked(Protocol):
    """A target (`objectives.operating.Target`)."""

    @property
    def side(self) -> Any: ...
    @property
    def share(self) -> float: ...
    @property
    def name(self) -> str: ...
    @property
    def needed(self) -> int: ...


class Threshold(Protocol):
    """What validation rows chose for a target (`objectives.operating.Chosen`)."""

    @property
    def target(self) -> Asked: ...
    @property
    def threshold(self) -> float: ...
    @property
    def units(self) -> int: ...


@dataclass(frozen=True)
class RocPoints:
    """The other side at each target, on the ROC curve, as scores; so intervals and tests are those of any score.

    Between two steps of the curve it is a straight line, as scikit-learn and pROC draw it (Robin et al. 2011, BMC
    Bioinformatics 12:77): what a coin between the two thresholds would do.
    """

    targets: tuple[Any, ...]
    kind: str = "roc"

    @property
    def primary(self) -> str:
        return str(self.targets[0].name)

    @property
    def ranges(self) -> Mapping[str, tuple[float, float]]:
        """All are shares."""
        return {target.name: (0.0, 1.0) for target in self.targets}

    def scores(
        self, target: NDArray[Any], predictions: Predictions, weight: NDArray[Any] | None = None
    ) -> dict[str, float]:
        """Target's name -> the other side there; NaN where one class only is present."""
        weights = np.ones(len(target)) if weight is None else np.asarray(weight, np.float64)
        found = self.judge(target, predictions)(weights[np.newaxis])
        return {name: float(values[0]) for name, values in found.items()}

    def judge(self, target: NDArray[Any], predictions: Predictions) -> Judge:
        """The same for many weightings of the rows."""
        ranking = Ranking(np.asarray(target) == 1, predictions.values[:, 1])

        def judge(weights: Floats) -> dict[str, Floats]:
            weighed = ranking.weigh(weights)
            return {each.name: on_curve(weighed, each) for each in self.targets}

        return judge

    def greater_is_better(self, score: str) -> bool:
        return True


def on_curve(weighed: Weighed, target: Asked) -> Floats:
    """(b,) the other side where the target holds exactly; NaN where a class has no weight."""
    positives, negatives = weighed.positives, weighed.total - weighed.positives
    defined = (positives > 0) & (negatives > 0)
    above, below = (np.where(defined, each, 1.0)[:, np.newaxis] for each in (positives, negatives))
    start = np.zeros((len(positives), 1))
    found = np.hstack([start, weighed.positive_above / above])
    false = np.hstack([start, (weighed.weight_above - weighed.positive_above) / below])
    if target.side == "specificity":
        values = _where(false, found, 1 - target.share + ROUNDING)
    else:  # read from the other end: the share of negatives left alone against that of positives missed
        values = _where((1 - found)[:, ::-1], (1 - false)[:, ::-1], 1 - target.share + ROUNDING)
    return np.where(defined, values, np.nan)


def _where(across: Floats, up: Floats, at: float) -> Floats:
    """(b,) height of each rising line of (b, m) points where it leaves `at`; of an upright piece its upper end."""
    last = np.maximum((across <= at).sum(axis=1) - 1, 0)
    row, following = np.arange(len(across)), np.minimum(last + 1, across.shape[1] - 1)
    x, y = across[row, last], up[row, last]
    width, height = across[row, following] - x, up[row, following] - y
    share = np.divide(at - ROUNDING - x, width, out=np.zeros_like(width), where=width > 0)
    return np.asarray(y + np.clip(share, 0, 1) * height)


def measured(
    outcome: Outcome,
    by_round: Sequence[Sequence[Threshold]],
    prevalence: float = 0.0,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[OperatingPoint, ...]:
    """What a contender's tested rows show at each target.

    Shares at the thresholds have intervals as all decisions have (`decisions.decided`), of the thresholds that were
    chosen; those on the curve as all scores have.

    Args:
        by_round: of each round of the outcome, what was chosen for each target, in one order.
        prevalence: that predictive values are told for; 0: that of the tested rows.
    """
    if not by_round or not by_round[0]:
        return ()
    asked: Any = RocPoints(tuple(each.target for each in by_round[0]))
    curve = estimates(outcome, asked, resamples, seed, asked.ranges)
    found = []
    for place, target in enumerate(asked.targets):
        chosen = [each[place] for each in by_round]
        point = OperatingPoint(
            target=str(target),
            thresholds=tuple(each.threshold for each in chosen),
            validated=min(each.units for each in chosen),
            on_curve=curve[target.name],
        )
        known = not any(math.isnan(each.threshold) for each in chosen)
        found.append(_at(point, outcome, prevalence) if known else replace(point, why_not=_why_not(point, target)))
    return tuple(found)


def leads(
    network: str, baseline: str, outcomes: Mapping[str, Outcome], targets: Sequence[Any], resamples: int, seed: int
) -> tuple[Comparison, ...]:
    """The network's lead over the best baseline at each target, on the ROC curve of the same rows.

    P-values are corrected for the targets by Holm's method.
    """
    asked: Any = RocPoints(tuple(targets))
    found = [compare(network, [baseline], outcomes, asked, each.name, resamples, seed)[0] for each in targets]
    corrected = holm([each.p_value for each in found]) if found else ()
    return tuple(replace(each, p_value=p_value) for each, p_value in zip(found, corrected, strict=True))


def _why_not(point: OperatingPoint, target: Asked) -> str:
    kind = "positive" if target.side == "sensitivity" else "negative"
    if point.validated >= target.needed:
        return "validation rows are of one class"
    return f"validation rows hold {point.validated} independent {kind} ones, and {target.needed} are needed"


def _at(point: OperatingPoint, outcome: Outcome, prevalence: float) -> OperatingPoint:
    """With what decisions at its thresholds do."""
    sizes = [each.n_test for each in outcome.rounds]
    alarm = outcome.predictions.values[:, 1] >= np.repeat(point.thresholds, sizes)
    positive = outcome.target == 1

    def rows(among: NDArray[np.bool_]) -> tuple[NDArray[Any] | None, NDArray[Any] | None]:
        weight, clusters = (None if each is None else each[among] for each in (outcome.weight, outcome.clusters))
        return weight, clusters

    def share(hits: NDArray[Any], among: NDArray[Any]) -> Estimate:
        return proportion(hits[among], *rows(among))

    of_positive, of_negative = (
        effective(hits[among], *rows(among)) for hits, among in ((alarm, positive), (~alarm, ~positive))
    )
    point = replace(
        point,
        sensitivity=share(alarm, positive),
        specificity=share(~alarm, ~positive),
        sizes=(float(of_positive[1]), float(of_negative[1])),
        units=outcome.units,
    )
    if not prevalence:
        weight = np.ones(len(outcome)) if outcome.weight is None else outcome.weight
        seen = float(weight @ positive / weight.sum())
        right, clear = share(positive, alarm), share(~positive, ~alarm)
        return replace(point, precision=right, right_negatives=clear, prevalence=seen)
    right, clear = predictive_values(
        point.sensitivity.value, point.specificity.value, point.sizes, prevalence, point.units
    )
    return replace(point, precision=right, right_negatives=clear, prevalence=prevalence, stated=True)
