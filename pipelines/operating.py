"""Operating points in a run, from what a protocol asks for to what a report tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pipelines.errors import BadInput
from pipelines.evaluation import operating
from pipelines.evaluation.outcome import Outcome
from pipelines.objectives.objective import Objective
from pipelines.objectives.operating import Chosen, chosen, targets
from pipelines.report.document import Comparison
from pipelines.report.operating import OperatingPoint
from pipelines.task import Protocol

if TYPE_CHECKING:
    from pipelines.prepare import Prepared


def require_targets(protocol: Protocol, declared: Protocol, objective: Objective | None = None) -> None:
    """Make sure that the points that are asked for can be had.

    Args:
        declared: what the task asks for by itself, which is left out where there are not two classes.
        objective: None before the data are read.

    Raises:
        BadInput: with the setting, and why.
    """
    try:
        targets(protocol.operate_at)
    except ValueError as error:
        raise BadInput(f"--set protocol.operate_at={protocol.operate_at}: {error}") from error
    if protocol.prevalence and not protocol.operate_at:
        raise BadInput(
            f"--set protocol.prevalence={protocol.prevalence:g} does nothing without operating points; say which, as "
            "in protocol.operate_at=specificity:0.9"
        )
    for name in ("operate_at", "prevalence"):
        asked = getattr(protocol, name)
        if asked and asked != getattr(declared, name) and objective is not None:
            if getattr(objective, "binary", False):
                continue
            raise BadInput(f"--set protocol.{name}={asked} is for two classes, which this target has not; leave it out")


def chosen_on(validated: Outcome, prepared: Prepared) -> tuple[Chosen, ...]:
    """The thresholds that validation rows choose; none where there are not two classes.

    Args:
        validated: the validation rows, as if they had been tested.
    """
    if not getattr(prepared.objective, "binary", False):
        return ()
    rows = (validated.target, validated.predictions.values[:, 1], validated.weight, validated.clusters)
    return tuple(chosen(each, *rows) for each in targets(prepared.protocol.operate_at))


def points_of(
    outcome: Outcome, by_round: Sequence[Sequence[Chosen]], prepared: Prepared, seed: int
) -> tuple[OperatingPoint, ...]:
    """What the tested rows show at each point.

    Args:
        by_round: what was chosen for each round of the outcome.
    """
    protocol = prepared.protocol
    return operating.measured(outcome, by_round, protocol.prevalence, protocol.resamples, seed)


def leads(
    outcomes: Mapping[str, Outcome], network: str, baseline: str, prepared: Prepared, seed: int
) -> tuple[Comparison, ...]:
    """The network's lead over the best baseline at each point; none where there are not two classes."""
    if not getattr(prepared.objective, "binary", False):
        return ()
    asked = targets(prepared.protocol.operate_at)
    return operating.leads(network, baseline, outcomes, asked, prepared.protocol.resamples, seed)
