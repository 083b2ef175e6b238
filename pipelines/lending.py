"""Of two classes: points, directions and referrals in a run, from what a protocol asks for to what a report tells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipelines.contenders.acting import Acting, usual_of
from pipelines.data.directions import directions_of
from pipelines.errors import BadInput
from pipelines.evaluation import comparison, referred, thresholds
from pipelines.evaluation.outcome import Outcome
from pipelines.objectives.objective import Objective, Predictions
from pipelines.objectives.referral import ReferralRule, Zone, choose
from pipelines.report.document import Comparison
from pipelines.report.lending import PointsRow, Referral
from pipelines.task import OBEYING, Dataset, Protocol

if TYPE_CHECKING:
    from pipelines.journal import Finished
    from pipelines.prepare import Prepared


def require_rule(protocol: Protocol) -> None:
    """Make sure that the rule for referrals is one.

    Raises:
        BadInput: it is none.
    """
    if not protocol.refer:
        return
    try:
        ReferralRule.parse(protocol.refer)
    except ValueError as error:
        raise BadInput(f"--set protocol.refer={protocol.refer}: {error}") from error


def directions_for(dataset: Dataset, objective: Objective, protocol: Protocol) -> Mapping[str, int]:
    """Which way the risk may move with each column; none where there are not two classes.

    Raises:
        BadInput: what is asked for cannot be had with this data.
    """
    two = getattr(objective, "binary", False)
    asked = {"monotone": protocol.monotone, "refer": protocol.refer, "obey": protocol.obey.removeprefix("no")}
    for name, value in asked.items():
        if value and not two:
            raise BadInput(f"--set protocol.{name}={value} is for two classes, which this target has not; leave it out")
    found = directions_of(dataset, protocol.monotone) if two else {}
    if protocol.obey == "yes" and not found:
        raise BadInput(
            "--set protocol.obey=yes: no direction is declared for this data; say which, as in "
            "protocol.monotone=Debt:up,Income:down"
        )
    return found


def zone_of(validated: Predictions, truth: Any, prepared: Prepared, threshold: float, weight: Any) -> Zone | None:
    """Which probabilities a person decides on, by what validation rows show; None where nobody is referred."""
    if not prepared.protocol.refer or math.isnan(threshold):
        return None
    rule = ReferralRule.parse(prepared.protocol.refer)
    return choose(truth, validated.values[:, 1], rule, threshold, _costs(prepared.objective), weight)


def referral_of(outcome: Outcome, zones: Sequence[Zone | None], prepared: Prepared) -> Referral | None:
    """What is left to decide when a person decides the rest.

    Args:
        zones: one a round of the outcome.

    Returns:
        None where nobody is referred, or decisions are made at thresholds of groups.
    """
    known = [each for each in zones if each is not None]
    if not known or len(known) < len(zones):
        return None
    rule = ReferralRule.parse(prepared.protocol.refer)
    refers = [
        zone.refers(outcome.predictions.values[part.start : part.stop, 1])
        for zone, part in zip(known, outcome.rounds, strict=True)
    ]
    costs = (*_costs(prepared.objective), rule.number) if rule.name == "cost" else None
    return referred.measured(outcome, refers, prepared.protocol.refer, (known[0].low, known[0].high), costs)


def card_of(model: Any, prepared: Prepared) -> tuple[PointsRow, ...]:
    """Of a scorecard, its bins and their points."""
    card, scale = getattr(getattr(model, "estimator", None), "card", None), prepared.points
    return () if card is None or scale is None else tuple(card(scale))


def acting_of(done: Finished, prepared: Prepared, only_ranks: bool = False) -> Acting:
    """What those who act on the answers of the first fold's model are told beside them.

    Args:
        done: that fold.
        only_ranks: the answers are no probabilities, so they have no odds and no points.
    """
    points = None if only_ranks else prepared.points
    usual = usual_of(prepared.dataset.examples.take(prepared.folds[0].train))
    return Acting(points, done.zone, usual, done.automation)


def obeying(outcomes: Mapping[str, Outcome], objective: Objective, resamples: int, seed: int) -> tuple[Comparison, ...]:
    """What obeying costs each baseline that was made to, against itself."""
    made = [(name, name.removesuffix(OBEYING)) for name in outcomes if name.endswith(OBEYING)]
    pairs = [(name, base) for name, base in made if base in outcomes]
    return tuple(
        test
        for name, base in pairs
        for test in comparison.compare(name, [base], outcomes, objective, objective.primary, resamples, seed)
    )


def _costs(objective: Objective) -> tuple[float, float]:
    """Of a false alarm and of a miss: those of the rule for decisions, where it names some."""
    rule = thresholds.Rule.parse(getattr(objective, "decide_by", "balanced_accuracy"))
    return (rule.numbers[0], rule.numbers[1]) if rule.name == "cost" else (1.0, 1.0)
