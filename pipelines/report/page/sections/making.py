"""How the contenders came about: what they cost, what was tuned, and what training and gradients did."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from pipelines.report.document import Scorecard
from pipelines.report.machine import Machine
from pipelines.report.page.context import Context
from pipelines.report.page.parts import UNKNOWN, Block, Column, Facts, Prose, Row, Section, Table, shown, whole
from pipelines.report.readings_of_trust import used
from pipelines.report.tuning import Search
from pipelines.report.wording import in_full, short

COSTS: Mapping[str, tuple[str, Callable[[float], str]]] = {
    "train_seconds": ("training, s", lambda value: shown(value, 1)),
    "cpu_seconds": ("CPU, s", lambda value: shown(value, 1)),
    "train_rows_per_second": ("rows learned a second", whole),
    "predict_rows_per_second": ("rows predicted a second", whole),
    "latency_ms": ("one row, ms", lambda value: shown(value, 2)),
    "latency_ms_95": ("95 % of rows within, ms", lambda value: shown(value, 2)),
    "peak_memory_mb": ("memory at its peak, MB", whole),
    "memory_added_mb": ("of these added, MB", whole),
    "parameters": ("parameters", lambda value: f"{value:,.0f}" if value else "-"),
    "flops_per_row": ("FLOPs a row", short),
    "energy_wh": ("energy (estimate), mWh", lambda value: shown(1000 * value, 1)),
}
OF_PRIVACY = ("privacy", "privacy_does_not_cover")


def cost(page: Context) -> Section:
    """What each contender costs; what nobody measured has no column."""
    cards = page.report.contenders
    names = [name for name in COSTS if any(_known(card, name) for card in cards)]
    columns = (Column("contender", "name"), *(Column(COSTS[name][0]) for name in names))
    rows = tuple(Row((card.name, *(_cost(card, name) for name in names)), page.side(card.name)) for card in cards)
    blocks: list[Block] = [Table("Cost of every contender", columns, rows, _energy(page.report.energy_by))]
    if (machine := page.report.machine) is not None:
        blocks.append(Facts(_machine(machine)))
        blocks.append(Prose(tuple(f"{line}." for line in used(page.report, machine)), "note"))
    lead = f"The whole run took {shown(page.report.seconds, 0)} s. Training is that of all folds, once."
    return Section("cost", "Cost", lead, [*blocks, *page.figures("cost")])


def _energy(by: str) -> tuple[str, ...]:
    """How the estimate came about."""
    return (
        (f"Energy is an estimate of the whole machine while it trained, with all that ran beside ({by}).",)
        if by
        else ()
    )


def _machine(machine: Machine) -> tuple[tuple[str, str], ...]:
    return (
        ("Processor", f"{machine.processor}, {machine.cores} cores"),
        ("Memory", f"{shown(machine.memory_gb)} GB, {shown(machine.memory_gb_per_second)} GB/s measured"),
        ("Accelerators", ", ".join(machine.accelerators) or "none"),
        ("Product of matrices", f"{shown(machine.matmul_gflops)} GFLOP/s measured, float32"),
    )


def tuning(page: Context) -> Section | None:
    """What each contender's budget was spent on."""
    told = page.report.tuning
    if told is None:
        return None
    columns = (Column("contender and fold", "name"), Column("trials"), Column("failed"), Column("seconds"),
               Column("untuned"), Column("best"), Column("best settings", "words"))  # fmt: skip
    rows = tuple(_searched(each, page.side(each.contender) == "network") for each in told.searches)
    notes = (f"{in_full(page.report.primary)} on validation rows, which it was chosen by; tested scores are above.",)
    blocks: list[Block] = [Table("What was searched", columns, rows, notes), *page.figures("tuning")]
    return Section("tuning", "Tuning", f"{told.budget} for each contender and fold.", blocks)


def training(page: Context) -> Section | None:
    """How each network was trained, and whether its gradients were healthy."""
    blocks: list[Block] = []
    for card in page.report.contenders:
        told = tuple((name, text) for name, text in card.settings.items() if name not in OF_PRIVACY and text)
        if card.kind in ("network", "ensemble", "alternative") and told:
            blocks.append(Facts((("network", card.name), *told)))
        blocks += page.figures(f"{card.name}/learning_curves", f"{card.name}/gradient_health")
    chosen = [card for card in page.report.contenders if card.kind == "classical" and card.settings]
    if chosen:
        rows = tuple(Row((card.name, _settings(card.settings))) for card in chosen)
        columns = (Column("contender", "name"), Column("settings", "words"))
        blocks.append(Table("What the search chose for classical models (first fold)", columns, rows))
    lead = "What the networks did while they learned. A gradient that vanishes or explodes would be named here."
    return Section("training", "Training and gradients", lead, blocks) if blocks else None


def _known(card: Scorecard, name: str) -> bool:
    value = getattr(card.cost, name)
    return bool(value) and not math.isnan(value)


def _cost(card: Scorecard, name: str) -> str:
    return COSTS[name][1](getattr(card.cost, name))


def _searched(each: Search, ours: bool) -> Row:
    settings = _settings({name: str(value) for name, value in each.chosen.settings.items()}) or "nothing to tune"
    cells = (f"{each.contender}, {each.fold}", str(len(each.tried)), str(each.failed), shown(each.seconds, 1))
    scores = (shown(each.tried[0].score, 4), shown(each.chosen.score, 4))
    return Row((*cells, *scores, settings), "network" if ours else "other")


def _settings(told: Mapping[str, str]) -> str:
    return ", ".join(f"{name.rpartition('__')[2]} {value or UNKNOWN}" for name, value in told.items())
