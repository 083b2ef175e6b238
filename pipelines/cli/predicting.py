"""`tapeline predict`: new rows through a recorded model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.options import Debug, Model, OfRun, Quiet


def predict(
    model: Model,
    input: Annotated[Path, typer.Option(help="Rows to predict: CSV or Parquet, or what the task reads.")],
    output: Annotated[Path, typer.Option(help="Where to write the predictions: .csv or .parquet.")],
    contender: OfRun = None,
    reasons: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            help="Name the N columns that pushed each row most towards the positive class (two classes, tables).",
        ),
    ] = 0,
    oversight: Annotated[
        bool, typer.Option("--oversight", help="Say of each row whether a person has to decide it (classes).")
    ] = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Predict new rows with a recorded model, in the order of the input."""
    from pipelines.cli.progress import Terminal
    from pipelines.cli.quiet import import_tensorflow

    progress = Terminal(quiet)
    with progress.stage("load"):
        import_tensorflow(debug)
        from pipelines.cli.prediction import predict_file
    with progress.stage("predict"):
        notes = predict_file(model, input, output, contender, reasons, oversight)
    for note in notes:
        progress.say(note)
