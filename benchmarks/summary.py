"""What the measured times say: ratios of speed, their geometric means, tables, and the document that is kept."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.table import Table

from benchmarks.entrants import FIT, FIT_WITH_ONEDNN
from benchmarks.turns import Ready

RATIOS = ("tapeline_over_default_fit", "tapeline_over_best_fit", "share_of_ideal", "tapeline_over_pytorch")
"""Speeds of one entrant in units of another's; larger is better for Tapeline."""

DEFAULT_FIT, PYTORCH, TAPELINE, IDEAL = "fit, defaults", "PyTorch", "Tapeline", "ideal step"


@dataclass(frozen=True)
class Measured:
    """One workload. Each mapping is by entrant; `seconds` holds one time per update for each round."""

    title: str
    seconds: Mapping[str, Sequence[float]]
    ready: Mapping[str, Ready]
    peak_mb: Mapping[str, float]
    notes: Sequence[str]

    @property
    def medians(self) -> dict[str, float]:
        """Seconds per update."""
        return {name: median(rounds) for name, rounds in self.seconds.items()}


def median(values: Iterable[float]) -> float:
    """The middle value, or the mean of the two in the middle."""
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def ratios(medians: Mapping[str, float]) -> dict[str, float | None]:
    """`RATIOS` from seconds per update by entrant; None for PyTorch where it did not run."""
    core = medians[TAPELINE]
    best = min(seconds for name, seconds in medians.items() if name.startswith(FIT))
    peer = medians.get(PYTORCH)
    return dict(
        zip(
            RATIOS,
            (medians[DEFAULT_FIT] / core, best / core, medians[IDEAL] / core, peer and peer / core),
            strict=True,
        )
    )


def _over_fit_with_onednn(medians: Mapping[str, float]) -> float | None:
    return medians[FIT_WITH_ONEDNN] / medians[TAPELINE] if FIT_WITH_ONEDNN in medians else None


def geometric_means(found: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    """Of each of `RATIOS` over workloads, those without it left out; None where none has it."""
    means: dict[str, float | None] = {}
    for name in RATIOS:
        logs = [math.log(value) for each in found if (value := each[name]) is not None]
        means[name] = math.exp(sum(logs) / len(logs)) if logs else None
    return means


def document(measured: Sequence[Measured], cost_by_rows: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """All that is kept, as JSON holds it."""
    found = [ratios(each.medians) for each in measured]
    return {
        "machine": machine(),
        "workloads": [
            {
                "name": each.title,
                **ratio,
                "tapeline_over_fit_with_onednn": _over_fit_with_onednn(each.medians),
                "plan": each.ready[TAPELINE].plan,
                "milliseconds_per_step": {name: 1e3 * seconds for name, seconds in each.medians.items()},
                "seconds_to_first_step": {name: ready.first_seconds for name, ready in each.ready.items()},
                "peak_memory_mb": each.peak_mb,
                "notes": each.notes,
            }
            for each, ratio in zip(measured, found, strict=True)
        ],
        "geometric_means": geometric_means(found),
        "cost_by_rows": cost_by_rows,
    }


def machine() -> str:
    """Processor, cores, and the versions that were compared."""
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text().splitlines() if cpus.exists() else []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = [f"{name} {found}" for name in ("tensorflow", "keras", "torch") if (found := _version(name))]
    return f"{model or platform.machine()}, {cores} cores, {', '.join(versions)}"


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def table_of(measured: Measured) -> Table:
    """One line per entrant."""
    table = Table(title=measured.title, title_justify="left", box=SIMPLE)
    table.add_column("entrant")
    for heading in ("ms/step", "x fit, defaults", "s to first step", "peak MB"):
        table.add_column(heading, justify="right")
    table.add_column("plan")
    medians = measured.medians
    for name, seconds in medians.items():
        ready = measured.ready[name]
        figures = (1e3 * seconds, medians[DEFAULT_FIT] / seconds, ready.first_seconds)
        table.add_row(
            name,
            *(f"{figure:.3g}" for figure in figures),
            f"{measured.peak_mb[name]:.0f}",
            ready.plan.partition(" (")[0],
        )
    return table


def table_of_ratios(kept: Mapping[str, Any]) -> Table:
    """The document's ratios, one line per workload, and their geometric means."""
    table = Table(title="Speed of Tapeline over", title_justify="left", box=SIMPLE)
    table.add_column("workload")
    for heading in ("fit, defaults", "best fit", "ideal step", "PyTorch"):
        table.add_column(heading, justify="right")
    for each in kept["workloads"]:
        table.add_row(each["name"], *(_shown(each[name]) for name in RATIOS))
    table.add_row("geometric mean", *(_shown(kept["geometric_means"][name]) for name in RATIOS), style="bold")
    return table


def _shown(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}"


def write(kept: Mapping[str, Any], path: Path) -> None:
    """Write the document as JSON: beside its place, synced, then moved there."""
    path.parent.mkdir(exist_ok=True)
    beside = path.with_suffix(".tmp")
    with beside.open("w") as file:
        file.write(json.dumps(kept, indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
