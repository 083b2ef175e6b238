"""Thresholds of each group, so that no group is found, or falsely accused, more often than another.

They equalise odds: true and false positive rates are those of one point that every group's ROC curve reaches or passes
above, and a group whose curve passes above it is brought down by deciding some of its rows by lot. Fitted on
validation rows, never on test rows.

Reference: Hardt, Price and Srebro (2016), Equality of Opportunity in Supervised Learning, arXiv 1610.02413.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.thresholds import Rule
from pipelines.objectives.objective import Predictions

Floats = NDArray[np.float64]

FEWEST = 5
"""Validation rows of each class that a group needs for thresholds of its own."""

EVERYBODY, NOBODY = -1.0, 2.0
"""Cuts below and above any probability."""

SERVED = {"balanced_accuracy": "balanced_accuracy_score", "accuracy": "accuracy_score", "cost": "accuracy_score"}
"""Rules for thresholds that can be served best under equalized odds, and fairlearn's name for each."""

DEAREST = 200
"""How many times dearer than the other one kind of error can be taken to be, at most; from there on hardly a row is
decided the cheaper way. It bounds the memory that copies take."""


@dataclass(frozen=True)
class Mixture:
    """How one group is decided: by one of two cuts, or by lot alone.

    Args:
        by_lot: share of the rows that are decided by lot alone,
        positive: and the chance that these are decided positive.
        first: share of the other rows that are decided at `cuts[0]`; the rest are decided at `cuts[1]`.
        cuts: above which a probability is decided positive.
    """

    by_lot: float
    positive: float
    first: float
    cuts: tuple[float, float]

    def __post_init__(self) -> None:
        shares = (self.by_lot, self.positive, self.first)
        if not all(0 <= share <= 1 for share in shares):
            raise ValueError(f"a share of {shares} is none")
        if len(self.cuts) != 2 or not all(EVERYBODY <= cut <= NOBODY for cut in self.cuts):
            raise ValueError(f"cuts of {self.cuts} are no probabilities")

    def chance(self, probability: Floats) -> Floats:
        """(n,) chance of being decided positive."""
        cut = self.first * (probability > self.cuts[0]) + (1 - self.first) * (probability > self.cuts[1])
        return np.asarray(self.by_lot * self.positive + (1 - self.by_lot) * cut)


