"""The figure of alerts: what every budget a day would have found and saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.report.alerts import AlertReport
from pipelines.report.figures import COLOURS, DASHES, GREY, _blank, _title

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANELS = (("saved_per_day", "money saved a day, net of all alerts"), ("recall", "share of frauds found"))
GUESSING = "prior"


def by_budget(told: AlertReport) -> Figure:
    """Money saved and frauds found against alerts a day; bands: 95 % intervals of the network and the best baseline.

    Contenders that rank nothing are left out.
    """
    figure = _blank(10.4, 4.8)
    panels = figure.subplots(1, 2)
    budgets = [each.alerts_per_day for each in told.by_budget]
    for axes, (measure, label) in zip(panels, PANELS, strict=True):
        for place, name in enumerate(name for name in told.contenders if name != GUESSING):
            estimates = [each.contenders[name][measure] for each in told.by_budget]
            colour = COLOURS[place % len(COLOURS)]
            dashes = DASHES[place % len(DASHES)]
            axes.plot(budgets, [each.value for each in estimates], dashes, color=colour, linewidth=1.5, label=name)
            if name in (told.network, told.baseline):
                ends = [each.low for each in estimates], [each.high for each in estimates]
                axes.fill_between(budgets, *ends, color=colour, alpha=0.15, linewidth=0)
        axes.axvline(told.alerts / told.days, color=GREY, linewidth=1, linestyle=":", label="the budget asked for")
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xlabel("alerts a day")
        axes.set_ylabel(label)
        axes.grid(visible=True, which="both", alpha=0.3)
    panels[0].axhline(0, color=GREY, linewidth=0.8)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", fontsize=8, frameon=False)
    days = "one tested day" if told.days == 1 else f"{told.days} tested days"
    _title(figure, f"What a day's alerts find and save on {days}, each alert costing {told.cost:g}")
    return figure
