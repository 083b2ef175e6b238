"""For lenders: the scorecard in short, which way risk moves, and who is referred to a person."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.cli import layout
from pipelines.cli.layout import interval, number, signed, spoken
from pipelines.cli.show_bias import with_interval
from pipelines.points import Points
from pipelines.report.document import Estimate, Report, Scorecard
from pipelines.report.lending import Direction, PointsRow, Referral, ReferralGap, ReferredGroup
from pipelines.report.readings import referred_more

HEADINGS = {
    "right": "right", "right_positive": "right positive", "right_negative": "right negative",
    "balanced_accuracy": "balanced accuracy", "right_of_all": "right of all", "cost_per_1000": "cost per 1000",
    "cost_change_per_1000": "change",
}  # fmt: skip
"""Of what is left to decide; where it is narrow, the first word stands above the others."""
RIGHT = (
    "right: share decided rightly, of all that is not referred and of what is decided positive or negative; of all: as "
    "if nobody were referred"
)


def tables(console: Console, document: Report) -> None:
    """All of it that the report has."""
    for card in document.contenders:
        if card.points and document.points and card.kind != "mitigated":
            _in_short(console, card, Points.parse(document.points))
    _directions(console, document)
    _referrals(console, document)


def _in_short(console: Console, card: Scorecard, scale: Points) -> None:
    """The bins with the fewest and the most points of each column, those that matter most first."""
    rows: dict[str, list[PointsRow]] = {}
    for row in card.points:
        rows.setdefault(row.column, []).append(row)
    ends = {name: (min(each, key=_points), max(each, key=_points)) for name, each in rows.items()}
    said = f"{scale.base:g} points at odds of {scale.odds:g} to 1, {scale.pdo:g} more double them"
    table = layout.table(f"{card.name} in short: {said}")
    layout.words(table, "column", folds=True)
    layout.numbers(table, "fewest")
    layout.words(table, "", folds=True)
    layout.numbers(table, "most")
    layout.words(table, "", folds=True)
    ends = {name: each for name, each in ends.items() if each[1].points - each[0].points >= 1}
    for name, (fewest, most) in sorted(ends.items(), key=lambda each: _points(each[1][0]) - _points(each[1][1])):
        cells = (f"{fewest.points:.0f}", escape(fewest.bin), f"{most.points:.0f}", escape(most.bin))
        table.add_row(escape(name), *cells)
    console.print(table)
    console.print(f"every bin is in the report (--json) and in {card.name}'s scorecard.csv\n", style="dim")


def _points(row: PointsRow) -> float:
    return row.points


def _directions(console: Console, document: Report) -> None:
    """A row a contender: of how many rows the risk moves the wrong way with each column, and by how much at most."""
    cards = [card for card in document.contenders if card.directions]
    if not cards:
        return
    console.print(layout.widest(console, (partial(_ways, cards, lines) for lines in (1, 2, 3))))
    asked = f"{cards[0].directions[0].n:,} tested rows, each column set from its 5 % to its 95 % quantile"
    console.print(f"share of {asked}, and the largest wrong move in probability", style="dim")
    for test in document.obeying:
        lead = f"{signed(test.difference, 4)} {spoken(test.score)}, {interval(test.low, test.high, 4, signed)}"
        chance = "" if test.low > 0 or test.high < 0 else ", which may be chance"
        console.print(f"{escape(test.contender)} against {escape(test.baseline)}: {lead}{chance}")
    console.print()


def _ways(cards: Sequence[Scorecard], lines: int) -> Table:
    """A heading takes so many lines: one where the terminal is wide; of three, a cell takes two as well."""
    table = layout.table("does risk move the wrong way when a column alone rises?")
    layout.words(table, "contender")
    for each in cards[0].directions:
        must = "must not fall" if each.direction > 0 else "must not rise"
        heading = f"{escape(each.column)}: {must}" if lines == 1 else f"{escape(each.column)}\n{must}"
        layout.numbers(table, heading.replace("not ", "not\n") if lines == 3 else heading)
    for card in cards:
        table.add_row(escape(card.name), *(_wrong(each, "\n" if lines == 3 else ", ") for each in card.directions))
    return table


def _wrong(each: Direction, apart: str) -> str:
    if each.wrong.value != each.wrong.value:
        return "undefined"
    return "never" if each.wrong.value == 0 else f"{100 * each.wrong.value:.0f} %{apart}{number(each.largest)}"


def _referrals(console: Console, document: Report) -> None:
    """What is left to decide when a person decides the rest, and of the network which groups are referred more."""
    found = {card.name: card.referral for card in document.contenders if card.referral is not None}
    if not found:
        return
    rule = next(iter(found.values())).rule
    console.print(layout.widest(console, (partial(_left, rule, found, wide) for wide in (True, False))))
    console.print(f"{RIGHT}\n", style="dim")
    referral = found.get(document.verdict.network)
    for kind in ("positive", "negative"):
        right = math.nan if referral is None else referral.scores[f"right_{kind}"].value
        if math.isnan(right) and referral is not None and referral.referred.value < 1:
            console.print(f"{document.verdict.network} decides no tested row {kind} by itself: it is not sure enough\n")
    if referral is not None and referral.groups:
        title = f"who goes to a person, of {document.verdict.network}'s cases"
        who_goes(console, title, "referred", referral.groups, referral.gaps)


def who_goes(
    console: Console, title: str, verb: str, groups: Sequence[ReferredGroup], gaps: Sequence[ReferralGap]
) -> None:
    """Of each group what goes to a person and how good the rest is, and which group goes more often.

    Args:
        verb: what happens to those who go to a person.
    """
    table = layout.table(title)
    layout.words(table, "group")
    layout.numbers(table, "n", verb, "95 % interval", "right", "95 % interval")
    attribute = ""
    for row in groups:
        if row.attribute != attribute:
            attribute = row.attribute
            table.add_row(f"[bold]{escape(attribute)}[/bold]")
        told = [(number(each.value), interval(each.low, each.high)) for each in (row.referred, row.right)]
        table.add_row(escape(row.group), f"{row.n:,}", *told[0], *told[1])
    console.print(table)
    for gap in gaps:
        console.print(escape(referred_more(gap, verb)))
    console.print()


def _left(rule: str, found: dict[str, Referral], wide: bool) -> Table:
    table = layout.table(f"cases for a person, by {rule}, chosen on validation rows (95 % intervals)")
    layout.words(table, "contender")
    first = next(iter(found.values()))
    names = [name for name in HEADINGS if name in first.scores and (wide or name != "balanced_accuracy")]
    spelt = (HEADINGS[name] if wide else HEADINGS[name].replace(" ", "\n", 1) for name in names)
    layout.numbers(table, "referred", *spelt)
    columns = list(zip(*(_values(each, names) for each in found.values()), strict=True))
    for name, each in found.items():
        cells = zip(_values(each, names), columns, strict=True)
        table.add_row(escape(name), *(with_interval(value, wide, column=column) for value, column in cells))
    return table


def _values(referral: Referral, names: Sequence[str]) -> list[Estimate]:
    return [referral.referred, *(referral.scores[name] for name in names)]
