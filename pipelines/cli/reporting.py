"""`tapeline report`: the page and the model card of a recorded run, as files for other people."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipelines import catalogue
from pipelines.card import read_card
from pipelines.cli.options import Debug
from pipelines.errors import BadInput

STDOUT = "-"
BEGINNING = 4000
"""Characters of a file in which it says what it was made by."""
SHORT = 8
"""Digits of a run's id in the name of its page."""


def report(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="An MLflow run id or its start, as `tapeline compare` shows it; or a task, of which the "
            "newest finished run is taken.",
            autocompletion=catalogue.names,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.html", help="Where to write the page; report-TASK-RUN.html in this folder if left out."
        ),
    ] = None,
    json: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="Write the model card as JSON; - is stdout. The page is then written only if --output or --open asks "
            "for it.",
        ),
    ] = "",
    card: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml",
            help="What a model of your own data is for: purpose, users, decides, contact, data (texts), not_for and "
            "failures (lists of texts).",
        ),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Show the page in the browser.")] = False,
    debug: Debug = False,
) -> None:
    """Write one HTML page about a run, with its model card, for people who were not there: the answer first.

    The page is one file. It needs no network and no script, and follows a dark or a light screen.
    """
    del debug  # heeded by `main.run`
    said = None if card is None else read_card(card)
    if output is not None and output.suffix not in (".html", ".htm"):
        raise BadInput(f"--output {output}: the page is HTML; give a name that ends in .html")
    wants_page = bool(output or open_ or not json)
    from pipelines.operations.paging import card_of
    from pipelines.report.card import ModelCard
    from pipelines.tracking import query
    from pipelines.tracking.recorded import recorded

    is_id = re.fullmatch(r"[0-9a-f]+", run) is not None
    found = recorded(run if is_id else query.latest(catalogue.find(run).name))
    made: ModelCard = card_of(found, said)
    if json == STDOUT:
        print(made.to_json())
    elif json:
        _write("--json", Path(json), made.to_json(), '"model_card"')
        _say(f"model card written to {json}")
    if not wants_page:
        return
    from pipelines.report.page.build import GENERATOR, html

    short = made.report.task.rpartition("/")[2]
    page = output or Path(f"report-{short}-{made.report.mlflow_run_id[:SHORT]}.html")
    _write("--output", page, html(made, found.figures), f'content="{GENERATOR}"')
    if json == STDOUT:
        _say(f"page written to {page}")
    else:
        print(page)
    if open_ and not _opened(page):
        _say(f"no browser could be opened here; open {page.absolute()} in one")


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _write(flag: str, path: Path, text: str, mark: str) -> None:
    """Write a file whole. One that is there already is replaced only if it is of the same kind, which `mark` tells.

    Raises:
        BadInput: it cannot be written, or is something else.
    """
    from pipelines.contenders.saved import whole

    try:
        if path.exists():
            with path.open(encoding="utf-8", errors="replace") as file:
                if mark not in file.read(BEGINNING):
                    raise BadInput(
                        f"{flag} {path} is there already and was not written by `tapeline report`; name another"
                    )
        with whole(path) as file:
            file.write(text.encode())
    except OSError as error:
        raise BadInput(f"{flag} {path} cannot be written: {error.strerror or error}") from error


def _opened(page: Path) -> bool:
    import webbrowser

    try:
        return webbrowser.open(page.absolute().as_uri())
    except (webbrowser.Error, OSError):
        return False
