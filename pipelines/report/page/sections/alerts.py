"""What a day's budget of alerts finds and saves."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.report import readings
from pipelines.report.page.context import Context, plot, plotted, value
from pipelines.report.page.parts import Block, Column, Prose, Row, Section, Table

MEASURES: Mapping[str, str] = {
    "saved_per_day": "saved a day",
    "recall": "frauds found",
    "precision": "alerts right",
    "amount_recall": "money found",
    "card_recall": "cards found",
    "card_hours_to_detection": "hours to card",
    "terminal_hours_to_detection": "hours to terminal",
}
EXPLAINED = (
    "saved: money of frauds that were found, less what looking into all alerts costs.",
    "hours: from the first fraud to the end of the first day with an alert to one, of those found.",
)


def alerts(page: Context) -> Section | None:
    """Alerts of every contender, where the task has them."""
    told = page.report.alerts
    if told is None:
        return None
    names = [name for name in MEASURES if name in told.difference]
    first = names[0]
    plots = plotted(MEASURES[first], [each[first] for each in told.contenders.values()], 0.0, "nothing", hold=True)
    columns = (Column("contender", "name"), *plots, *(Column(MEASURES[name]) for name in names))
    rows = []
    for contender, measured in told.contenders.items():
        drawn = [plot(measured[first], page.side(contender))] if plots else []
        rows.append(Row((contender, *drawn, *(value(measured[name]) for name in names)), page.side(contender)))
    title = "Alerts of every contender" + ("" if told.days == 1 else ", with 95 % intervals")
    blocks: list[Block] = [Prose((readings.alerts(told),)), Table(title, columns, tuple(rows), EXPLAINED)]
    blocks += page.figures("alerts_by_budget")
    lead = (
        f"{readings.alert_budget(told)}: {told.alerts:,} alerts on {told.days:,} tested days with {told.frauds:,} "
        f"frauds, each costing {told.cost:g} to look into."
    )
    return Section("alerts", "Alerts a day", lead, blocks)
