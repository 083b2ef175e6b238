"""Which cards are found? `python -m benchmarks.fraud`.

Every contender of `finance/card-fraud` on the simulated cards, trained three times: average precision, what a day's
budget of alerts finds and saves, with intervals; what a network that sees behaviour itself (`gru`) adds to windows made
by hand (`tabm`); and how fast saved models score payments as they come in. With --ulb also a whole `tapeline run` on
280 000 rows in the layout of ULB's `creditcard.csv`, made here (not real): its minutes and its memory.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks.summary import machine, write
from domains.finance.card_fraud import TASK
from pipelines.compete import Trial, compete
from pipelines.contenders import saved
from pipelines.contenders.lineup import line_up
from pipelines.data.behaviour_state import Payment
from pipelines.data.builders.card_world import DAY_SECONDS, KINDS, simulate
from pipelines.data.builders.simulated_cards import SEED
from pipelines.evaluation import alerts, comparison, intervals
from pipelines.operations.scoring import Scorer
from pipelines.prepare import Prepared, prepare
from pipelines.report.document import Estimate
from pipelines.task import DataRequest

RESULTS = Path(__file__).parent / "results" / "fraud.json"
WINDOWS, EVENTS = "tabm", "gru"
SEVERAL = ("protocol.seeds=3",)
"""What trainings differ by is much here; --set says otherwise."""
MEASURES = ("precision", "recall", "card_recall", "saved_per_day", "card_hours_to_detection")
BATCH, SINGLES = 1024, 300
ULB_ROWS, ULB_FRAUD = 280_000, 0.0017


def main() -> None:
    """Train, judge, time, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fraud", description=__doc__)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as of `tapeline run`")
    parser.add_argument("--ulb", action="store_true", help="also 280 000 rows in the layout of ULB's set")
    parser.add_argument("--only-ulb", action="store_true", help="nothing else; writes nothing")
    asked = parser.parse_args()
    if asked.only_ulb:
        print(of_ulb(asked.set))
        return
    settings = [*(each for each in SEVERAL if "protocol.seeds" not in " ".join(asked.set)), *asked.set]
    prepared = prepare(TASK, DataRequest(), 0, settings)
    task = TASK.competing(prepared.protocol.networks, prepared.dataset.examples.columns)
    contenders = line_up(task, prepared.objective, prepared.recipe)
    trials = {}
    for each in contenders:
        trials[each.name] = compete(each, prepared, 0)
        print(f"{each.name} {trials[each.name].cost.train_seconds:.0f} s", file=sys.stderr)
    found = {
        "machine": machine(),
        "settings": settings,
        **judged(trials, prepared),
        "scoring": timed(trials, prepared),
    }
    Console(width=150).print(_shown(found))
    if asked.ulb:
        found["ulb_layout"] = of_ulb(asked.set)
    write(found, RESULTS)


def judged(trials: Mapping[str, Trial], prepared: Prepared) -> dict[str, Any]:
    """Scores, alerts, and what the one network adds to the other."""
    objective, resamples = prepared.objective, prepared.protocol.resamples
    outcomes = {name: trial.outcome for name, trial in trials.items()}
    budget: Any = alerts.asked(TASK.alerts, prepared.protocol)
    told: Any = alerts.alerts_of(outcomes, prepared.dataset.records, budget, EVENTS, WINDOWS, resamples)
    (gain,) = comparison.compare(EVENTS, [WINDOWS], outcomes, objective, objective.primary, resamples)
    rows = []
    for name, outcome in outcomes.items():
        score = intervals.estimates(outcome, objective, resamples)[objective.primary]
        measures = {measure: _told(told.contenders[name][measure]) for measure in MEASURES}
        seconds = trials[name].cost.train_seconds
        kinds = {"recall_by_kind": by_kind(trials[name], prepared, budget.budget)}
        rows.append({
            "name": name, "average_precision": _told(score), **measures, **kinds, "train_seconds": seconds
        })  # fmt: skip
    return {
        "rows": len(prepared.dataset.examples), "tested": outcomes[EVENTS].distinct_rows, "days": told.days,
        "frauds": told.frauds, "alerts": told.alerts, "budget": told.budget, "cost_of_an_alert": told.cost,
        "contenders": rows,
        "gru_over_tabm": {
            "average_precision": {"value": gain.difference, "low": gain.low, "high": gain.high, "p": gain.p_value},
            **{measure: _told(told.difference[measure]) for measure in MEASURES},
        },
    }  # fmt: skip


def by_kind(trial: Trial, prepared: Prepared, budget: float) -> dict[str, float]:
    """Share of the frauds of each kind that are among the alerts."""
    found = []
    for number in range(trial.outcome.trainings):
        tested, records = trial.outcome.training(number), prepared.dataset.records
        day = np.unique(np.floor(records["day"][tested.rows]), return_inverse=True)[1]
        alert, kind = alerts.chosen(tested.predictions.values[:, 1], day, budget), records["kind"][tested.rows]
        found.append([alert[kind == name].mean() for name in KINDS[1:]])
    return dict(zip(KINDS[1:], np.mean(found, axis=0).tolist(), strict=True))


