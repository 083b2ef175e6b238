"""`tapeline hardware`: what this machine can do."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from pipelines.cli.options import Debug, Json, Quiet


def hardware(
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Measure once more; the better of both figures is kept.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """What this machine can do: a product of matrices and its memory, measured once and remembered."""
    from pipelines.cli.progress import Terminal
    from pipelines.cli.quiet import import_tensorflow

    progress = Terminal(quiet)
    with progress.stage("start TensorFlow"):
        import_tensorflow(debug)
        from pipelines.cli import show_cost
        from pipelines.hardware import hardware as found
    with progress.stage("measure"):
        machine = found(fresh)
    if json:
        import json as format

        print(format.dumps(vars(machine)))
    else:
        show_cost.page(Console(emoji=False), machine)
