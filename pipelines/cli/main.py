"""`tapeline`: list tasks, run one, compare its runs, check its limits, predict with a saved model, open MLflow.

Nothing heavy is imported before a command needs it. Answers go to stdout, everything else to stderr.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from pipelines import __version__, catalogue
from pipelines.errors import Interrupted, LimitFailed, TapelineError

app = typer.Typer(
    help="Is a deep network worth it on your data? Train it, train tuned classical models on the same rows, "
    "and read which is better, how surely, at what cost, and for whom not.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

TaskName = Annotated[
    str,
    typer.Argument(metavar="TASK", help="A task's name, as `tapeline list` shows it.", autocompletion=catalogue.names),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout instead of tables.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes on stderr.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error, and what libraries log.")]


def run() -> None:
    """The console script: run a command and turn what goes wrong into one line and an exit code."""
    debug = "--debug" in sys.argv
    signal.signal(signal.SIGTERM, _terminated)
    try:
        app(standalone_mode=False)
    except typer.Exit as ended:
        raise SystemExit(ended.exit_code) from None
    except TapelineError as error:
        _fail(str(error), error.exit_code, debug)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted", Interrupted.exit_code, debug)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader of our output left; nothing more to say
        raise SystemExit(0) from None
    except Exception as error:
        if hasattr(error, "format_message"):  # wrong usage, found by click
            _fail(f"{error.format_message()} (see {Path(sys.argv[0]).name} --help)", 2, debug)
        _fail(f"unexpected {type(error).__name__}: {error}; --debug shows where", 3, debug)


def _fail(message: str, code: int, debug: bool) -> None:
    if debug and sys.exc_info()[0] is not None:
        import traceback

        traceback.print_exc()
    line = " ".join(message.split())
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"[bold red]error[/bold red] {escape(line)}")
    raise SystemExit(code)


def _terminated(number: int, frame: Any) -> None:
    raise Interrupted("terminated by a signal; the MLflow run is marked as stopped")


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
             "simulated": task.sample_is_simulated} for task in tasks
        ]))  # fmt: skip
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("task", "learns", "sample", "public"):
        table.add_column(heading, no_wrap=heading == "task")
    for task in tasks:
        sample = "simulated" if task.sample_is_simulated else "real"
        table.add_row(task.name, task.summary, sample, ", ".join(task.sources.public) or "-")
    Console().print(table)


@app.command("run")
def run_task(
    task: TaskName,
    data: Annotated[
        str, typer.Option(help="`sample`, `public`, `public:NAME`, or the path of your own data.", show_default=True)
    ] = "sample",
    target: Annotated[str | None, typer.Option(help="Column to predict, in your own table.")] = None,
    positive: Annotated[str | None, typer.Option(help="Which of two labels counts as positive.")] = None,
    sensitive: Annotated[
        list[str] | None, typer.Option(help="Column of groups to measure bias on; models do not see it. Repeatable.")
    ] = None,
    id: Annotated[
        str | None, typer.Option(help="Column of the patient, customer or speaker; their rows stay together.")
    ] = None,
    time: Annotated[str | None, typer.Option(help="Column of the moment; the last rows in time are the test.")] = None,
    text: Annotated[str | None, typer.Option(help="Column of the text, for a task on texts.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="Column that models must not see. Repeatable.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides splits, weights and searches.")] = 0,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change recipe.* or protocol.*. Repeatable.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Train the task's network and its classical baselines, compare them, measure bias, record all of it in MLflow."""
    from pipelines.cli import show
    from pipelines.cli.progress import Terminal
    from pipelines.cli.quiet import import_tensorflow
    from pipelines.task import DataRequest

    declared = catalogue.find(task)
    request = DataRequest(data, target, positive, tuple(sensitive or ()), id, time, text, tuple(exclude or ()))
    progress = Terminal(quiet)
    with progress.stage("start TensorFlow and MLflow"):
        import_tensorflow(debug)
        from pipelines.run import run as answer
    report = answer(declared, request, seed, tuple(set_ or ()), progress)
    if json:
        print(report.to_json())
    else:
        show.report(Console(), report)


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
        show.runs(Console(), rows)


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

    found, results = limits_of(catalogue.find(task), run_id)
    if json:
        import json as format

        print(format.dumps({"run": found, "limits": [vars(each) for each in results]}))
    else:
        console = Console()
        console.print(f"run {found}" if results else f"run {found}: {task} declares no limit")
        show.limits(console, results)
    if failed := [each.name for each in results if not each.passed]:
        raise LimitFailed(f"{len(failed)} of {len(results)} limits of {task} failed: {', '.join(failed)}")


@app.command()
def predict(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A saved model's folder, an MLflow run id, or runs:/ID/model.")
    ],
    input: Annotated[Path, typer.Option(help="Rows to predict: CSV or Parquet, or what the task reads.")],
    output: Annotated[Path, typer.Option(help="Where to write the predictions: .csv or .parquet.")],
    contender: Annotated[
        str | None,
        typer.Option(help="Which contender, where MODEL is a run of a whole pipeline; its winner if left out."),
    ] = None,
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
        notes = predict_file(model, input, output, contender)
    for note in notes:
        progress.say(note)


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
    print(f"http://127.0.0.1:{port} (Ctrl-C ends it)", file=sys.stderr)
    arguments = ["--backend-store-uri", store.uri, "--host", "127.0.0.1", "--port", str(port)]
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", "ui", *arguments])  # noqa: S606  our own arguments


if __name__ == "__main__":
    run()
