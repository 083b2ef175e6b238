"""What judging costs: `python -m benchmarks.judging`.

Four contenders on 100 000 simulated rows with three sensitive attributes and their intersections: scores with
intervals, groups and gaps, decisions, calibration, and the paired tests, by the code that judges runs; seconds, and the
peak memory of the process.
"""

from __future__ import annotations

import argparse
import resource
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.simulated import OBJECTIVE, World
from benchmarks.summary import machine, write
from pipelines.evaluation import bias, calibration, comparison, decisions, intervals

RESULTS = Path(__file__).parent / "results" / "judging.json"
NAMES = ("network", "boosting", "forest", "logistic")
GROUPS = {"sex": 2, "region": 12, "age": 5}


def main() -> None:
    """Simulate, judge, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judging", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="tested rows (default: 100000)")
    parser.add_argument(
        "--patient", type=int, default=1, help="rows of one patient; above 1 whole patients are resampled"
    )
    parser.add_argument("--resamples", type=int, default=1000, help="of every bootstrap (default: 1000)")
    asked = parser.parse_args()
    if not (asked.rows >= 2 * asked.patient >= 2 and asked.resamples >= 100):
        parser.error("--patient must be at least 1, --rows at least twice that, --resamples at least 100")
    world = World(rows=asked.rows, cluster=asked.patient, shared=0.5 if asked.patient > 1 else 0.0)
    rng = np.random.default_rng(0)
    groups = {name: rng.integers(0, size, asked.rows).astype(str).astype(object) for name, size in GROUPS.items()}
    outcomes = dict(zip(NAMES, world.tested(rng, (0.02, 0.0, 0.0, -0.05)), strict=True))
    outcomes = {name: replace(outcome, groups=groups) for name, outcome in outcomes.items()}
    before, started = _peak_mb(), time.perf_counter()
    for outcome in outcomes.values():
        intervals.estimates(outcome, OBJECTIVE, asked.resamples, 0)
        bias.gaps(bias.group_table(outcome, OBJECTIVE))
        decisions.decided(outcome, OBJECTIVE)
        calibration.measured(outcome, OBJECTIVE)
    comparison.compare("network", NAMES[1:], outcomes, OBJECTIVE, "auroc", asked.resamples, 0)
    seconds, peak = time.perf_counter() - started, _peak_mb()
    what = f"{asked.rows} rows, {len(NAMES)} contenders, {asked.resamples} resamples"
    print(f"{what}: {seconds:.1f} s, peak {peak:.0f} MB ({before:.0f} MB before)")
    if (asked.rows, asked.resamples, asked.patient) == (100_000, 1000, 1):
        write({"machine": machine(), "rows": asked.rows, "seconds": seconds, "peak_mb": peak}, RESULTS)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
