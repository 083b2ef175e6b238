"""`tapeline`: list tasks, run one, compare its runs, check limits and gradients, predict, open MLflow.

Nothing heavy is imported before a command needs it. Answers go to stdout, everything else to stderr.
"""

from __future__ import annotations

import math
import os
import socket
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from pipelines import __version__, catalogue
from pipelines.cli.explaining import explain
from pipelines.cli.hardware import hardware
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
from pipelines.cli.predicting import predict
from pipelines.cli.reporting import report
from pipelines.cli.stopping import heed_signals
from pipelines.cli.studying import study
from pipelines.cli.tuning import tune
from pipelines.errors import BadInput, Interrupted, LimitFailed, TapelineError

app = typer.Typer(
    help="Is a deep network worth it on your data? Train it, train tuned classical models on the same rows, "
    "and read which is better, how surely, at what cost, and for whom not.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

LONGEST_SURPRISE = 300
"""Characters of an unforeseen error that are shown: some libraries quote whole arrays."""


def run() -> None:
    """The console script: run a command and turn what goes wrong into one line and an exit code."""
    debug = "--debug" in sys.argv
    # Unset, TensorFlow leaves oneDNN's kernels off on processors without AVX-512 VNNI, where they are quicker too.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    try:
        # What libraries meet while Python tidies up after the last line is of no use to anybody.
        heed_signals(sys.unraisablehook if debug else lambda _: None)
        # A number where the command was left early; click makes 130 of a KeyboardInterrupt.
        ended = app(prog_name="tapeline", standalone_mode=False)
        if ended == Interrupted.exit_code:
            raise KeyboardInterrupt
    except TapelineError as error:
        _fail(str(error), error.exit_code, debug)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted", Interrupted.exit_code, debug)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader of our output left; nothing more to say
        raise SystemExit(0) from None
    except Exception as error:
        if hasattr(error, "format_message"):  # wrong usage, found by click
            where = getattr(getattr(error, "ctx", None), "command_path", "tapeline")
            _fail(f"{error.format_message().rstrip('.')}; `{where} --help` shows what there is", 2, debug)
        said = " ".join(str(error).split())[:LONGEST_SURPRISE]
        _fail(f"unexpected {type(error).__name__}: {said}; --debug shows where", 3, debug)


def _spared(text: str) -> str:
    """A message with personal data masked: an error quotes what it is about."""
    from pipelines.data.personal_kinds import masked

    return masked(text)


def _fail(message: str, code: int, debug: bool) -> None:
    if debug and sys.exc_info()[0] is not None:
        import traceback

        traceback.print_exc()
    line = _spared(" ".join(message.split()))
    Console(stderr=True, emoji=False, highlight=False, soft_wrap=True).print(
        f"[bold red]error[/bold red] {escape(line)}"
    )
    raise SystemExit(code)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"tapeline {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Is a deep network worth it on your data?"""


@app.command("list")
def list_tasks(json: Json = False) -> None:
    """The tasks, what each one learns, and where its data comes from."""
    tasks = [catalogue.find(name) for name in catalogue.names()]
    if json:
        import json as format

        print(format.dumps([
            {"name": task.name, "summary": task.summary, "public": list(task.sources.public),
             "samples": list(task.sources.samples),
             "simulated": task.sample_is_simulated} for task in tasks
        ]))  # fmt: skip
        return
    from pipelines.cli import show

    show.tasks(Console(emoji=False), tasks)


@app.command("run")
def run_task(
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK",
            help="A name from `tapeline list`; not needed with --resume.",
            autocompletion=catalogue.names,
        ),
    ] = "",
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
    resume: Annotated[
        str, typer.Option(metavar="RUN", help="Go on with this run, which was stopped; the start of its id is enough.")
    ] = "",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start anew even if the same command was stopped before.")
    ] = False,
    workers: Annotated[
        str,
        typer.Option(
            metavar="N|HOST:PORT,...",
            help="Train the network in several processes together: so many on this machine, to try it out; or, given "
            "to each process on its own machine together with --worker, where all of them are, the chief first.",
        ),
    ] = "",
    worker: Annotated[
        int | None, typer.Option(min=0, help="Which of the addresses in --workers this process is, from 0.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Train the task's network and its classical baselines, compare them, measure bias, record all of it in MLflow.

    A run that was stopped goes on when the same command is given again.
    """
    from pipelines.cli import show
    from pipelines.cli.progress import Terminal
    from pipelines.cli.quiet import import_tensorflow
    from pipelines.cli.workers import launch, take_part
    from pipelines.task import DataRequest

    if workers.isdecimal():
        if worker is not None:
            raise BadInput("--worker goes with the addresses of --workers; a number of workers is started here")
        raise SystemExit(launch(int(workers), _without("--workers", sys.argv[1:])))  # the chief has said all
    if workers or worker is not None:
        take_part(workers, worker)
    if bool(task) == bool(resume):
        raise BadInput("name a TASK (`tapeline list` shows them), or the run to go on with: --resume RUN")
    if not resume:
        catalogue.find(task)
    roles = (target, positive, tuple(sensitive or ()), id, time, text, tuple(exclude or ()))
    request = DataRequest(data, *roles, strict, tuple(keep_personal or ()))
    assignments = tuple(set_ or ())
    progress = Terminal(quiet)
    with progress.stage("start TensorFlow and MLflow"):
        import_tensorflow(debug)
        from pipelines.assist import assist
        from pipelines.run import resumed
        from pipelines.run import run as answer
        from pipelines.training.strategy import chief
    if resume:
        task, request, seed, assignments, deterministic = resumed(resume)
    if not chief():
        assist(catalogue.find(task), request, seed, assignments, progress, deterministic)
        raise typer.Exit
    report = answer(catalogue.find(task), request, seed, assignments, progress, deterministic, fresh)
    if json:
        print(report.to_json())
    else:
        show.report(Console(emoji=False), report)


def _without(flag: str, arguments: list[str]) -> list[str]:
    """The arguments without a flag and its value."""
    kept, skip = [], False
    for each in arguments:
        if not skip and not each.startswith(f"{flag}="):
            skip = each == flag
            kept += [] if skip else [each]
        else:
            skip = False
    return kept


app.command("tune")(tune)
app.command("study")(study)
app.command("hardware")(hardware)
app.command("report")(report)


@app.command()
def compare(
    task: TaskName,
    limit: Annotated[int, typer.Option(min=1, help="How many runs to show at most.")] = 20,
    json: Json = False,
) -> None:
    """Past runs of a task: data, answer, winner, and the scores of the network and the best baseline."""
    from pipelines.cli import show
    from pipelines.cli.history import past_runs

    rows = past_runs(catalogue.find(task), limit)
    if json:
        import json as format

        print(format.dumps(rows))
    else:
        show.runs(Console(emoji=False), rows)


@app.command()
def check(
    task: TaskName,
    run_id: Annotated[
        str | None, typer.Option("--run", help="Which run; the task's newest finished one if left out.")
    ] = None,
    json: Json = False,
) -> None:
    """Do the task's limits hold in a recorded run? Exit code 1 where one fails."""
    from pipelines.cli import show
    from pipelines.cli.history import limits_of

    found, primary, results = limits_of(catalogue.find(task), run_id)
    if json:
        import json as format

        limits = [{**vars(each), "value": each.value if math.isfinite(each.value) else None} for each in results]
        print(format.dumps({"run": found, "limits": limits}))
    else:
        console = Console(emoji=False)
        console.print(f"run {found}" if results else f"run {found}: {task} declares no limit for such data")
        show.limits(console, results, primary)
    if failed := [show.limit_in_words(each, primary) for each in results if not each.passed]:
        raise LimitFailed(f"{len(failed)} of {len(results)} limits of {task} failed: {'; '.join(failed)}")


@app.command()
def gradcheck(
    task: TaskName,
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
    rows: Annotated[int, typer.Option(min=1, help="How many training rows the loss is the mean of.")] = 8,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Does the tape's gradient equal central differences, layer by layer of the task's network? Exit code 1 if not."""
    from pipelines.cli.progress import Terminal
    from pipelines.cli.quiet import import_tensorflow
    from pipelines.task import DataRequest

    declared = catalogue.find(task)
    roles = (target, positive, tuple(sensitive or ()), id, time, text, tuple(exclude or ()))
    request = DataRequest(data, *roles, strict, tuple(keep_personal or ()))
    progress = Terminal(quiet)
    with progress.stage("start TensorFlow"):
        import_tensorflow(debug)
        from pipelines.cli import gradcheck as checks
    found = checks.check_task(declared, request, rows, seed, tuple(set_ or ()), progress)
    if json:
        import json as format

        print(format.dumps(checks.document(declared, rows, seed, found)))
    else:
        checks.show(Console(emoji=False), declared, rows, found)
    if wrong := [f"{name} of {check.name}" for check in found for name in check.failed]:
        raise TapelineError(f"the gradient of {task} is wrong in {', '.join(wrong)}")


app.command("predict")(predict)
app.command("explain")(explain)


@app.command()
def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine only.")] = 5000,
) -> None:
    """Open MLflow's page on the runs recorded here, at http://127.0.0.1:PORT, until it is interrupted."""
    from pipelines.tracking.store import open_store

    store = open_store()
    if store.uri.startswith(("http://", "https://")):
        print(f"the runs are on a server; open {store.uri}")
        return
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError as error:
            raise BadInput(f"--port {port} cannot be had ({error.strerror}); choose another") from error
    print(f"starting MLflow, soon at http://127.0.0.1:{port} (Ctrl-C ends it)", file=sys.stderr)
    # One reader on this machine needs one worker; each further one imports MLflow anew.
    arguments = ["--backend-store-uri", store.uri, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    # Its runner of background jobs, which we have none of, would outlive it.
    os.environ.setdefault("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", "ui", *arguments])  # noqa: S606  our own arguments


if __name__ == "__main__":
    run()
