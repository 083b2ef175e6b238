"""What models give away of who they learned from: `python -m benchmarks.membership`.

Rows whose labels mean nothing (simulated) can only be learned by heart. A network learns them by heart, and again with
differential privacy at several epsilons; a forest of small leaves and the prior stand beside it. Each is attacked by
its losses, as every run is. Noise is secret, so the private figures differ a little each time.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.summary import machine, write
from domains.finance.credit_default import TASK
from pipelines.report.document import Report
from pipelines.run import run
from pipelines.task import DataRequest, Limits

RESULTS = Path(__file__).parent / "results" / "membership.json"
ROWS, COLUMNS = 3000, 12
BY_HEART = (
    "recipe.epochs=60", "recipe.patience=60", "recipe.dropout=0", "recipe.weight_decay=0", "recipe.monitor=score",
)  # fmt: skip
PRIVATE = ("recipe.epochs=10",)
EPSILONS = (8, 3, 1)
LIMIT = 0.55


def main() -> None:
    """Train, attack, print, write."""
    argparse.ArgumentParser(prog="python -m benchmarks.membership", description=__doc__).parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        plain = attacked(Path(folder))
        found = {card.name: card.membership for card in plain.contenders}
        for epsilon in EPSILONS:
            private = attacked(Path(folder), epsilon)
            found[f"mlp, epsilon {epsilon}"] = private.scorecard("mlp").membership
    for name, each in found.items():
        auc, rate = each["auc"], each["tpr_at_1_percent_fpr"]
        print(f"{name}: AUC {auc.value:.3f} ({auc.low:.3f} to {auc.high:.3f}), found at 1 % false {rate.value:.3f}")
    contenders = {name: {part: asdict(value) for part, value in each.items()} for name, each in found.items()}
    write({"machine": machine(), "rows": ROWS, "contenders": contenders}, RESULTS)


def attacked(folder: Path, epsilon: float = 0.0) -> Report:
    """A run in the current folder; private where epsilon is not 0."""
    random, path = np.random.default_rng(0), folder / "noise.csv"
    table = pd.DataFrame(random.normal(size=(ROWS, COLUMNS)), columns=[f"x{place}" for place in range(COLUMNS)])
    table.assign(label=random.choice(["yes", "no"], ROWS)).to_csv(path, index=False)
    few = tuple(each for each in TASK.baselines if each.name in ("prior", "forest"))
    task = replace(TASK, baselines=few, sensitive=(), limits=Limits(membership_at_most=LIMIT))
    shared = ("protocol.kind=holdout", "recipe.trials=1", "recipe.plan=resident", "protocol.resamples=100")
    asked = (*PRIVATE, f"recipe.dp_epsilon={epsilon:g}") if epsilon else BY_HEART
    return run(task, DataRequest(str(path), target="label"), 0, (*shared, *asked))


if __name__ == "__main__":
    main()
