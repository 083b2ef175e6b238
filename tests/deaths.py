"""Children of a process that has imported all that a run needs; some kill themselves at a chosen call.

Shared by `tuning_deaths.py` and `study_deaths.py`, which are processes of their own.
"""

import os
import signal
from functools import wraps
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def in_a_child(folder, work, *given):
    """Do `work(*given)` in a forked child, in this folder; how it ended, as `subprocess` says it."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return -signal.SIGKILL if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status)
    code = 1
    try:
        os.chdir(folder)
        work(*given)
        code = 0
    finally:
        os._exit(code)


def mortal(function, at):
    """The function, at whose call of this number the process kills itself."""
    calls = []

    @wraps(function)
    def called(*given, **named):
        calls.append(1)
        if len(calls) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*given, **named)

    return called


def whole_and_killed(root, n):
    """Two folders with the same n rows in `own.csv`; before any child is born, what it would import is imported."""
    import keras  # noqa: F401
    import mlflow  # noqa: F401
    import numpy as np
    import optuna  # noqa: F401
    import pandas as pd
    import sklearn.linear_model  # noqa: F401
    import tensorflow  # noqa: F401
    from haste import hasten

    hasten()
    chance = np.random.default_rng(0)
    income = chance.normal(size=n)
    status = np.where(income + chance.normal(size=n) > 0, "good", "bad")
    rows = pd.DataFrame({"Income": income, "Other": chance.normal(size=n), "Status": status})
    folders = [Path(root, name) for name in ("whole", "killed")]
    for folder in folders:
        folder.mkdir()
        rows.to_csv(folder / "own.csv", index=False)
    return folders
