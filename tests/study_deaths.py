"""A process of its own for the tests of studies: one study that nobody stops, and one that is killed.

    python study_deaths.py FOLDER

It imports what a run needs once and then forks, before anything is computed. Leaves `whole/` and `killed/`.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

from deaths import in_a_child, mortal, whole_and_killed

SETTINGS = (
    "recipe.epochs=2", "recipe.batch_size=16", "recipe.plan=resident", "recipe.width=8", "recipe.trials=1",
    "protocol.folds=2", "protocol.resamples=100",
)  # fmt: skip
LEARNT_BEFORE = 9
"""Two folds of three contenders at the first size, and of the network and `prior` at the second but for the last."""


def study(folder, dies=False):
    """In a child: a study of three contenders at two sizes; how the child ended.

    Args:
        dies: kill itself when the last fold of the contender before the last is judged at the second size.
    """
    return in_a_child(folder, _studied, dies)


def _studied(dies):
    from domains.finance.credit_default import TASK
    from pipelines import compete, study
    from pipelines.prepare import Silent
    from pipelines.report import plots
    from pipelines.task import DataRequest

    said, learnt = [], []

    class Listening(Silent):
        def say(self, line):
            said.append(line)

    tested = mortal(compete._tested, LEARNT_BEFORE + 1) if dies else compete._tested

    def counted(contender, *given):
        done = tested(contender, *given)
        learnt.append(contender.name)
        return done

    compete._tested = counted
    plots.of_run = lambda *given: ()
    task = replace(TASK, baselines=tuple(each for each in TASK.baselines if each.name in ("prior", "linear")))
    found = study.study(task, DataRequest("own.csv", target="Status"), "50%,100%", 3, SETTINGS, Listening(), True)
    Path("told.json").write_text(json.dumps({"study": found.to_dict(), "said": said, "learnt": learnt}))


def main():
    whole, killed = whole_and_killed(sys.argv[1], 120)
    ends = [study(whole), study(killed, dies=True)]
    left = sorted(str(path.relative_to(killed)) for path in killed.glob("mlruns/unfinished/**/re*.json"))
    ends.append(study(killed))
    Path(sys.argv[1], "deaths.json").write_text(json.dumps({"ends": ends, "left": left}))


if __name__ == "__main__":
    main()
