"""What a tuning found, as tables for a person."""

from __future__ import annotations

import shlex
from functools import partial

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.cli import layout
from pipelines.cli.layout import number, spoken
from pipelines.report.document import Report
from pipelines.report.tuning import Search, Tuning


def searches(console: Console, document: Report) -> None:
    """What each contender's budget was spent on, and what it gained on validation rows; nothing without a tuning."""
    told = document.tuning
    if told is None:
        return
    console.print(layout.widest(console, (partial(_searches, document, told, wide) for wide in (True, False))))
    for line in _remarks(document, told):
        console.print(escape(line), style="dim")
    console.print()


def pasted(console: Console, document: Report) -> None:
    """The network's best settings as flags of `tapeline run`, of the fold whose model is kept."""
    told = document.tuning
    if told is None:
        return
    for card in document.contenders:
        found = told.of(card.name)
        if card.kind != "network" or not found or len(found[0].tried) < 2:
            continue
        settings = found[0].chosen.settings
        flags = " ".join(f"--set {shlex.quote(f'recipe.{name}={value}')}" for name, value in settings.items())
        where = " of fold 1, whose model is kept" if len(found) > 1 else ""
        console.print(f"\nthe best settings of {escape(card.name)}{where}:")
        console.print(escape(flags), soft_wrap=True)


def _searches(document: Report, told: Tuning, wide: bool) -> Table:
    several, gap = max(each.fold for each in told.searches) > 1, " " if wide else "\n"
    where = " on each fold" if several else ""
    table = layout.table(
        f"tuning: {told.budget} for each contender{where}; {spoken(document.primary)} on validation rows"
    )
    layout.words(table, "contender")
    layout.numbers(table, "trials", *(["failed"] if any(each.failed for each in told.searches) else []))
    layout.numbers(table, "seconds", "untuned", "best")
    layout.words(table, f"best settings{gap}(fold 1)" if several else "best settings", folds=True)
    for card in document.contenders:
        if found := told.of(card.name):
            table.add_row(card.name, *_cells(found, len(table.columns) == 7))
    return table


def _cells(found: tuple[Search, ...], failed: bool) -> list[str]:
    """Trials and seconds of a fold, as a range where folds differ; scores as means over folds."""
    made = [len(each.tried) for each in found]
    chosen = found[0].chosen
    settings = [f"{name.rpartition('__')[2]} {_short(value)}" for name, value in chosen.settings.items()]
    best = [each.chosen.score for each in found]
    untuned = [each.tried[0].score for each in found]
    return [
        str(made[0]) if len(set(made)) == 1 else f"{min(made)}-{max(made)}",
        *([str(sum(each.failed for each in found))] if failed else []),
        f"{sum(each.seconds for each in found):,.1f}",
        number(float(np.mean(untuned)), 4),
        number(float(np.mean(best)), 4),
        escape(", ".join(settings) or "nothing to tune"),
    ]


def _remarks(document: Report, told: Tuning) -> list[str]:
    """What makes budgets unequal, or scores hard to read."""
    said = ["scores on validation rows are those that were chosen by; the table of contenders has the tested ones"]
    if told.pinned:
        said.append(f"not searched, because it was set: {', '.join(told.pinned)}")
    alone = [card.name for card in document.contenders if all(len(each.tried) == 1 for each in told.of(card.name))]
    if alone and told.trials != 1:
        said.append(f"one trial each, as there is nothing to tune or no time was left: {', '.join(alone)}")
    early = [card.name for card in document.contenders if card.name not in alone and told.trials and any(
        len(each.tried) < told.trials for each in told.of(card.name))]  # fmt: skip
    if early:
        said.append(f"fewer trials, as every setting was tried: {', '.join(early)}")
    return said


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
