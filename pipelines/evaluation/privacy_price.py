"""What privacy costs: each private contender against the network that it is made of, on the same rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from pipelines.evaluation.comparison import compare
from pipelines.evaluation.intervals import two_classes
from pipelines.evaluation.mitigation import changed_gaps
from pipelines.evaluation.outcome import Outcome
from pipelines.evaluation.verdict import SIGNIFICANCE
from pipelines.objectives.objective import Objective
from pipelines.report.document import Comparison, Estimate, Gap, GapChange, PrivacyPrice, Report, Scorecard

Compared = TypeVar("Compared", Gap, GapChange)

HEADLINES = ("equalized_odds", "accuracy", "mae")
"""Metrics whose gap stands for the others, by what is learned: two classes, several, numbers."""


class Made(NamedTuple):
    """A private contender that was trained, and of which network."""

    contender: str
    base: str
    epsilon: float


def prices(
    made: Sequence[Made],
    cards: Sequence[Scorecard],
    outcomes: Mapping[str, Outcome],
    objective: Objective,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[PrivacyPrice, ...]:
    """What each private contender pays, in the primary score and in gaps between groups.

    Scores are compared as `comparison.compare` does, with p-values corrected for the number of epsilons of a network.
    Of two classes the change of a gap has an interval of the bootstrap that draws the same units for both
    (`mitigation.gap_changes`), as wide as all epsilons together need to err in 5 % of the cases (Bonferroni).

    Args:
        made: in the order in which they are told; whose network was left out is left out.
        cards, outcomes: of all contenders.
    """
    found, by_name = [], {card.name: card for card in cards}
    for base in dict.fromkeys(each.base for each in made if each.base in by_name):
        private = [each for each in made if each.base == base]
        names = [each.contender for each in private]
        tests = compare(base, names, outcomes, objective, objective.primary, resamples, seed)
        for each, test in zip(private, tests, strict=True):
            pair = [(by_name[name], outcomes[name]) for name in (base, each.contender)]
            gaps = _gaps(pair[0], pair[1], objective, resamples, seed, SIGNIFICANCE / len(private))
            found.append(_price(each, test, gaps))
    return tuple(found)


def _price(made: Made, test: Comparison, gaps: tuple[GapChange, ...]) -> PrivacyPrice:
    paid = Estimate(test.difference, test.low, test.high)
    return PrivacyPrice(made.contender, made.base, made.epsilon, paid, test.p_value, test.test, gaps)


def _gaps(
    base: tuple[Scorecard, Outcome],
    private: tuple[Scorecard, Outcome],
    objective: Objective,
    resamples: int,
    seed: int,
    level: float,
) -> tuple[GapChange, ...]:
    """Of every attribute; nothing but for two classes, whose gaps alone have a change with an interval."""
    if not two_classes(base[1].predictions, objective):
        return ()
    sizes = {(gap.attribute, gap.metric): gap.n for gap in base[0].gaps if not gap.intersection}
    return tuple(
        GapChange(attribute, each.name, each.before, each.after, each.change, sizes[attribute, each.name])
        for attribute in dict.fromkeys(attribute for attribute, _ in sizes)
        for each in changed_gaps(attribute, base, private, resamples, seed, level)
    )


def widest(card: Scorecard) -> Gap | None:
    """The widest gap between the groups of one attribute, of the metric that stands for the others; None where no gap
    is known."""
    single = [gap for gap in card.gaps if not gap.intersection and not math.isnan(gap.difference)]
    for metric in HEADLINES:
        if found := [gap for gap in single if gap.metric == metric]:
            return max(found, key=lambda gap: gap.difference)
    return None


def same(found: Sequence[Compared], gap: Gap | None) -> Compared | None:
    """Of the gaps of another contender, or of their changes, the one that has this attribute and metric."""
    which = None if gap is None else (gap.attribute, gap.metric)
    return next((each for each in found if (each.attribute, each.metric) == which), None)


def reading(price: PrivacyPrice, report: Report) -> str:
    """One sentence on what one epsilon costs in the score and in the widest gap; no more than intervals allow."""
    gap = same(price.gaps, widest(report.scorecard(price.base)))
    said = f"epsilon {price.epsilon:g} {_paid(price, report.primary)}"
    return said if gap is None or math.isnan(gap.change.low) else f"{said}; {_widened(gap)}"


def _paid(price: PrivacyPrice, primary: str) -> str:
    name, paid = ("AUROC" if primary == "auroc" else primary.replace("_", " ")), price.score
    if not price.p_value < SIGNIFICANCE:
        return f"costs no {name} that could be told from chance ({paid.value:+.3f})"
    return f"costs {paid.value:.3f} {name}" if paid.value > 0 else f"even gains {-paid.value:.3f} {name}"


def _widened(gap: GapChange) -> str:
    name, change = f"{gap.metric.replace('_', ' ')} gap by {gap.attribute}", gap.change
    if change.low > 0:
        return f"the {name} widens by {change.value:.3f}"
    if change.high < 0:
        return f"the {name} narrows by {-change.value:.3f}"
    return f"the {name} changes by {change.value:+.3f}, which may be chance"