def timed(trials: Mapping[str, Trial], prepared: Prepared) -> dict[str, Any]:
    """Payments a second in batches, and milliseconds of one by itself, by models that were saved and read again."""
    came = payments()
    found = {}
    for name in (name for name in (WINDOWS, EVENTS, "boosting") if name in trials):
        with tempfile.TemporaryDirectory() as folder:
            trial, rows = trials[name], prepared.dataset.examples.take(np.arange(8))
            reading = prepared.dataset.reading
            saved.save(
                trial.model, Path(folder), TASK.name, name, prepared.objective, rows, trial.threshold, reading=reading
            )
            scorer = Scorer(saved.load(Path(folder)))
            scorer.score(came[:BATCH])  # compiles
            for start in range(BATCH, 40 * BATCH, BATCH):
                for payment in came[start : start + BATCH]:
                    scorer.state.observe(payment)
            seconds = []
            for start in range(40 * BATCH, 60 * BATCH, BATCH):
                began = time.perf_counter()
                scorer.score(came[start : start + BATCH])
                seconds.append(time.perf_counter() - began)
            scorer.score(came[60 * BATCH : 60 * BATCH + 1])
            alone = []
            for payment in came[60 * BATCH + 1 : 60 * BATCH + 1 + SINGLES]:
                began = time.perf_counter()
                scorer.score([payment])
                alone.append(1e3 * (time.perf_counter() - began))
        found[name] = {
            "payments_per_second": BATCH / float(np.median(seconds)),
            "milliseconds_for_one": float(np.median(alone)),
            "milliseconds_for_one_99th_percentile": float(np.percentile(alone, 99)),
        }
    return found


def payments() -> list[Payment]:
    """The simulated payments as they came in."""
    columns = simulate(SEED)
    rows = zip(*(columns[name].tolist() for name in ("customer", "terminal", "time", "amount", "x", "y")), strict=True)
    return [Payment(str(who), str(where), when / DAY_SECONDS, paid, (x, y)) for who, where, when, paid, x, y in rows]


def of_ulb(settings: Sequence[str]) -> dict[str, float]:
    """A whole run on 280 000 rows in a process of its own: minutes of wall and of processor time, and memory."""
    with tempfile.TemporaryDirectory() as folder:
        ulb_layout(ULB_ROWS).to_csv(Path(folder, "creditcard.csv"), index=False)
        flags = [part for each in settings for part in ("--set", each)]
        command = [sys.executable, "-m", "pipelines.cli.main", "run", TASK.name, "--data", "creditcard.csv", *flags]
        began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, cwd=folder, check=True, env={**os.environ, "PYTHONPATH": str(Path.cwd())})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {
            "rows": ULB_ROWS,
            "minutes": (time.perf_counter() - began) / 60,
            "processor_minutes": (after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime) / 60,
            "peak_memory_gb": after.ru_maxrss / 1e6,
        }


def ulb_layout(rows: int, seed: int = 0) -> Any:
    """A table in ULB's layout: two days, 28 components, the amount, and fraud that a few components show. Not real."""
    import pandas as pd

    chance = np.random.default_rng(seed)
    fraud = chance.random(rows) < ULB_FRAUD
    components = chance.normal(size=(rows, 28)) * np.linspace(1.9, 0.4, 28)
    components[:, [2, 9, 11, 13, 16]] -= 1.6 * fraud[:, np.newaxis]
    components[:, [3, 10]] += 1.4 * fraud[:, np.newaxis]
    frame = pd.DataFrame({"Time": np.sort(chance.integers(0, 172_793, rows)).astype(float)})
    frame = frame.assign(**{f"V{number + 1}": components[:, number].round(6) for number in range(28)})
    return frame.assign(Amount=np.exp(chance.normal(3, 1.4, rows)).round(2), Class=fraud.astype(int))


def _told(estimate: Estimate) -> dict[str, float | None]:
    known = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    return {name: value if value == value else None for name, value in known.items()}


def _shown(found: Mapping[str, Any]) -> Table:
    table = Table(title="simulated cards", title_justify="left", box=SIMPLE)
    for heading in (
        "contender",
        "average precision",
        *(name.replace("_", " ") for name in MEASURES[1:4]),
        "per s",
        "ms",
    ):
        table.add_column(heading, justify="left" if heading == "contender" else "right")
    for each in found["contenders"]:
        speed = found["scoring"].get(each["name"])
        last = (f"{speed['payments_per_second']:,.0f}", f"{speed['milliseconds_for_one']:.1f}") if speed else ("-", "-")
        values = [each["average_precision"], *(each[name] for name in MEASURES[1:4])]
        table.add_row(each["name"], *(_spoken(value) for value in values), *last)
    return table


def _spoken(value: Mapping[str, float | None]) -> str:
    return (
        " to ".join("-" if value[end] is None else f"{value[end]:.3g}" for end in ("value", "low", "high")).replace(
            " to ", " (", 1
        )
        + ")"
    )


if __name__ == "__main__":
    main()
