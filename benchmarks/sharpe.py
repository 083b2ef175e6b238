"""How often does the Ledoit-Wolf test find a difference that is not there? `python -m benchmarks.sharpe`.

Pairs of return series with one true Sharpe ratio: independent normal, heavy-tailed (Student's t with 4 degrees of
freedom), with changing volatility (GARCH(1, 1), .1 and .85), and remembering (AR(1), .2). At 5 % a test should reject
5 of 100; beside it stands the same test without the bootstrap, by the HAC standard error and the normal distribution.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.summary import machine, write
from pipelines.evaluation.blocks import usual_length
from pipelines.evaluation.sharpe import ledoit_wolf

RESULTS = Path(__file__).parent / "results" / "sharpe.json"
CORRELATION, DAILY = 0.5, 0.045
"""Of the two series, and their Sharpe ratio a day: .71 a year."""
LENGTHS = (250, 1000)


def main() -> None:
    """Simulate, test, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sharpe", description=__doc__)
    parser.add_argument("--pairs", type=int, default=1000, help="of each kind and length (default: 1000)")
    pairs = parser.parse_args().pairs
    found = []
    for kind in ("normal", "heavy-tailed", "garch", "ar"):
        for days in LENGTHS:
            found.append(each := measured(kind, days, pairs))
            told = f"{each['rejected']:.3f} (by HAC alone {each['hac']:.3f})"
            print(f"{kind:>12} {days:>5} days: {told}", flush=True)
    if pairs >= 1000:
        write({"machine": machine(), "pairs": pairs, "level": 0.05, "rejected": found}, RESULTS)


def measured(kind: str, days: int, pairs: int) -> dict[str, Any]:
    """Shares of pairs in which a difference is found at 5 %."""
    block = round(usual_length(days))
    rejected = hac = 0
    for seed in range(pairs):
        ours, theirs = series(kind, days, np.random.default_rng([seed, days])).T
        found = ledoit_wolf(ours, theirs, block, 500, seed)
        rejected += found.p_value < 0.05
        hac += abs(found.difference) > 1.96 * found.error
    return {"series": kind, "days": days, "block": block, "rejected": rejected / pairs, "hac": hac / pairs}


def series(kind: str, days: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(days, 2) returns whose two Sharpe ratios are the same."""
    covariance = [[1, CORRELATION], [CORRELATION, 1]]
    shocks = rng.multivariate_normal([0, 0], covariance, days)
    if kind == "heavy-tailed":
        shocks /= np.sqrt(rng.chisquare(4, (days, 1)) / 4) * np.sqrt(2)
    if kind == "garch":
        variance = np.ones(2)
        for day in range(days):
            shocks[day] *= np.sqrt(variance)
            variance = 0.05 + 0.1 * np.square(shocks[day]) + 0.85 * variance
    if kind == "ar":
        for day in range(1, days):
            shocks[day] += 0.2 * shocks[day - 1]
        shocks *= np.sqrt(1 - 0.2**2)
    return DAILY + shocks


if __name__ == "__main__":
    main()
