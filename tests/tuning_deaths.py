"""A process of its own for the test of killed tunings: one tuning that nobody stops, and one that is killed twice.

    python tuning_deaths.py FOLDER

It imports what a run needs once and then forks, before anything is computed. Prints both reports as JSON.
"""

import json
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
SETTINGS = (
    "recipe.epochs=2", "recipe.batch_size=16", "recipe.plan=resident", "recipe.width=8", "recipe.dropout=0.1",
    "protocol.folds=2", "protocol.resamples=100",
)  # fmt: skip


def tune(folder):
    """In a child: `tapeline tune` of a small table by the network and two baselines, 4 trials each."""
    from domains.finance.credit_default import TASK
    from pipelines.contenders.tuned import Budget
    from pipelines.run import run
    from pipelines.task import DataRequest

    child = os.fork()
    if child:
        return child
    os.chdir(folder)
    baselines = tuple(each for each in TASK.baselines if each.name in ("prior", "forest"))
    request = DataRequest("own.csv", target="Status")
    report = run(replace(TASK, baselines=baselines), request, 3, SETTINGS, None, True, False, Budget(4))
    Path("report.json").write_text(report.to_json())
    os._exit(0)


def killed(folder, when):
    """The same, killed as soon as two trials of this search are on the disk."""
    child = tune(folder)
    while True:
        (found,) = [*folder.glob(f"mlruns/unfinished/*/{when}/checkpoints/tuning/trials.json")] or [None]
        if found is not None and len(json.loads(found.read_text())["trials"]) >= 2:
            os.kill(child, signal.SIGKILL)
            break
        assert os.waitpid(child, os.WNOHANG)[0] == 0, "it ended before it could be killed"
        time.sleep(0.002)
    os.waitpid(child, 0)
    return json.loads(found.read_text())["trials"]


def main():
    import keras  # noqa: F401
    import mlflow  # noqa: F401
    import numpy as np
    import optuna  # noqa: F401
    import pandas as pd
    import sklearn.ensemble  # noqa: F401
    import tensorflow  # noqa: F401

    chance = np.random.default_rng(0)
    income = chance.normal(size=100)
    status = np.where(income + chance.normal(size=100) > 0, "good", "bad")
    rows = pd.DataFrame({"Income": income, "Other": chance.normal(size=100), "Status": status})
    folders = [Path(sys.argv[1], name) for name in ("whole", "killed")]
    for folder in folders:
        folder.mkdir()
        rows.to_csv(folder / "own.csv", index=False)
    os.waitpid(tune(folders[0]), 0)
    seen = [killed(folders[1], "mlp-1"), killed(folders[1], "forest-2")]
    os.waitpid(tune(folders[1]), 0)
    left = [str(path) for path in folders[1].glob("mlruns/unfinished/*")]
    reports = [json.loads((folder / "report.json").read_text()) for folder in folders]
    print(json.dumps({"whole": reports[0], "killed": reports[1], "seen": seen, "left": left}))


if __name__ == "__main__":
    main()
