"""A process of its own for the tests of tuning: one tuning that nobody stops, and one that is killed twice.

    python tuning_deaths.py FOLDER

It imports what a run needs once and then forks, before anything is computed. Leaves `whole/` and `killed/`.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

from deaths import in_a_child, mortal, whole_and_killed

SETTINGS = (
    "recipe.epochs=2", "recipe.batch_size=16", "recipe.plan=resident", "recipe.width=8", "recipe.dropout=0.1",
    "protocol.folds=2", "protocol.resamples=100",
)  # fmt: skip


def tune(folder, dies_in=None, at=0, figures=False):
    """In a child: 3 trials of the network and of two baselines; how the child ended.

    Args:
        dies_in: (object, name) of a function in which the child kills itself, at its call of this number.
    """
    return in_a_child(folder, _tuned, dies_in, at, figures)


def _tuned(dies_in, at, figures):
    from domains.finance.credit_default import TASK
    from pipelines.contenders.tuned import Budget
    from pipelines.prepare import Silent
    from pipelines.report import plots
    from pipelines.run import run
    from pipelines.task import DataRequest

    class Listening(Silent):
        said, shown = [], []

        def say(self, line):
            self.said.append(line)

        def status(self, words):
            self.shown.append(words)

    if dies_in:
        setattr(*dies_in, mortal(getattr(*dies_in), at))
    if not figures:
        plots.of_run = lambda *given: ()
    baselines = tuple(each for each in TASK.baselines if each.name in ("prior", "linear"))
    request = DataRequest("own.csv", target="Status")
    task, progress = replace(TASK, baselines=baselines), Listening()
    report = run(task, request, 3, SETTINGS, progress, True, False, Budget(3))
    told = {"report": report.to_dict(), "said": progress.said, "shown": progress.shown}
    Path("told.json").write_text(json.dumps(told))


def trials_left(folder, search):
    (path,) = folder.glob(f"mlruns/unfinished/*/{search}/checkpoints/tuning/trials.json")
    return json.loads(path.read_text())["trials"]


def main():
    whole, killed = whole_and_killed(sys.argv[1], 100)

    from pipelines.contenders import classical
    from pipelines.training.fit import Training

    ends = [tune(whole, figures=True)]
    # After the first of two epochs of the network's third trial on the first fold.
    ends.append(tune(killed, (Training, "_remember"), 6))
    seen = [trials_left(killed, "mlp-1")]
    # In the second trial of `linear` on the second fold; `prior` had one on each, and `linear` three on the first.
    ends.append(tune(killed, (classical, "count_parameters"), 7))
    seen.append(trials_left(killed, "linear-2"))
    ends.append(tune(killed))
    (Path(sys.argv[1]) / "deaths.json").write_text(json.dumps({"ends": ends, "seen": seen}))


if __name__ == "__main__":
    main()
