"""`tapeline study`: score against amount of data, and where the network overtakes the best baseline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipelines import catalogue
from pipelines.cli.options import (
    Data,
    Debug,
    Exclude,
    Id,
    Json,
    KeepPersonal,
    Positive,
    Quiet,
    Seed,
    SensitiveColumns,
    Settings,
    Strict,
    Target,
    TaskName,
    Text,
    Time,
)  # fmt: skip
from pipelines.errors import BadInput

PICTURES = (".png", ".svg", ".pdf")


def study(
    task: TaskName,
    rows: Annotated[
        str,
        typer.Option(
            metavar="AMOUNT,AMOUNT,...",
            help="How much to learn from: shares of the rows that are not tested, or numbers of rows.",
        ),
    ] = "5%,10%,30%,100%",
    data: Data = "sample",
    target: Target = None,
    positive: Positive = None,
    sensitive: SensitiveColumns = None,
    id: Id = None,
    time: Time = None,
    text: Text = None,
    exclude: Exclude = None,
    strict: Strict = False,
    keep_personal: KeepPersonal = None,
    seed: Seed = 0,
    set_: Settings = None,
    deterministic: Annotated[
        bool,
        typer.Option(
            "--deterministic",
            help="The same weights in any process on the same hardware; slower. Not with private training.",
        ),
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start anew even if the same command was stopped before.")
    ] = False,
    figure: Annotated[
        Path | None, typer.Option(help="Write the learning curve here as well: .png, .svg or .pdf.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Run the task on several amounts of data, each tested on the same rows: what does more data give each contender,
    and where does the network overtake the best baseline?

    A study that was stopped goes on when the same command is given again.
    """
    from pipelines.cli.progress import Terminal
    from pipelines.cli.quiet import import_tensorflow
    from pipelines.data.amounts import parsed
    from pipelines.task import DataRequest

    declared = catalogue.find(task)
    parsed(rows)  # what is wrong here is told before TensorFlow is there
    _require_writable(figure)
    roles = (target, positive, tuple(sensitive or ()), id, time, text, tuple(exclude or ()))
    request = DataRequest(data, *roles, strict, tuple(keep_personal or ()))
    progress = Terminal(quiet)
    with progress.stage("start TensorFlow and MLflow"):
        import_tensorflow(debug)
        from pipelines.cli import show_study
        from pipelines.study import study as answer
    found = answer(declared, request, rows, seed, tuple(set_ or ()), progress, deterministic, fresh)
    if figure is not None:
        from pipelines.report.figures_study import learning_curve_rows

        learning_curve_rows(found).savefig(figure)
        progress.say(f"the learning curve is in {figure}")
    if json:
        print(found.to_json())
    else:
        show_study.study(Console(emoji=False), found)


def _require_writable(figure: Path | None) -> None:
    """Refuse a place for the figure now, not after hours."""
    if figure is None:
        return
    if figure.suffix.lower() not in PICTURES:
        raise BadInput(f"--figure {figure}: name a file that ends in {', '.join(PICTURES[:-1])} or {PICTURES[-1]}")
    if not figure.parent.is_dir():
        raise BadInput(f"--figure {figure}: there is no folder {figure.parent}")
