"""What MLflow costs a run: `python -m benchmarks.tracking [TASK]`.

A real run on the task's sample, in a folder of its own, after one that created the database. Told apart are the seconds
in calls of MLflow's client, in drawing figures, and in the whole run.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

from benchmarks.summary import machine, write

RESULTS = Path(__file__).parent / "results" / "tracking.json"
TASK = "finance/credit-default"


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tracking", description=__doc__)
    parser.add_argument("task", nargs="?", default=TASK, help=f"default: {TASK}; another one writes nothing")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as for `tapeline run`")
    asked = parser.parse_args()
    from mlflow import MlflowClient

    from pipelines import catalogue
    from pipelines.run import run
    from pipelines.tracking.record import RunHandle
    from pipelines.tracking.store import open_store

    task, seconds = catalogue.find(asked.task), Counter[str]()
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        open_store()
        methods = [
            name for name in vars(MlflowClient) if not name.startswith("_") and callable(vars(MlflowClient)[name])
        ]
        with timed(MlflowClient, methods, "mlflow", seconds), timed(RunHandle, ["figure"], "figures", seconds):
            report = run(task, assignments=asked.set)
    share = 100 * seconds["mlflow"] / report.seconds
    print(
        f"{asked.task}: {report.seconds:.1f} s, of which MLflow {seconds['mlflow']:.2f} s ({share:.2f} %) and figures "
        f"{seconds['figures']:.2f} s"
    )
    if asked.task == TASK and not asked.set:
        found = {"run_seconds": report.seconds, "mlflow_seconds": seconds["mlflow"], "mlflow_percent": share}
        write({"machine": machine(), "task": asked.task, **found, "figure_seconds": seconds["figures"]}, RESULTS)


@contextmanager
def timed(owner: Any, names: list[str], what: str, seconds: Counter[str]) -> Iterator[None]:
    """Add up the seconds in these functions; of calls within calls, and of other kinds within, only once."""
    usual = {name: getattr(owner, name) for name in names}
    for name, function in usual.items():
        setattr(owner, name, _watched(function, what, seconds))
    try:
        yield
    finally:
        for name, function in usual.items():
            setattr(owner, name, function)


_open: list[str] = []


def _watched(function: Callable[..., Any], what: str, seconds: Counter[str]) -> Callable[..., Any]:
    @wraps(function)
    def call(*arguments: Any, **settings: Any) -> Any:
        if what in _open:
            return function(*arguments, **settings)
        _open.append(what)
        start = time.perf_counter()
        try:
            return function(*arguments, **settings)
        finally:
            _open.remove(what)
            spent = time.perf_counter() - start
            seconds[what] += spent  # type: ignore[assignment]
            if _open:  # the one around it does not count it too
                seconds[_open[-1]] -= spent  # type: ignore[assignment]

    return call


if __name__ == "__main__":
    main()
