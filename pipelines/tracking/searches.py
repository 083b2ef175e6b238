"""What a tuning tried, on the run of its contender: `trials.csv`, and metrics whose step is the trial.

`tuning/score` is each trial's score on the validation rows, `tuning/best` the best so far; with several folds
`tuning/fold-1/score` and so on.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.report.tuning import Search
from pipelines.tracking.metrics import metric_name

if TYPE_CHECKING:
    from pipelines.tracking.record import RunHandle

TRIALS = "trials.csv"


def log_searches(handle: RunHandle, searches: Sequence[Search], primary: str, greater_is_better: bool) -> None:
    """All trials of one contender, fold by fold."""
    handle.text(TRIALS, _table(searches, primary))
    values = []
    for search in searches:
        fold = [f"fold-{search.fold}"] if len(searches) > 1 else []
        for each, best in zip(search.tried, search.so_far(greater_is_better), strict=True):
            names = (metric_name("tuning", *fold, name) for name in ("score", "best"))
            values += [(name, value, each.number) for name, value in zip(names, (each.score, best), strict=True)]
    handle.series(values)


def _table(searches: Sequence[Search], primary: str) -> str:
    names = list(dict.fromkeys(name for search in searches for each in search.tried for name in each.settings))
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(["fold", "trial", "state", primary, "seconds", "kept", *names, "why"])
    for search in searches:
        for each in search.tried:
            score = "" if math.isnan(each.score) else repr(each.score)
            settings = (each.settings.get(name) for name in names)
            told = (value if isinstance(value, str) else json.dumps(value) for value in settings)
            kept = int(each.number == search.best)
            table.writerow([search.fold, each.number, each.state, score, f"{each.seconds:.3f}", kept, *told, each.why])
    return written.getvalue()
