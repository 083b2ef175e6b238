"""Smaller budgets for runs of tests: fewer single rows are timed, and fewer answers taken apart, than for a person.

    python haste.py run TASK ...

is `tapeline run TASK ...` with them.
"""

from __future__ import annotations

from pathlib import Path


def hasten(put=setattr):
    """Set the budgets in this process, and in the workers that it starts.

    Args:
        put: called with (module, name, value).
    """
    from pipelines.cli import workers
    from pipelines.contenders import usage
    from pipelines.explanation import explain, permuted, randomisation

    put(usage, "BUDGET", 0.02)
    put(explain, "MOST_ROWS", {"table": 100, "text": 16, "other": 16})
    put(permuted, "MOST_ANSWERS", 3000)
    put(randomisation, "DRAWS", 2)
    put(workers, "PROGRAM", f"import runpy; runpy.run_path({str(Path(__file__).resolve())!r}, run_name='__main__')")


if __name__ == "__main__":
    hasten()
    from pipelines.cli.main import run

    run()
