"""`tapeline tune`: a run in which every contender gets the same trials, or the same seconds, to find its settings."""

from __future__ import annotations

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

TRIALS = 20
"""If neither trials nor seconds are asked for."""


def tune(
    task: TaskName,
    trials: Annotated[
        int | None,
        typer.Option(help=f"How many settings each contender tries on each fold; {TRIALS} if nothing is asked for."),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(help="Instead: for how long each contender tries settings, on each fold.")
    ] = None,
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
        bool, typer.Option("--deterministic", help="The same weights in any process on the same hardware; slower.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start anew even if the same command was stopped before.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Tune the network and its baselines with the same budget, then compare them as `run` does.

    Settings are chosen on validation rows, anew on each fold, so no tested row has a say. What --set gives for the
    recipe is not searched. A tuning that was stopped goes on when the same command is given again.
    """
    from pipelines.cli import show, show_tuning
    from pipelines.cli.progress import Terminal
    from pipelines.cli.quiet import import_tensorflow
    from pipelines.task import DataRequest

    wanted = _budget(trials, seconds)
    declared = catalogue.find(task)
    roles = (target, positive, tuple(sensitive or ()), id, time, text, tuple(exclude or ()))
    request = DataRequest(data, *roles, strict, tuple(keep_personal or ()))
    progress = Terminal(quiet)
    with progress.stage("start TensorFlow and MLflow"):
        import_tensorflow(debug)
        from pipelines.contenders.tuned import Budget
        from pipelines.run import run
    report = run(declared, request, seed, tuple(set_ or ()), progress, deterministic, fresh, Budget(*wanted))
    if json:
        print(report.to_json())
    else:
        console = Console(emoji=False)
        show.report(console, report)
        show_tuning.pasted(console, report)


def _budget(trials: int | None, seconds: float | None) -> tuple[int, float]:
    """(trials, seconds), one of which is 0.

    Raises:
        BadInput: both are asked for, or nothing that a contender could use.
    """
    if trials is not None and seconds is not None:
        raise BadInput("--trials and --seconds are two ways to say the budget; give one of them")
    if trials is not None and trials < 1:
        raise BadInput(f"--trials {trials}: give each contender at least 1 trial")
    if seconds is not None and not 0 < seconds < float("inf"):
        raise BadInput(f"--seconds {seconds:g}: give each contender some time")
    return (0, seconds) if seconds is not None else (trials or TRIALS, 0.0)
