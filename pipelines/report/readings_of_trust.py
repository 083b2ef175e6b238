"""What the parts of a report on trust say, in the words that the terminal and the page share: people, reasons, cost."""

from __future__ import annotations

import math

from pipelines.evaluation.guarantee import fewest
from pipelines.report.document import Report
from pipelines.report.explanation import SAME, Explanation
from pipelines.report.machine import Machine
from pipelines.report.oversight import Oversight
from pipelines.report.wording import interval, number, short

SUREST = 0.1
"""Share of the decisions that is told of where nothing may be automated."""


def percent(error: float) -> str:
    """A stated error as people say it: `5 %`."""
    return f"{100 * error:g} %"


def nothing_automated(name: str, found: Oversight) -> str:
    """Why nothing may be automated, in words."""
    at, needed = percent(found.at), fewest(found.at)
    surest = next(each.error for each in found.curve if each.coverage >= SUREST)
    said = (
        f"nothing may be automated by {name} at {at}: of the surest {percent(SUREST)} of its tested decisions "
        f"{100 * surest.value:.1f} % are wrong ({100 * surest.low:.1f} to {100 * surest.high:.1f})"
    )
    if found.rows < needed:
        return f"{said}; validation rows worth {found.rows} cannot promise {at}, which takes {needed} without an error"
    return f"{said}; {few_validated(found)}" if surest.value <= found.at else said


def few_validated(found: Oversight) -> str:
    """How much more there would be to automate if validation rows could promise it."""
    share = max((each.coverage for each in found.curve if each.error.value <= found.at), default=0.0)
    return (
        f"validation rows (worth {found.rows}) promise less than there is, for of the surest {percent(share)} of the "
        f"tested decisions no more than {percent(found.at)} are wrong; a larger protocol.valid promises more"
    )


def randomised(found: Explanation) -> str:
    """What the randomisation test says of the parts."""
    said = f"{number(found.randomisation.value, 2)} ({interval(found.randomisation.low, found.randomisation.high, 2)})"
    if found.sane:
        return f"with weights drawn anew the order of parts is another one (rank correlation {said})"
    # Of few parts even an order by chance is often much like another one.
    order = "may be much the same" if found.randomisation.value < SAME else "is much the same"
    return (
        f"with weights drawn anew the order of parts {order} (rank correlation {said}; its upper end should "
        f"be below {SAME}): these parts may tell what rows look like, and little of what was learned"
    )


def used(document: Report, machine: Machine) -> list[str]:
    """How much of the machine's product of matrices each network's training came to."""
    found = {card.name: card.cost for card in document.contenders if card.kind != "classical"}
    return [
        f"{name} trained at {short(cost.train_flops / cost.train_seconds)}FLOP/s, "
        f"{number(100 * cost.used(machine.matmul_gflops))} % of the product of matrices that was measured here "
        f"({number(machine.matmul_gflops)} GFLOP/s), tracing and validation included"
        for name, cost in found.items()
        if not math.isnan(cost.used(machine.matmul_gflops))
    ]
