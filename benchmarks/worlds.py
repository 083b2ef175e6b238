"""Do intervals of card fraud hold what they promise? `python -m benchmarks.worlds`.

Two classifiers learn from one simulated world of cards and are then tested, as they are, on the last fifth of others,
each made from a seed of its own. What their scores differ by from world to world is what their intervals, each made
from one world alone, should say. Fraud goes on for days, so blocks that hold a day are set beside those of the losses.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.summary import machine, write
from pipelines.data.behaviour import behaviour
from pipelines.data.builders.card_world import DAY_SECONDS, simulate
from pipelines.evaluation import comparison, intervals
from pipelines.evaluation.outcome import Outcome, Round
from pipelines.objectives.classification import Classification
from pipelines.objectives.objective import Predictions

RESULTS = Path(__file__).parent / "results" / "worlds.json"
SCORE = "average_precision"
OBJECTIVE: Any = Classification(primary_of_two=SCORE).resolve(np.array(["genuine", "fraud"], object), "fraud")
LEARNED, TRAIN, TEST = 1000, 0.64, 0.8
"""The world that is learned from; of its payments the first part trains; of the others the last part tests."""
RESAMPLES = 500
World = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]


def world(seed: int) -> World:
    """Columns, whether each payment is fraud, and days, of one simulated world."""
    made = simulate(seed)
    days, fraud = made["time"] / DAY_SECONDS, (made["kind"] > 0).astype(np.int64)
    who, where = made["customer"].astype(np.int64), made["terminal"].astype(np.int64)
    place = np.column_stack([made["x"], made["y"]])
    columns = behaviour(days, made["amount"], who, where, fraud.astype(np.float64), place, 7.0)
    return np.column_stack(list(columns.values())), fraud, days


def main() -> None:
    """Simulate, judge, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worlds", description=__doc__)
    parser.add_argument("--worlds", type=int, default=40, help="that are tested (default: 40)")
    asked = parser.parse_args()
    if asked.worlds < 5:
        parser.error("--worlds must be at least 5: the spread between them is the truth")
    large, small = learned()
    found: dict[str, list[list[float]]] = {"the losses": [], "a day at least": []}
    for seed in track(range(asked.worlds), "worlds", console=Console(stderr=True)):
        columns, fraud, days = (each[round(TEST * len(each)) :] for each in world(seed))
        a_day = len(np.unique(days)) / len(np.unique(np.floor(days)))
        for how, least in (("the losses", 1.0), ("a day at least", a_day)):
            found[how].append(judged(columns, fraud, days, (large, small), least))
    rows = [row for how, each in found.items() for row in told(how, np.array(each))]
    Console(width=110).print(_shown(rows, asked.worlds))
    write({"machine": machine(), "worlds": asked.worlds, "score": SCORE, "rows": rows}, RESULTS)


def learned() -> tuple[Any, Any]:
    """A boosting of larger trees and one of smaller ones, of one world's training rows."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    columns, fraud, _ = (each[: round(TRAIN * len(each))] for each in world(LEARNED))
    settings: tuple[dict[str, Any], ...] = (
        {"learning_rate": 0.12, "max_iter": 50, "max_leaf_nodes": 16},
        {"learning_rate": 0.05, "max_iter": 60, "max_leaf_nodes": 4},
    )
    first, second = (HistGradientBoostingClassifier(random_state=0, **each).fit(columns, fraud) for each in settings)
    return first, second


def judged(
    columns: NDArray[np.float64],
    fraud: NDArray[np.int64],
    days: NDArray[np.float64],
    models: tuple[Any, Any],
    least: float,
) -> list[float]:
    """Value, low and high of the score of the one with larger trees, and of its lead."""
    outcomes = {}
    for name, model in zip(("large", "small"), models, strict=True):
        predictions, n = Predictions(model.predict_proba(columns)), len(fraud)
        outcomes[name] = Outcome(fraud, predictions, (Round(0, n, n),), np.arange(n), time=days, least=least)
    score = intervals.estimates(outcomes["large"], OBJECTIVE, RESAMPLES)[SCORE]
    (lead,) = comparison.compare("large", ["small"], outcomes, OBJECTIVE, SCORE, RESAMPLES)
    return [score.value, score.low, score.high, lead.difference, lead.low, lead.high]


def told(how: str, found: NDArray[np.float64]) -> list[dict[str, Any]]:
    """How often intervals hold the mean over worlds, and their half width over the spread that there is."""
    rows = []
    for what, (value, low, high) in (("score", found.T[:3]), ("lead", found.T[3:])):
        spread, truth = float(value.std(ddof=1)), float(value.mean())
        held = float(((low <= truth) & (truth <= high)).mean())
        half = float(((high - low) / 2).mean()) / (1.96 * spread)
        rows.append({
            "blocks": how, "of": what, "mean": truth, "sd_over_worlds": spread, "held": held, "half_width": half
        })  # fmt: skip
    return rows


def _shown(rows: list[dict[str, Any]], worlds: int) -> Table:
    table = Table(title=f"95 % intervals of {worlds} simulated worlds", title_justify="left", box=SIMPLE)
    for heading in ("blocks", "of", "mean", "sd over worlds", "hold the mean", "half width / 1.96 sd"):
        table.add_column(heading, justify="left" if heading in ("blocks", "of") else "right")
    for row in rows:
        numbers = (f"{row[name]:.3f}" for name in ("mean", "sd_over_worlds", "held", "half_width"))
        table.add_row(row["blocks"], row["of"], *numbers)
    return table


if __name__ == "__main__":
    main()
