"""What a study has done: the report and the outcomes of each size that ended, so that it is not trained again.

They lie in the study's own journal, and so count only for the same command, data, code and versions; the size that is
under way has a journal inside it. All of it is removed with the study's journal, when the study has ended well.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.contenders.saved import whole
from pipelines.evaluation.outcome import Outcome, Round
from pipelines.objectives.objective import Predictions
from pipelines.report.document import Report

REPORT = "report.json"


def finished(folder: Path) -> tuple[Report, dict[str, Outcome]] | None:
    """What `finish` wrote; None where the size is not done, or where what is there is damaged."""
    try:
        report = Report.from_dict(json.loads((folder / REPORT).read_text(encoding="utf-8")))
        return report, {card.name: _outcome(folder / f"{card.name}.npz") for card in report.contenders}
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error):
        return None


def finish(folder: Path, report: Report, outcomes: Mapping[str, Outcome]) -> None:
    """Write down that this size is done."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, outcome in outcomes.items():
        with whole(folder / f"{name}.npz") as file:
            np.savez(file, allow_pickle=False, **_arrays(outcome))
    with whole(folder / REPORT) as file:  # last: it says that the rest is there
        file.write(report.to_json().encode())


def _arrays(outcome: Outcome) -> dict[str, Any]:
    """All that comparing an outcome needs; groups, which bias is measured over, are in the report already."""
    arrays = {
        "target": outcome.target,
        "values": outcome.predictions.values,
        "decisions": outcome.predictions.decisions,
        "rounds": np.array([(part.start, part.stop, part.n_train, part.training) for part in outcome.rounds]),
        "rows": outcome.rows,
        "weight": outcome.weight,
        "ids": None if outcome.ids is None else outcome.ids.astype(np.str_),
        # Only the order of moments matters.
        "time": None if outcome.time is None else np.unique(outcome.time, return_inverse=True)[1],
        "block": outcome.block,
    }
    return {name: values for name, values in arrays.items() if values is not None}


def _outcome(path: Path) -> Outcome:
    with np.load(path, allow_pickle=False) as arrays:
        return Outcome(
            target=arrays["target"],
            predictions=Predictions(arrays["values"], arrays.get("decisions")),
            rounds=tuple(Round(*(int(number) for number in part)) for part in arrays["rounds"]),
            rows=arrays["rows"],
            weight=arrays.get("weight"),
            ids=arrays.get("ids"),
            time=arrays.get("time"),
            block=int(arrays["block"]),
        )
