"""The README's figure: speed of each entrant relative to Keras `fit` with its defaults, by workload."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.entrants import FIT
from benchmarks.summary import DEFAULT_FIT, IDEAL, PYTORCH, TAPELINE
from pipelines.report.figures import COLOURS, DOTS_PER_INCH, GREY

BARS = {"best fit": COLOURS[5], PYTORCH: COLOURS[1], TAPELINE: COLOURS[0], IDEAL: "#BBBBBB"}
"""Okabe and Ito's colours; the limit is grey."""


def relative_speeds(workload: Mapping[str, Any]) -> dict[str, float]:
    """Entrant -> speed in units of `fit` with its defaults; without PyTorch where it did not run."""
    times = workload["milliseconds_per_step"]
    best = min(value for name, value in times.items() if name.startswith(FIT))
    found = {"best fit": best, **{name: times[name] for name in (PYTORCH, TAPELINE, IDEAL) if name in times}}
    return {name: times[DEFAULT_FIT] / value for name, value in found.items()}


def draw(kept: Mapping[str, Any], path: Path) -> None:
    """Grouped bars on a logarithmic scale, 900 x 450 pixels; written beside its place, then moved there."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import ScalarFormatter

    figure = Figure(figsize=(900 / DOTS_PER_INCH, 450 / DOTS_PER_INCH), dpi=DOTS_PER_INCH, layout="constrained")
    axes = figure.add_subplot()
    width = 0.8 / len(BARS)
    for place, (name, colour) in enumerate(BARS.items()):
        for group, workload in enumerate(kept["workloads"]):
            speed = relative_speeds(workload).get(name)
            if speed is None:
                continue
            across = group + (place - (len(BARS) - 1) / 2) * width
            # On a logarithmic axis a bar starts at 1: upwards is faster than fit, downwards slower.
            axes.bar(across, speed - 1, width, bottom=1, color=colour, label=name if group == 0 else None)
            axes.annotate(
                f"{speed:.1f}", (across, speed), (0, 2 if speed >= 1 else -2), textcoords="offset points",
                ha="center", va="bottom" if speed >= 1 else "top", fontsize=8,
            )  # fmt: skip
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(ScalarFormatter())
    axes.yaxis.set_minor_formatter(ScalarFormatter())
    axes.margins(y=0.12)
    axes.axhline(1, color=GREY, linewidth=1)
    titles = [workload["name"].replace(", ", "\n").replace(" 30000", "\n30000") for workload in kept["workloads"]]
    axes.set_xticks(range(len(titles)), titles, fontsize=9)
    axes.set_ylabel("times the speed of fit with defaults")
    axes.set_title("Training speed, updates per second: higher is better", loc="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, ncols=len(BARS), loc="upper right", fontsize=9)
    beside = path.with_suffix(".tmp.png")
    figure.savefig(beside)
    beside.replace(path)
