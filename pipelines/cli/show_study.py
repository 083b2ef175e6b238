"""A study as tables for a person: scores by amount of data, the network's lead at each, and what they say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.cli import layout
from pipelines.cli.layout import interval, number, signed, spoken
from pipelines.evaluation.verdict import SIGNIFICANCE
from pipelines.report.document import Comparison, Estimate
from pipelines.report.study import Size, Study


def study(console: Console, document: Study) -> None:
    """The whole answer: a row a size, the leads, what doubling gave, and the sentences."""
    data = document.data
    kind = "simulated data" if data.simulated else "real data"
    console.print(f"[bold]{document.task}[/bold] on {escape(data.source)}: {data.rows:,} rows of {kind}")
    console.print(f"{escape(data.protocol)}; each size is tested on the same {document.tested:,} rows\n", style="dim")
    names = [name for name, kind in document.names.items() if kind not in ("mitigated", "private")]
    console.print(
        layout.widest(console, [partial(_sizes, document, names, how) for how in ("wide", "two lines", "bare")])
    )
    if left := len(document.names) - len(names):
        console.print(f"mended contenders, {left} of them, are in the report of each size (`tapeline ui`)", style="dim")
    console.print()
    for reading in document.readings:
        console.print(layout.widest(console, [partial(_leads, document, reading.network)]))
        console.print()
    if document.gains:
        console.print(_gains(document))
        console.print()
    for size in document.sizes:
        for name, why in size.left_out.items():
            console.print(f"{escape(name)} is left out at {size.rows:,} rows: {escape(why)}")
    for reading in document.readings:
        console.print(f"[bold]{escape(reading.sentence)}[/bold]")
    console.print(f"{document.seconds:.0f} s; MLflow run {document.mlflow_run_id}; `tapeline ui` opens it", style="dim")


def _sizes(document: Study, names: Sequence[str], how: str) -> Table:
    direction = "higher" if document.greater_is_better else "lower"
    bare = "" if how == "bare" else ", 95 % intervals"
    table = layout.table(f"{spoken(document.primary)} ({direction} is better) by rows learned from{bare}")
    layout.numbers(table, "rows", "of all")
    layout.numbers(table, *(name if how == "wide" else name.replace("-", "-\n", 1) for name in names))
    for size in document.sizes:
        best = _best(size, document)
        cells = [_cell(size, name, document.primary, how, name == best) for name in names]
        table.add_row(f"{size.rows:,}", f"{100 * size.share:.3g} %", *cells)
    return table


def _cell(size: Size, name: str, score: str, how: str, best: bool) -> str:
    found = size.learner(name)
    if found is None:
        return "-"
    each = found.scores.get(score, Estimate(math.nan))
    value = f"[bold]{number(each.value)}[/bold]" if best else number(each.value)
    ends = interval(each.low, each.high)
    if how == "bare" or ends == "-":
        return value
    return f"{value} ({ends})" if how == "wide" else f"{value}\n{ends}"


def _best(size: Size, document: Study) -> str:
    sign = 1 if document.greater_is_better else -1
    values = {each.name: sign * size.value(each.name, document.primary) for each in size.contenders}
    known = {name: value for name, value in values.items() if not math.isnan(value)}
    return max(known, key=lambda name: known[name]) if known else ""


def _leads(document: Study, network: str) -> Table:
    tests = {each.test: None for size in document.sizes for each in size.comparisons}
    table = layout.table(f"lead of {network} over the best baseline ({', '.join(tests)} test)")
    layout.numbers(table, "rows")
    layout.words(table, "best baseline")
    layout.numbers(table, "lead", "95 % interval", "p (Holm)")
    layout.words(table, "better?")
    for size in document.sizes:
        found = document.lead(size, network)
        if found is None:
            table.add_row(f"{size.rows:,}", "-", "undefined", "-", "-", "-")
            continue
        p_value = "< 0.001" if found.p_value < 0.001 else f"{found.p_value:.3f}"
        ends = interval(found.low, found.high, 4, signed)
        table.add_row(f"{size.rows:,}", found.baseline, signed(found.difference, 4), ends, p_value, _finding(found))
    return table


def _finding(found: Comparison) -> str:
    if not found.p_value < SIGNIFICANCE:
        return "not clear"
    return "yes" if found.difference > 0 else "no, worse"


def _gains(document: Study) -> Table:
    table = layout.table(f"what each doubling improved {spoken(document.primary)} by, at the end of the curve")
    layout.words(table, "contender")
    layout.numbers(table, "from rows", "to rows", "per doubling", "95 % interval")
    for gain in document.gains:
        each = gain.per_doubling
        ends = interval(each.low, each.high, 4, signed)
        table.add_row(gain.contender, f"{gain.from_rows:,}", f"{gain.to_rows:,}", signed(each.value, 4), ends)
    return table
