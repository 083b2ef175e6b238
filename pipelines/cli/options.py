"""Arguments and flags that several commands take, with their help."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines import catalogue

TaskName = Annotated[
    str,
    typer.Argument(metavar="TASK", help="A task's name, as `tapeline list` shows it.", autocompletion=catalogue.names),
]
Data = Annotated[
    str,
    typer.Option(
        help="`sample`, `sample:NAME`, `public`, `public:NAME`, or the path of your own data.", show_default=True
    ),
]
Target = Annotated[str | None, typer.Option(help="Column to predict, in your own table.")]
Positive = Annotated[str | None, typer.Option(help="Which of two labels counts as positive.")]
SensitiveColumns = Annotated[
    list[str] | None, typer.Option(help="Column of groups to measure bias on; models do not see it. Repeatable.")
]
Id = Annotated[str | None, typer.Option(help="Column of the patient, customer or speaker; their rows stay together.")]
Time = Annotated[str | None, typer.Option(help="Column of the moment; the last rows in time are the test.")]
Text = Annotated[str | None, typer.Option(help="Column of the text, for a task on texts.")]
Exclude = Annotated[list[str] | None, typer.Option(help="Column that models must not see. Repeatable.")]
Strict = Annotated[
    bool, typer.Option("--strict", help="Refuse your own data where it holds personal data, or a file that is damaged.")
]
KeepPersonal = Annotated[
    list[str] | None,
    typer.Option(metavar="COLUMN", help="Learn from this column as it is, though it holds personal data. Repeatable."),
]
Model = Annotated[
    str, typer.Argument(metavar="MODEL", help="A saved model's folder, an MLflow run id, or runs:/ID/model.")
]
OfRun = Annotated[
    str | None, typer.Option(help="Which contender, where MODEL is a run of a whole pipeline; its winner if left out.")
]
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Decides splits, weights and searches.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change recipe.* or protocol.*. Repeatable.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout instead of tables.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes on stderr.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error, and what libraries log.")]
