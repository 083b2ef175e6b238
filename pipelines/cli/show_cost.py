"""What each contender costs to train and to use, and what the machine could do meanwhile."""

from __future__ import annotations

import math
from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.cli import layout
from pipelines.cli.layout import number
from pipelines.report.cost import Cost
from pipelines.report.document import Report
from pipelines.report.machine import Machine
from pipelines.report.readings_of_trust import used
from pipelines.report.wording import short

EXPLAINED = (
    "learned rows/s: training rows, of a network those of every epoch, over all seconds of training; one row: median "
    "time of a single raw row (95 % take no longer); peak: most that the process and its children held while it trained"
)
ENERGY = "mWh is an estimate of the whole machine while it trained, with all that ran beside ({by})"
HEADINGS = ("CPU s", "learned rows/s", "scored rows/s", "one row ms", "peak MB (added)", "parameters", "FLOPs a row",
            "energy mWh")  # fmt: skip
NOTHING = "-"
LAYOUTS = ((" ", True), ("\n", True), ("\n", False))
"""From wide to narrow: what parts a cell's two halves, and whether scoring, which another table has too, is in it."""


def costs(console: Console, document: Report) -> None:
    """A row for each contender; nothing of a report from before that was measured."""
    if all(math.isnan(card.cost.cpu_seconds) for card in document.contenders):
        return
    console.print(layout.widest(console, (partial(_costs, document, *how) for how in LAYOUTS)))
    console.print(EXPLAINED, style="dim")
    if document.energy_by:
        console.print(ENERGY.format(by=escape(document.energy_by)), style="dim")
    if document.machine is not None:
        for line in used(document, document.machine):
            console.print(escape(line), style="dim")
    console.print()


def page(console: Console, machine: Machine) -> None:
    """What a machine can do."""
    table = layout.table("this machine, as TensorFlow and NumPy find it")
    layout.words(table, "", "", folds=True)
    product = f"{number(machine.matmul_gflops)} GFLOP/s (float32, TensorFlow)"
    memory = f"{number(machine.memory_gb_per_second)} GB/s (STREAM triad, NumPy)"
    for name, value in (
        ("processor", f"{escape(machine.processor)}, {machine.cores} cores for this process"),
        ("memory", f"{number(machine.memory_gb)} GB"),
        ("accelerators", escape(", ".join(machine.accelerators)) or "none"),
        ("product of matrices", product),
        ("memory bandwidth", memory),
        ("measured on", machine.measured_on),
    ):
        table.add_row(name, value)
    console.print(table)


def _costs(document: Report, gap: str, scoring: bool) -> Table:
    table = layout.table("what it costs to train, and to use")
    layout.words(table, "contender")
    estimated = any(not math.isnan(card.cost.energy_wh) for card in document.contenders)
    left_out = {*([] if scoring else ["scored rows/s"]), *([] if estimated else ["energy mWh"])}
    kept = [heading for heading in HEADINGS if heading not in left_out]
    layout.numbers(table, *(heading.replace(" ", gap, 1) for heading in kept))
    for card in document.contenders:
        cells = dict(zip(HEADINGS, _cells(card.cost, gap), strict=True))
        table.add_row(escape(card.name), *(cells[heading] for heading in kept))
    return table


def _cells(cost: Cost, gap: str) -> list[str]:
    return [
        _plain(cost.cpu_seconds, 1),
        _plain(cost.train_rows_per_second),
        _plain(cost.predict_rows_per_second),
        f"{_plain(cost.latency_ms, 2)}{gap}({_plain(cost.latency_ms_95, 2)})",
        f"{_plain(cost.peak_memory_mb)}{gap}({_plain(cost.memory_added_mb)})",
        f"{cost.parameters:,}",
        short(cost.flops_per_row).rstrip(),
        _plain(1000 * cost.energy_wh, 1),
    ]


def _plain(value: float, digits: int = 0) -> str:
    return NOTHING if math.isnan(value) else f"{value:,.{digits}f}"
