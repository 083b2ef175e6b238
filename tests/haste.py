"""Smaller budgets for runs of tests: fewer single rows are timed, and fewer answers taken apart, than for a person.

    python haste.py run TASK ...
    python haste.py -m MODULE ...

are `tapeline run TASK ...` and `python -m MODULE ...` with them.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path


def hasten(put=setattr):
    """Set the budgets in this process, and in the workers that it starts.

    Args:
        put: called with (module, name, value).
    """
    from pipelines import robustness, strangers
    from pipelines.cli import workers
    from pipelines.contenders import usage
    from pipelines.explanation import explain, permuted, randomisation

    put(usage, "BUDGET", 0.02)
    put(explain, "MOST_ROWS", {"table": 100, "text": 16, "other": 16})
    put(permuted, "MOST_ANSWERS", 3000)
    put(robustness, "MOST_ROWS", 200)
    put(strangers, "MOST_STRANGE", 40)
    put(randomisation, "DRAWS", 2)
    put(workers, "PROGRAM", f"import runpy; runpy.run_path({str(Path(__file__).resolve())!r}, run_name='__main__')")


if __name__ == "__main__":
    hasten()
    if sys.argv[1:2] == ["-m"]:
        sys.argv[:3] = [sys.argv[2]]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        from pipelines.cli.main import run

        run()
