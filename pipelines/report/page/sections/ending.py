"""What remains: the limits of the task, what was not measured, and how to do it all again."""

from __future__ import annotations

from pipelines.report.page.context import Context
from pipelines.report.page.parts import Block, Column, Command, Facts, Prose, Row, Section, Table, shown
from pipelines.report.readings import limit_named

NO_COMMAND = "The command was not kept in this report; MLflow has the settings of the run."


def limits(page: Context) -> Section | None:
    """Whether each limit that the task sets holds."""
    verdict = page.report.verdict
    if not verdict.limits:
        return None
    columns = (Column("limit", "name"), Column("asked"), Column("measured"), Column("holds?", "words"))
    rows = tuple(
        Row((
            limit_named(each.name, page.report.primary),
            "yes" if each.name == "beats_best_baseline" else shown(each.limit),
            shown(each.value),
            "holds" if each.passed else "FAILS",
        ))
        for each in verdict.limits
    )  # fmt: skip
    lead = "What must hold before a network of this task may be promoted."
    return Section("limits", "Limits", lead, [Table("Limits that the task sets its network", columns, rows)])


def not_measured(page: Context) -> Section:
    """What the page does not say, and why."""
    rows = tuple(Row((each.what, each.why)) for each in page.card.not_measured)
    columns = (Column("what", "name"), Column("why", "words"))
    lead = "What nobody should read out of this page."
    return Section("not-measured", "Not measured", lead, [Table("Not measured, and why", columns, rows)])


def reproduce(page: Context) -> Section:
    """The command, the seed, the data, the code, and every setting."""
    report = page.report
    same = "the same command gives the same weights on the same hardware" if report.deterministic else (
        "weights may differ a little from run to run; --deterministic makes them equal"
    )  # fmt: skip
    pairs = [
        ("Seed", str(report.seed)),
        ("Reproducible", same),
        ("Data, SHA-256", report.data.sha256),
        ("Code", page.card.code),
        ("Libraries", ", ".join(f"{name} {version}" for name, version in report.versions.items())),
        ("Recorded", page.card.recorded),
        ("MLflow run", report.mlflow_run_id),
    ]
    blocks: list[Block] = [
        Command("Type this", report.command) if report.command else Prose((NO_COMMAND,), "note"),
        Facts(tuple(pair for pair in pairs if pair[1])),
    ]
    if page.card.settings:
        rows = tuple(Row((name, value)) for name, value in page.card.settings.items())
        columns = (Column("setting", "name"), Column("value", "words"))
        blocks.append(Table("Every setting", columns, rows, most=0))
    return Section("reproduce", "How to do it again", "Everything that this run depended on.", blocks)


def further(page: Context) -> Section | None:
    """Figures that no section has a place for."""
    blocks = page.figures(*page.pictures.named(""))
    return Section("figures", "Further figures", "What else the run drew.", blocks) if blocks else None
