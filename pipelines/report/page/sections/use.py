"""What the model is for, and where it is known to fail."""

from __future__ import annotations

from pipelines.report.page.context import Context
from pipelines.report.page.parts import Block, Facts, Listing, Prose, Section


def intended_use(page: Context) -> Section:
    """What people said of it."""
    use = page.card.use
    blocks: list[Block] = [Prose((use.note,), "warning")] if use.note else []
    pairs = (("Meant for", use.purpose), ("Users", use.users), ("Who decides", use.decides), ("Contact", use.contact))
    if told := tuple(pair for pair in pairs if pair[1]):
        blocks.append(Facts(told))
    if use.not_for:
        blocks.append(Listing("Not for", use.not_for))
    lead = {
        "task": "As the task declares it, of its own sample sets.",
        "user": "As whoever asked for this page says.",
        "": "Intended use was not stated.",
    }[use.said_by]
    return Section("use", "What it is for", lead, blocks)


def known_failures(page: Context) -> Section | None:
    """Where it fails: what people know, and what this run found."""
    found = [("Found in this run", page.card.failures), ("Known beforehand", page.card.use.failures)]
    blocks = [Listing(heading, items) for heading, items in found if items]
    lead = f"What speaks against relying on {page.network.name}, before any score."
    return Section("failures", "Known failures", lead, blocks) if blocks else None
