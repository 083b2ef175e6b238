"""The figure of what privacy costs: the score, the widest gap and what an attack tells, by epsilon."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from pipelines.evaluation import membership
from pipelines.evaluation.privacy_price import same, widest
from pipelines.report.document import Estimate, Report, Scorecard
from pipelines.report.figures import COLOURS, GREY, _blank, _spoken, _title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BEYOND = 4.0
"""How many times the largest epsilon the network without privacy is drawn at, whose epsilon is infinite."""
ASIDE = 1.04
"""By which factor networks are drawn beside each other, so that their intervals are told apart."""


class Panel(NamedTuple):
    """What is shown of a contender, given the network that it is made of; and the value that says nothing."""

    name: str
    of: Callable[[Scorecard, Scorecard], Estimate | None]
    nothing: float = math.nan


def price(report: Report) -> Figure:
    """Each network at every epsilon and, at infinity, without privacy; lines are 95 % intervals."""
    bases = list(dict.fromkeys(each.base for each in report.privacy_price))
    epsilons = sorted({each.epsilon for each in report.privacy_price})
    panels = [Panel(_spoken(report.primary), lambda base, card: card.scores[report.primary])]
    if gaps := {gap.metric: gap.attribute for name in bases if (gap := widest(report.scorecard(name))) is not None}:
        panels.append(Panel(" and ".join(f"{_spoken(each)} gap by {of}" for each, of in gaps.items()), _gap))
    if any(card.membership for card in report.contenders):
        panels.append(Panel("AUC of the attack that tells most", _attack, nothing=0.5))
    figure = _blank(4.2 * len(panels), 4.4)
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        axes.set_ylabel(panel.name)
        axes.axhline(panel.nothing, color=GREY, linewidth=1, linestyle=":")
        for place, base in enumerate(bases):
            _line(axes, report, base, place, panel.of, BEYOND * epsilons[-1])
        _across(axes, epsilons)
    if len(bases) > 1:
        figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside right upper", fontsize=8, frameon=False)
    told = "" if len(bases) > 1 else f" {bases[0]}"
    _title(figure, f"What privacy costs{told}: further left protects more\n(∞: without privacy; lines: 95 % intervals)")
    return figure


def _line(
    axes: Axes,
    report: Report,
    base: str,
    place: int,
    of: Callable[[Scorecard, Scorecard], Estimate | None],
    infinite: float,
) -> None:
    made = sorted((each.epsilon, each.contender) for each in report.privacy_price if each.base == base)
    plain = report.scorecard(base)
    points = [(epsilon, of(plain, report.scorecard(name))) for epsilon, name in (*made, (infinite, base))]
    found = [(epsilon * ASIDE**place, each) for epsilon, each in points if each is not None]
    colour = COLOURS[place % len(COLOURS)]
    axes.plot([x for x, _ in found], [each.value for _, each in found], "o-", color=colour, markersize=5, label=base)
    for x, each in found:
        axes.plot([x, x], [each.low, each.high], color=colour, linewidth=1, alpha=0.6)


def _across(axes: Axes, epsilons: list[float]) -> None:
    from matplotlib.ticker import NullLocator

    axes.set_xscale("log")
    axes.set_xticks([*epsilons, BEYOND * epsilons[-1]], [*(f"{each:g}" for each in epsilons), "∞"])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("epsilon")
    axes.grid(visible=True, alpha=0.3)


def _gap(base: Scorecard, card: Scorecard) -> Estimate | None:
    """The gap of a contender that is widest in the network without privacy."""
    found = same(card.gaps, widest(base))
    return None if found is None else Estimate(found.difference, found.low, found.high)


def _attack(base: Scorecard, card: Scorecard) -> Estimate | None:
    found = membership.worst(card.membership)
    return None if math.isnan(found.value) else found
