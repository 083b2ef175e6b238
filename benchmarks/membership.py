"""What models give away of who they learned from: `python -m benchmarks.membership`.

Rows whose labels mean nothing (simulated) can only be learned by heart. A network learns them by heart, and again with
differential privacy at several epsilons; a forest of small leaves and the prior stand beside it. Each is attacked by
its losses, as every run is, and by shadow models (LiRA): the network that learned by heart, its private twin at epsilon
3, the forest; and on real loan applications the plain MLP, a linear model and a forest. Noise is secret, so the private
figures differ a little each time.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.summary import machine, write
from domains.finance.credit_default import TASK
from pipelines.report.document import Estimate, Report
from pipelines.run import run
from pipelines.task import Baseline, DataRequest, Limits

RESULTS = Path(__file__).parent / "results" / "membership.json"
ROWS, COLUMNS = 3000, 12
BY_HEART = (
    "recipe.epochs=60", "recipe.patience=60", "recipe.dropout=0", "recipe.weight_decay=0", "recipe.monitor=score",
)  # fmt: skip
PRIVATE = ("recipe.epochs=10",)
EPSILONS = (8, 3, 1)
BY_SHADOWS = 3
"""The epsilon at which shadows attack as well."""

SHADOWS = 16
LIMIT = 0.55
SHARED = ("protocol.kind=holdout", "recipe.trials=1", "recipe.plan=resident", "protocol.resamples=100")


def main() -> None:
    """Train, attack, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.membership", description=__doc__)
    parser.add_argument("--shadows", type=int, default=SHADOWS, help=f"models that attack another ({SHADOWS})")
    shadows = parser.parse_args().shadows
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        found = {card.name: card.membership for card in attacked(Path(folder), shadows=shadows).contenders}
        for epsilon in EPSILONS:
            private = attacked(Path(folder), epsilon, shadows if epsilon == BY_SHADOWS else 0)
            found[f"mlp, epsilon {epsilon}"] = private.scorecard("mlp").membership
        found |= {f"{card.name}, real loans": card.membership for card in of_loans(shadows).contenders}
    for name, each in found.items():
        print(f"{name}: {told(each)}")
    contenders = {name: {part: asdict(value) for part, value in each.items()} for name, each in found.items()}
    write({"machine": machine(), "rows": ROWS, "shadows": shadows, "contenders": contenders}, RESULTS)


def told(measures: Mapping[str, Estimate]) -> str:
    """What each attack that was measured finds, in words."""
    attacks = {"": "by loss", "lira_": "LiRA", "lira_offline_": "LiRA offline"}
    return "; ".join(
        f"{words} AUC {measures[f'{attack}auc']}, at 1 % false {measures[f'{attack}tpr_at_1_percent_fpr'].value:.3f}"
        for attack, words in attacks.items()
        if f"{attack}auc" in measures
    )


def attacked(folder: Path, epsilon: float = 0.0, shadows: int = 0) -> Report:
    """A run in the current folder; private where epsilon is not 0."""
    random, path = np.random.default_rng(0), folder / "noise.csv"
    table = pd.DataFrame(random.normal(size=(ROWS, COLUMNS)), columns=[f"x{place}" for place in range(COLUMNS)])
    table.assign(label=random.choice(["yes", "no"], ROWS)).to_csv(path, index=False)
    task = replace(TASK, baselines=few("forest"), sensitive=(), limits=Limits(membership_at_most=LIMIT))
    asked = (*PRIVATE, f"recipe.dp_epsilon={epsilon:g}") if epsilon else BY_HEART
    return run(task, DataRequest(str(path), target="label"), 0, (*SHARED, *asked, f"protocol.shadows={shadows}"))


def of_loans(shadows: int) -> Report:
    """A run on the real applications of the task's sample, a fifth of them held out."""
    task = replace(TASK, baselines=few("linear", "forest"), sensitive=())
    return run(task, DataRequest(), 0, (*SHARED, f"protocol.shadows={shadows}"))


def few(*names: str) -> tuple[Baseline, ...]:
    """The prior and these baselines."""
    return tuple(each for each in TASK.baselines if each.name in ("prior", *names))


if __name__ == "__main__":
    main()
