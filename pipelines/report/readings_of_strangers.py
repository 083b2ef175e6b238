"""What is said of inputs unlike the training rows, in the words that the terminal and the page share."""

from __future__ import annotations

from pipelines.report.strangers import Stranger, Strangers
from pipelines.report.wording import together

MOSTLY = 0.5
"""Share of a kind that has to be flagged for it not to be said to pass unnoticed."""


def passing(name: str, found: Strangers) -> str:
    """Which kinds mostly pass unnoticed."""
    unseen = [each for each in found.kinds if each.flagged.value < MOSTLY]
    if not found.kinds:
        return f"Nothing was tried on {name}: no package with other pictures is installed."
    if not unseen:
        return f"{name} tells most of every kind that was tried."
    told = together([f"{each.kind} ({_flagged(each)} flagged)" for each in unseen])
    return f"What {name} mostly takes for its own: {told}."


def usual(name: str, found: Strangers) -> str:
    """How many of the rows that it is for are flagged."""
    share = found.flagged
    ends = f"{100 * share.low:.1f} to {100 * share.high:.1f}"
    said = (
        f"Of {found.rows:,} tested rows {100 * share.value:.1f} % are flagged ({ends}), where {100 * found.share:g} % "
        "of the validation rows are"
    )
    if share.low > found.share:
        return f"{said}: the tested rows themselves are unlike those that {name} learned from."
    return f"{said}."


def left_out(found: Strangers) -> str:
    """Kinds that were not tried; empty where all were."""
    return f"not tried, for their package is not installed: {', '.join(found.left_out)}" if found.left_out else ""


def _flagged(each: Stranger) -> str:
    return f"{100 * each.flagged.value:.0f} %"
