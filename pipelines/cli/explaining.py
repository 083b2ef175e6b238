"""`tapeline explain`: why a recorded model answers as it does, row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.options import Debug, Model, OfRun, Quiet


def explain(
    model: Model,
    input: Annotated[Path, typer.Option(help="Rows to explain: as for `tapeline predict`.")],
    output: Annotated[Path, typer.Option(help="Folder to write explained.csv and a picture of each row into.")],
    contender: OfRun = None,
    rows: Annotated[int, typer.Option(min=1, max=1000, help="How many rows, from the first one on.")] = 12,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Why a recorded model answers these rows as it does: columns, words, moments or places of each row."""
    from pipelines.cli.progress import Terminal
    from pipelines.cli.quiet import import_tensorflow

    progress = Terminal(quiet)
    with progress.stage("load"):
        import_tensorflow(debug)
        from pipelines.cli.rows_explained import explain_file
    with progress.stage("explain"):
        notes = explain_file(model, input, output, contender, rows)
    for note in notes:
        progress.say(note)
