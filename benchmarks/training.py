"""Training speed: the core beside Keras `fit`, PyTorch and the ideal step, on six workloads, in turns.

Every entrant lives in a process of its own; a round lets each train for about a second and a half, one after the other,
and the median round counts. Times to the first update and peak memory are of the same processes. A setting of `fit`
that is far slower than the best one while warming up, or does not finish that, is dropped and said so.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from benchmarks.entrants import FIT, PYTORCH, TAPELINE, Entrant, fit_settings, fit_with_onednn, ideal_step
from benchmarks.figure import draw
from benchmarks.summary import DEFAULT_FIT, IDEAL, Measured, document, median, table_of, table_of_ratios, write
from benchmarks.turns import EntrantError, Ready, Seat
from benchmarks.workloads import WORKLOADS, Workload

RESULTS = Path(__file__).parent / "results"
ROUNDS, ROUND_SECONDS = 7, 1.5
WARM_UP_SECONDS = 300.0
"""Building, compiling and two epochs may take this long."""
FAR_SLOWER = 3.0
"""A setting of `fit` that takes this many times the best one's seconds is not measured further."""
INDISPENSABLE = (DEFAULT_FIT, TAPELINE.name, IDEAL)
FACTORS = (1, 10, 100)
QUICK_STEPS = 8


def main(names: Sequence[str] = (), rounds: int = ROUNDS, quick: bool = False) -> None:
    """Measure the workloads of these names, all if none is given, and print tables.

    Results and figure are written only when everything was measured.
    """
    with tempfile.TemporaryDirectory() as forgotten:  # plans are measured anew, as on a machine that has none
        os.environ["XDG_CACHE_HOME"] = forgotten
        _main(names, rounds, quick)


def _main(names: Sequence[str], rounds: int, quick: bool) -> None:
    console = Console(width=None if sys.stdout.isatty() else 110)
    chosen = [workload for workload in WORKLOADS if workload.name in names or not names]
    if quick:
        chosen = [each for each in chosen if names or not each.heavy]
        chosen, rounds = [replace(each, rows=QUICK_STEPS * each.batch - 1) for each in chosen], 1
    measured = []
    for workload in chosen:
        measured.append(measure(workload, rounds, quick))
        console.print(table_of(measured[-1]), *measured[-1].notes, "", sep="\n")
    whole = not (quick or names)
    kept = document(measured, cost_by_rows(WORKLOADS[0], rounds) if whole else [])
    console.print(table_of_ratios(kept))
    for each in kept["cost_by_rows"]:
        console.print(f"{each['rows']:9.0f} rows: {each['microseconds_per_row']:.2f} µs a row")
    if whole:
        write(kept, RESULTS / "training.json")
        draw(kept, RESULTS / "training.png")


def measure(workload: Workload, rounds: int, quick: bool = False) -> Measured:
    """Let all entrants of one workload train in turns. `quick` starts them at once, `fit` with its defaults only."""
    settings = fit_settings(workload)
    entrants = [*settings[:1], TAPELINE] if quick else [*settings, fit_with_onednn(workload), TAPELINE]
    notes = []
    if find_spec("torch"):
        entrants.append(PYTORCH)
    else:
        notes.append("PyTorch is not installed, so it did not run: pip install 'tapeline[bench]'")
    # Times to the first update are fair only if nobody else is starting, so seats are taken one after the other.
    waiting: Iterable[Seat] = (Seat(workload, entrant) for entrant in entrants)
    seats, ready = _warmed_up(list(waiting) if quick else waiting, notes)
    last: Entrant = ideal_step(ready[TAPELINE.name].xla)
    more_seats, more_ready = _warmed_up([Seat(workload, last)], notes)
    seats, ready = seats + more_seats, ready | more_ready
    seats = _without_far_slower(seats, ready, notes)
    seconds: dict[str, list[float]] = {seat.entrant.name: [] for seat in seats}
    for _ in range(rounds):
        for seat in seats:
            name = seat.entrant.name
            epochs = 1 if quick else max(1, round(ROUND_SECONDS / (ready[name].step_seconds * workload.steps)))
            seconds[name].append(seat.round(epochs))
    return Measured(workload.title, seconds, ready, {seat.entrant.name: seat.stop() for seat in seats}, notes)


def _warmed_up(waiting: Iterable[Seat], notes: list[str]) -> tuple[list[Seat], dict[str, Ready]]:
    seats, ready = [], {}
    for seat in waiting:
        name = seat.entrant.name
        found = seat.warm_up(WARM_UP_SECONDS)
        if found is not None:
            seats.append(seat)
            ready[name] = found
        elif name in INDISPENSABLE:
            raise EntrantError(f"{name} was not ready after {WARM_UP_SECONDS:.0f} s on {seat.workload.title}")
        else:
            notes.append(f"{name}: dropped, its first two epochs took more than {WARM_UP_SECONDS:.0f} s")
    return seats, ready


def _without_far_slower(seats: Sequence[Seat], ready: dict[str, Ready], notes: list[str]) -> list[Seat]:
    """Stop the settings of `fit` that cannot be its best; the defaults stay, everyone is compared with them."""
    settings = [seat for seat in seats if seat.entrant.name.startswith(FIT)]
    best = min(ready[seat.entrant.name].step_seconds for seat in settings)
    for seat in settings[1:]:
        times = ready[seat.entrant.name].step_seconds / best
        if times > FAR_SLOWER:
            notes.append(f"{seat.entrant.name}: dropped, {times:.1f} times the seconds of the best fit in warm-up")
            seat.stop()
            seats = [each for each in seats if each is not seat]
    return list(seats)


def cost_by_rows(workload: Workload, rounds: int) -> list[dict[str, float]]:
    """What a row costs Tapeline as the table grows: rows, microseconds per row in the median round, peak memory."""
    found = []
    for factor in FACTORS:
        grown = replace(workload, rows=workload.rows * factor)
        seat = Seat(grown, TAPELINE)
        ready = seat.warm_up(WARM_UP_SECONDS)
        if ready is None:
            raise EntrantError(f"{TAPELINE.name} was not ready after {WARM_UP_SECONDS:.0f} s on {grown.rows} rows")
        epochs = max(1, round(ROUND_SECONDS / (ready.step_seconds * grown.steps)))
        seconds = median([seat.round(epochs) for _ in range(rounds)]) * grown.steps
        found.append(
            {"rows": grown.rows, "microseconds_per_row": 1e6 * seconds / grown.rows, "peak_memory_mb": seat.stop()}
        )
    return found
