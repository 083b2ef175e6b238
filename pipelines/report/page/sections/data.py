"""Which data, how they were divided, and what was found wrong with them."""

from __future__ import annotations

from pipelines.report.page.context import Context
from pipelines.report.page.parts import Block, Column, Facts, Listing, Row, Section, Table


def data(page: Context) -> Section:
    """The data of the run."""
    card = page.report.data
    parts = ", ".join(f"{name} {rows:,}" for name, rows in card.splits.items())
    first = " (of the first fold)" if "fold" in card.protocol else ""
    pairs = [
        ("Source", card.source),
        ("Where from", page.card.use.origin),
        ("Kind", "simulated" if card.simulated else "real"),
        ("Rows", f"{card.rows:,}"),
        ("How tested", card.protocol),
        ("Rows by part", f"{parts}{first}" if parts else ""),
        ("Predicted", card.target),
        ("Columns", f"{len(card.columns):,} that models may see" if card.columns else ""),
        ("SHA-256", card.sha256),
    ]
    blocks: list[Block] = [Facts(tuple(pair for pair in pairs if pair[1]))]
    if card.checks:
        rows = (Row((each.name, "passed" if each.passed else "FAILED", each.detail)) for each in card.checks)
        blocks.append(
            Table(
                "Checks of the data, before anything was trained",
                (Column("check", "name"), Column("result", "words"), Column("found", "words")),
                tuple(sorted(rows, key=lambda row: row.cells[1] == "passed")),
            )
        )
    if card.notes:
        blocks.append(Listing("What reading assumed, repaired or left out", card.notes))
    failed = sum(not check.passed for check in card.checks)
    found = f"{failed} of {len(card.checks)} checks failed." if failed else "All checks of the data passed."
    lead = f"{card.rows:,} rows of {'simulated' if card.simulated else 'real'} data. {found if card.checks else ''}"
    return Section("data", "Data and checks", lead.strip(), blocks)
