"""What privacy costs as a table for a person: every epsilon beside the network without."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.cli import layout
from pipelines.cli.layout import interval, number, signed, spoken
from pipelines.evaluation import membership
from pipelines.evaluation.privacy_price import reading, same, widest
from pipelines.report.document import Estimate, Gap, PrivacyPrice, Report, Scorecard
from pipelines.report.readings import p_value

EXPLAINED = (
    "paid: how much worse than without privacy on the same rows, p corrected for the epsilons (Holm); intervals of a "
    "gap's change hold for all epsilons together (Bonferroni); attack: AUC of the one that tells most, 0.5 is guessing"
)


def prices(console: Console, document: Report) -> None:
    """What each network pays at every epsilon: in the score, in its widest gap, and what is left to an attack."""
    for base in dict.fromkeys(each.base for each in document.privacy_price):
        paid = [each for each in document.privacy_price if each.base == base]
        console.print(layout.widest(console, (partial(_table, document, base, paid, wide) for wide in (True, False))))
        console.print(EXPLAINED, style="dim")
        for each in paid:
            console.print(escape(f"{base} at {reading(each, document)}."))
        console.print()


def _table(document: Report, base: str, paid: list[PrivacyPrice], wide: bool) -> Table:
    """A row an epsilon under one without privacy; where it is narrow, intervals stand under their values."""
    plain, score = document.scorecard(base), spoken(document.primary)
    gap, attacked = widest(plain), bool(plain.membership)
    table = layout.table(f"what privacy costs {base}" + (f"; {_about(gap)}" if gap is not None else ""))
    layout.words(table, "epsilon")
    layout.numbers(table, score, "paid, p" + _ends(wide))
    if gap is not None:
        layout.numbers(table, "gap", "change" + _ends(wide))
    layout.numbers(table, *(["attack" + _ends(wide)] if attacked else []), "train s")
    for card, each in ((plain, None), *((document.scorecard(each.contender), each) for each in paid)):
        table.add_row(
            "none" if each is None else f"{each.epsilon:g}",
            number(card.scores[document.primary].value),
            "" if each is None else _cell(each.score, wide, signed, f", {p_value(each.p_value)}"),
            *([] if gap is None else _gap(card, each, gap, wide)),
            *([_cell(membership.worst(card.membership), wide)] if attacked else []),
            f"{card.cost.train_seconds:,.1f}",
        )
    return table


def _about(gap: Gap) -> str:
    lower, upper = (f"{escape(group)} ({n:,})" for group, n in zip(gap.groups, gap.n, strict=True))
    return f"gap: {spoken(gap.metric)} by {escape(gap.attribute)}, without privacy between {lower} and {upper}"


def _gap(card: Scorecard, paid: PrivacyPrice | None, gap: Gap, wide: bool) -> list[str]:
    """The gap, and how it differs from that without privacy."""
    found, change = same(card.gaps, gap), None if paid is None else same(paid.gaps, gap)
    size = "-" if found is None else number(found.difference)
    return [size, "" if change is None else _cell(change.change, wide, signed)]


def _ends(wide: bool) -> str:
    return " (95 % interval)" if wide else ""


def _cell(of: Estimate, wide: bool, how: Callable[[float, int], str] = number, more: str = "") -> str:
    """A value, and what belongs to it, with the interval beside or under them."""
    value, ends = how(of.value, 3) + more, interval(of.low, of.high, how=how)
    return value if ends == "-" else f"{value} ({ends})" if wide else f"{value}\n{ends}"
