"""Whether explanations can be trusted, task by task: `python -m benchmarks.explanation [TASK ...]`.

Each network of each task is trained on the first fold of its sample set, and its answers to tested rows are taken
apart: how far the parts of a row miss the difference that they should add up to, at worst; the rank correlation with
parts by weights drawn anew; what is exchanged at the greatest loss, and what pushes most.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.summary import machine, write
from pipelines import catalogue
from pipelines.cli.quiet import import_tensorflow
from pipelines.explanation.explain import explained
from pipelines.prepare import Silent, prepare
from pipelines.report.explanation import Explanation
from pipelines.task import DataRequest

RESULTS = Path(__file__).parent / "results" / "explanation.json"
MOST_TOLD = 3


def main() -> None:
    """Train, explain, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.explanation", description=__doc__)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help="tasks to explain, whose figures are renewed; or all")
    asked = parser.parse_args().tasks
    import_tensorflow(debug=False)
    found = json.loads(RESULTS.read_text())["networks"] if asked and RESULTS.exists() else {}
    for name in asked or catalogue.names():
        for network, (explanation, seconds, fit) in of_task(name).items():
            found[f"{name} {network}"] = told(explanation, seconds, fit)
            print(f"{name} {network}: {line(explanation)}, {seconds:.0f} s beside {fit:.0f} s of training", flush=True)
        write({"machine": machine(), "networks": found}, RESULTS)


def of_task(name: str) -> dict[str, tuple[Explanation, float, float]]:
    """Of each network of a task: its explanation, the seconds that took, and the seconds of its training."""
    from pipelines.contenders.lineup import line_up

    task = catalogue.find(name)
    prepared = prepare(task, DataRequest(), 0, (), Silent())
    examples, fold = prepared.dataset.examples, prepared.folds[0]
    train, valid, tested = (examples.take(part) for part in (fold.train, fold.valid, fold.test))
    competing = task.competing(prepared.protocol.networks, examples.columns)
    found = {}
    for contender in line_up(competing, prepared.objective, prepared.recipe, prepared.mitigation):
        if contender.kind == "classical":
            continue
        started = time.perf_counter()
        fitted = contender.fit(train, valid, 0)
        between = time.perf_counter()
        explanation = explained(fitted, prepared.objective, train, tested, 0)
        found[contender.name] = (explanation, time.perf_counter() - between, between - started)
    return found


def line(found: Explanation) -> str:
    """One network's figures, to read."""
    redrawn = found.randomisation
    pushes = ", ".join(f"{each.part} {each.size.value:.3f}" for each in found.attributions[:MOST_TOLD])
    losses = ", ".join(f"{each.part} {each.lost.value:.3f}" for each in found.importances[:MOST_TOLD])
    return (
        f"completeness within {100 * found.completeness_error:.2f} % on {found.attributed_rows} rows, rank correlation "
        f"with redrawn weights {redrawn.value:+.2f} ({redrawn.low:+.2f} to {redrawn.high:+.2f}); pushed by {pushes}; "
        f"hangs on {losses or found.why_not}"
    )


def told(found: Explanation, seconds: float, fit: float) -> dict[str, Any]:
    """The same for a file."""
    return {
        "rows": found.attributed_rows,
        "completeness_error": found.completeness_error,
        "randomisation": asdict(found.randomisation),
        "sane": found.sane,
        "attributions": [asdict(push) for push in found.attributions[:MOST_TOLD]],
        "importances": [asdict(importance) for importance in found.importances[:MOST_TOLD]],
        "why_not": found.why_not,
        "seconds": round(seconds, 1),
        "training_seconds": round(fit, 1),
    }


if __name__ == "__main__":
    main()