@dataclass(frozen=True)
class GroupThresholds:
    """Decisions that look at a row's group.

    Args:
        attribute: the sensitive attribute.
        groups: how each group is decided that had enough validation rows.
        others: groups that were seen, but in too few rows; they are decided at `threshold`, and so is who belongs to
            no known group.
        threshold: at and above which these are decided positive.
        seed: of the lots.
        bands: inner edges of the groups where the attribute is a number cut into bands.
        number: whether the attribute is a number.
    """

    attribute: str
    groups: Mapping[str, Mixture]
    others: tuple[str, ...]
    threshold: float
    seed: int
    bands: tuple[float, ...] = ()
    number: bool = False

    @property
    def seen(self) -> tuple[str, ...]:
        """Every group that there was."""
        return (*self.groups, *self.others)

    def chance(self, probability: Floats, groups: NDArray[Any]) -> Floats:
        """(n,) chance of each row to be decided positive."""
        found = (probability >= self.threshold).astype(np.float64)
        for name, mixture in self.groups.items():
            here = groups == name
            found[here] = mixture.chance(probability[here])
        return found

    def decide(self, predictions: Predictions, groups: NDArray[Any], lots: Floats) -> Predictions:
        """The predictions, decided.

        Args:
            groups: (n,) object str, None where unknown.
            lots: (n,) in [0, 1); a row is decided positive where its lot is below its chance.
        """
        chance = self.chance(np.asarray(predictions.values[:, 1], np.float64), groups)
        return Predictions(predictions.values, (lots < chance).astype(np.int64))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, for `from_dict`."""
        return {
            "attribute": self.attribute,
            "groups": {name: {**vars(each), "cuts": list(each.cuts)} for name, each in self.groups.items()},
            "others": list(self.others),
            "threshold": self.threshold,
            "seed": self.seed,
            "bands": list(self.bands),
            "number": self.number,
        }

    def __str__(self) -> str:
        if not self.groups:
            return (
                f"no two groups of {self.attribute} have {FEWEST} validation rows of each class: one threshold for all"
            )
        drawn = ", ".join(f"{name} {each.by_lot:.0%}" for name, each in self.groups.items())
        rest = f"; too few rows of a class, so one threshold: {', '.join(self.others)}" if self.others else ""
        return f"decided by {self.attribute}; by lot alone: {drawn}{rest}"


def fitted(
    attribute: str,
    target: NDArray[Any],
    probability: Floats,
    groups: NDArray[Any],
    threshold: float,
    seen: tuple[str, ...],
    seed: int,
    rule: str = "balanced_accuracy",
    weight: NDArray[Any] | None = None,
) -> GroupThresholds:
    """Thresholds that equalise odds on validation rows and serve the rule best among those, by fairlearn.

    Args:
        target, probability, groups, weight: (n,) of validation rows; rows of weight 0 are left out, and other weights
            do not count, for fairlearn takes none.
        threshold: for whoever gets none of their own.
        seen: all groups of the training and validation rows.
        rule: how the threshold was chosen, one that is in `SERVED`.
    """
    known = np.array([group is not None for group in groups]) & (True if weight is None else np.asarray(weight) > 0)
    target, probability, groups = (np.asarray(each)[known] for each in (target, probability, groups))
    enough = [
        name for name in seen if np.bincount(target[groups == name].astype(np.int64), minlength=2).min() >= FEWEST
    ]
    found = {}
    if len(enough) > 1:
        here = np.isin(groups.astype(np.str_), enough)
        found = _by_fairlearn(target[here], probability[here], groups[here].astype(np.str_), rule)
    others = tuple(name for name in seen if name not in found)
    return GroupThresholds(attribute, found, others, threshold, seed)


def from_dict(told: Mapping[str, Any]) -> GroupThresholds:
    """What `to_dict` wrote.

    Raises:
        ValueError: it is nothing of the kind.
    """
    try:
        groups = {
            str(name): Mixture(
                float(each["by_lot"]), float(each["positive"]), float(each["first"]), _pair(each["cuts"])
            )
            for name, each in dict(told["groups"]).items()
        }
        threshold, seed, bands = float(told["threshold"]), int(told["seed"]), tuple(map(float, told["bands"]))
        found = GroupThresholds(
            str(told["attribute"]), groups, tuple(map(str, told["others"])), threshold, seed, bands,
            told["number"] is True,
        )  # fmt: skip
    except (LookupError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise ValueError(f"thresholds of groups cannot be read: {error}") from error
    if not (EVERYBODY <= threshold <= NOBODY and seed >= 0 and list(bands) == sorted(set(bands))):
        raise ValueError("thresholds of groups have a threshold, a seed or bands that cannot be")
    return found


def _pair(cuts: Any) -> tuple[float, float]:
    first, second = map(float, cuts)
    return first, second


def _by_fairlearn(target: NDArray[Any], probability: Floats, groups: NDArray[Any], rule: str) -> dict[str, Mixture]:
    from fairlearn.postprocessing import ThresholdOptimizer
    from sklearn.base import BaseEstimator

    class Known(BaseEstimator):  # type: ignore[misc, unused-ignore]
        """For fairlearn an estimator, which gives back the probabilities that it is given."""

        def __sklearn_is_fitted__(self) -> bool:
            return True

        def fit(self, x: Any, y: Any) -> Known:
            return self

        def predict(self, x: Any) -> Any:
            return np.asarray(x)[:, 0]

    served = Rule.parse(rule)
    optimiser = ThresholdOptimizer(
        estimator=Known(),
        constraints="equalized_odds",
        objective=SERVED[served.name],
        prefit=True,
        predict_method="predict",
    )
    rows = np.repeat(np.arange(len(target)), _copies(served)[target.astype(np.int64)])
    optimiser.fit(probability[rows, np.newaxis], target[rows].astype(np.int64), sensitive_features=groups[rows])
    found = optimiser.interpolated_thresholder_.interpolation_dict
    return {str(name): _mixture(each) for name, each in sorted(found.items())}


def _copies(rule: Rule) -> NDArray[np.int64]:
    """(2,) how often a row of each class is taken, so that the fewest errors are those that cost the least.

    Copies of a whole class move no group's ROC curve, only which of its points has the fewest errors, and fairlearn
    weighs no rows. The ratio of two costs is taken to within some 2 %.
    """
    if rule.name != "cost":
        return np.ones(2, np.int64)
    false_alarm, miss = rule.numbers
    ratio = min(max(false_alarm, miss) / min(false_alarm, miss), DEAREST)
    dearer = Fraction(ratio).limit_denominator(max(1, min(20, int(DEAREST / 2 / ratio))))
    copies = np.array([dearer.denominator, dearer.numerator])
    return copies if miss >= false_alarm else copies[::-1]


def _mixture(found: Any) -> Mixture:
    def cut(operation: Any) -> float:
        if operation.operator != ">":
            raise ValueError(f"fairlearn decides by {operation}, which this version does not know")
        return float(np.clip(operation.threshold, EVERYBODY, NOBODY))

    by_lot, positive, first = (float(np.clip(found[each], 0, 1)) for each in ("p_ignore", "prediction_constant", "p0"))
    return Mixture(by_lot, positive, first, (cut(found.operation0), cut(found.operation1)))
