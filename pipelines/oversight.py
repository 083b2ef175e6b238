"""What a run has for people in the loop: it brings what validation rows chose together with what a report tells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation import oversight
from pipelines.evaluation.guarantee import Guarantee, least_confidences
from pipelines.evaluation.outcome import Outcome
from pipelines.objectives.automation import NOTHING, Automation, confidence
from pipelines.objectives.objective import Objective, Predictions
from pipelines.report.oversight import Oversight, OversightLead

ERRORS = (0.01, 0.02, 0.05, 0.1)
"""Stated errors that a run always tells of, beside the one that is asked for."""


def automation_of(validated: Outcome, objective: Objective, at: float, around: float = math.nan) -> Automation | None:
    """From which confidence on decisions need no person, by what validation rows show; None of what decides no class.

    A number or an allocation comes without a word on how sure it is, and what is an error of it nobody has said.

    Args:
        validated: the validation rows with their decisions, as if they had been tested.
        at: the stated error that is acted on.
        around: the threshold, where answers only rank.
    """
    if objective.kind != "classification":
        return None
    wrong = validated.predictions.labels() != validated.target
    sure = confidence(validated.predictions, around)
    found = Guarantee.of(wrong, sure, validated.weight, validated.clusters)
    least = least_confidences(found, sorted({*ERRORS, at}), NOTHING)
    return Automation(at, least, int(found.rows), around)


def oversight_of(outcome: Outcome, chosen: Sequence[Automation | None], objective: Objective) -> Oversight | None:
    """What is automated of the tested rows, and what is left to persons.

    Args:
        chosen: one a round of the outcome.
    """
    known = [each for each in chosen if each is not None]
    if not known or len(known) < len(chosen):
        return None
    sure = np.concatenate([each.confidence(part) for each, part in zip(known, _by_round(outcome), strict=True)])
    automated = {error: _automated(outcome, known, error) for error in known[0].least}
    never = [error for error in automated if all(each.least[error] == NOTHING for each in known)]
    classes: Any = objective
    return oversight.measured(outcome, sure, automated, known[0].at, known[0].rows, classes.classes, never)


def lead_of(
    outcomes: Mapping[str, Outcome], chosen: Mapping[str, Sequence[Automation | None]], network: str, baseline: str
) -> OversightLead | None:
    """How much more the network automates than the baseline, of the same rows."""
    flags = []
    for name in (network, baseline):
        known = [each for each in chosen[name] if each is not None]
        if not known:
            return None
        flags.append(_automated(outcomes[name], known, known[0].at))
    return OversightLead(network, baseline, known[0].at, oversight.more(outcomes[network], *flags))


def _automated(outcome: Outcome, chosen: Sequence[Automation], error: float) -> NDArray[np.bool_]:
    """(n,) whether each tested decision needs no person, by the cut-off of its own round."""
    rounds = zip(chosen, _by_round(outcome), strict=True)
    return np.concatenate([each.automates(part, error) for each, part in rounds])


def _by_round(outcome: Outcome) -> list[Predictions]:
    return [outcome.predictions.take(np.arange(each.start, each.stop)) for each in outcome.rounds]
