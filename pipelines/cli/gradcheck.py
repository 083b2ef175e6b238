"""`tapeline gradcheck`: the networks of a task, as its recipe builds them, on a few of its rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.cli import layout
from pipelines.contenders.network import smoothed
from pipelines.data.examples import Examples
from pipelines.errors import BadInput
from pipelines.models.inputs import as_tensors
from pipelines.objectives.errors import of_core
from pipelines.prepare import Prepared, Progress, prepare
from pipelines.task import DataRequest, Network, Task
from pipelines.training.class_weights import balanced
from pipelines.training.gradcheck import MOST_ENTRIES, TOLERANCE, LayerCheck, gradcheck
from pipelines.training.step import penalty


@dataclass(frozen=True)
class NetworkCheck:
    """What was found for one network of the task, one entry per trainable variable."""

    name: str
    parameters: int
    layers: tuple[LayerCheck, ...]

    @property
    def failed(self) -> list[str]:
        """The variables whose gradient is wrong, from the first layer to the last."""
        return [f"{each.layer}/{each.variable}" for each in self.layers if not each.passed]


def check_task(
    task: Task, request: DataRequest, rows: int, seed: int, assignments: Sequence[str], progress: Progress
) -> list[NetworkCheck]:
    """Check each network of the task, untrained, on `rows` of its training rows.

    The weights are those that `tapeline run` with this seed starts from, the loss is what it minimises: the
    objective's mean over the rows, with the recipe's label smoothing, by their weights, which may be those of their
    classes, and the recipe's penalties.

    Raises:
        BadInput: the data, a flag or a setting cannot work.
    """
    prepared = prepare(task, request, seed, assignments, progress)
    task = task.competing(prepared.protocol.networks, prepared.dataset.examples.columns)
    train = prepared.dataset.examples.take(prepared.folds[0].train)
    weighty = np.arange(len(train)) if train.weight is None else np.flatnonzero(train.weight)
    if rows > len(weighty):
        raise BadInput(f"--rows {rows}: there are {len(weighty)} rows to train on; ask for at most that many")
    chosen = np.sort(np.random.default_rng(seed).choice(weighty, rows, replace=False))
    few = train.take(chosen)
    weight = _weights(train, prepared)[chosen]
    return [_check(network, train, few, weight, prepared, seed, progress) for network in task.networks]


def _weights(train: Examples, prepared: Prepared) -> NDArray[np.float32]:
    """Of all training rows, as training weighs them."""
    weight = np.ones(len(train), np.float32) if train.weight is None else train.weight.astype(np.float32)
    if prepared.recipe.class_weights == "none" or prepared.objective.kind != "classification":
        return weight
    return balanced(prepared.objective.encode(train.target), weight)


def _check(
    network: Network,
    train: Examples,
    few: Examples,
    weight: NDArray[np.float32],
    prepared: Prepared,
    seed: int,
    progress: Progress,
) -> NetworkCheck:
    import keras

    recipe = prepared.recipe
    with progress.stage(network.name) as watch:
        keras.utils.set_random_seed(seed)
        objective = smoothed(network.learns(prepared.objective).fitted(train.target), recipe)
        architecture = network.build(train, objective, recipe)
        found = gradcheck(
            architecture.core,
            of_core(objective, network.learns_from, architecture.members).loss,
            architecture.encode(as_tensors({name: few.columns[name] for name in architecture.encode.input}, few.kinds)),
            objective.learnable(objective.encode(few.target)),
            weight,
            penalty=lambda core: penalty(core, recipe),
            seed=seed,
            watch=watch,
        )
    return NetworkCheck(network.name, architecture.core.count_params(), found)


def document(task: Task, rows: int, seed: int, checks: Sequence[NetworkCheck]) -> dict[str, Any]:
    """The checks as one JSON document; null for an error that cannot be told."""
    return {
        "schema": 1,
        "task": task.name,
        "seed": seed,
        "rows": rows,
        "tolerance": TOLERANCE,
        "passed": not any(check.failed for check in checks),
        "networks": [
            {"name": check.name, "parameters": check.parameters, "passed": not check.failed,
             "layers": [_plain(asdict(each)) for each in check.layers]}
            for check in checks
        ],
    }  # fmt: skip


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()}


def show(console: Console, task: Task, rows: int, checks: Sequence[NetworkCheck]) -> None:
    """One table per network, and what it says."""
    for check in checks:
        console.print(f"[bold]{task.name}[/bold] {escape(check.name)}: {check.parameters:,} weights, {rows} rows")
        console.print(layout.widest(console, (partial(_table, check, wide=True), partial(_table, check, wide=False))))
        console.print(_explained(check), style="dim", highlight=False)
        console.print(f"[bold]{escape(sentence(check))}[/bold]\n", highlight=False)


def _table(check: NetworkCheck, wide: bool) -> Table:
    table = layout.table()
    layout.words(table, *(["layer", "variable"] if wide else ["variable"]), folds=True)
    layout.numbers(table, "checked", "of", *(["at a kink"] if wide else []), "tape norm", "error")
    layout.words(table, "")
    for each in check.layers:
        where = [each.layer, each.variable] if wide else [f"{each.layer}/{each.variable}"]
        kinks = [str(each.at_kink)] if wide else []
        table.add_row(
            *map(escape, where), str(each.entries), f"{each.size:,}", *kinks, f"{each.tape_norm:.1e}",
            "-" if math.isnan(each.error) else f"{each.error:.0e}", _verdict(each),
        )  # fmt: skip
    return table


def _verdict(check: LayerCheck) -> str:
    if not check.passed:
        return "[red]wrong[/red]"
    if math.isnan(check.error):
        return "[yellow]at a kink[/yellow]"
    return "[green]right[/green]" if check.error < TOLERANCE else "[yellow]too small to tell[/yellow]"


def _explained(check: NetworkCheck) -> str:
    most = f"; of a larger variable {MOST_ENTRIES} entries, drawn by the seed" * any(
        each.entries < each.size for each in check.layers
    )
    kinks = sum(each.at_kink for each in check.layers)
    left_out = f"; {kinks} entries at a kink of the loss are left out" * bool(kinks)
    return f"error: |tape - differences| / (|tape| + |differences|), right below {TOLERANCE:.0e}{most}{left_out}"


def sentence(check: NetworkCheck) -> str:
    """What was found, in words."""
    if wrong := check.failed:
        return (
            f"The tape differs from central differences in {len(wrong)} of {len(check.layers)} variables: "
            f"{', '.join(wrong)}. The error arises at {wrong[-1].rpartition('/')[0]} or right after it; "
            f"what comes before it inherits it."
        )
    right = [each.error for each in check.layers if each.error < TOLERANCE]
    told = "" if len(right) == len(check.layers) else "; the others could not be told"
    return (
        f"The tape equals central differences in {len(right)} of {len(check.layers)} variables "
        f"(largest error {max(right, default=0.0):.0e}){told}."
    )
