"""What worse pictures do, in the words that the terminal and the page share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelines.report.robustness import STATED_LOSS, Robustness, Worsened, WorsenedLead
from pipelines.report.wording import in_full, interval, number, signed

NAMES: Mapping[str, str] = {"noise": "noise", "blur": "blur", "contrast": "loss of contrast", "jpeg": "JPEG"}
LEVELS = ("mild", "strong", "severe")
UNITS: Mapping[str, str] = {
    "noise": "standard deviation, {:.0%} of the range from black to white",
    "blur": "width of the kernel, {:.1%} of the shorter side",
    "contrast": "{:.0%} of the contrast left",
    "jpeg": "quality {:.0f}",
}


def amount(each: Worsened) -> str:
    """How much of it, in its own unit."""
    value = each.amount
    return UNITS[each.corruption].format(value).replace("%", " %") if each.corruption in UNITS else number(value)


def way(corruption: str, severity: int) -> str:
    """`severe blur`."""
    level = LEVELS[severity - 1] if severity <= len(LEVELS) else f"grade {severity}"
    return f"{level} {NAMES.get(corruption, corruption)}"


def losing(name: str, found: Robustness) -> str:
    """From where on a contender surely loses more than the stated loss, for each corruption."""
    first: dict[str, Worsened] = {}
    for each in found.worsened:
        if each.lost.low > STATED_LOSS:
            first.setdefault(each.corruption, each)
    score = in_full(found.score)
    if not first:
        return f"{name} surely loses more than {STATED_LOSS:g} {score} by nothing that was tried."
    told = [
        f"{way(each.corruption, each.severity)} ({number(each.score.value)} in place of {number(found.clean.value)})"
        for each in first.values()
    ]
    return f"{name} loses more than {STATED_LOSS:g} {score} from {', '.join(told)} on."


def falling_behind(network: str, baseline: str, leads: Sequence[WorsenedLead]) -> str:
    """Where the network is surely worse than the best baseline."""
    behind = [each for each in leads if each.difference.high < 0]
    if not leads:
        return ""
    if not behind:
        return f"Nowhere among these is {network} surely worse than {baseline}, the best baseline."
    told = [
        f"{way(each.corruption, each.severity)} ({signed(each.difference.value)}, "
        f"{interval(each.difference.low, each.difference.high, 3, signed)})"
        for each in behind
    ]
    return f"{network} is worse than {baseline}, the best baseline, on the same pictures with {', '.join(told)}."
