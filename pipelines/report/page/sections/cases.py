"""Single cases, where they may be shown."""

from __future__ import annotations

from pipelines.report.page.context import Context
from pipelines.report.page.parts import Block, Prose, Section

WARNING = (
    "These are tested pictures as they are. Names, files and headers are left out, but what is written in a picture "
    "itself is in it: look at each before you pass this page on."
)
NOT_SHOWN = (
    "Single pictures of data of one's own are private, so none is shown. --set protocol.show_cases=yes shows the "
    "surest right, the surest wrong and the least sure ones, with where the network looked."
)


def cases(page: Context) -> Section | None:
    """The surest right, surest wrong and least sure cases of each network that reads pictures."""
    drawn: list[Block] = []
    for card in page.report.contenders:
        drawn += page.figures(f"{card.name}/cases")
    lead = "What the network is surest of, where that is wrong, and what it cannot decide."
    if drawn:
        return Section("cases", "Cases", lead, [Prose((WARNING,), "warning"), *drawn])
    looks = any("grad-cam" in card.explanation.maps for card in page.report.contenders if card.explanation is not None)
    return Section("cases", "Cases", lead, [Prose((NOT_SHOWN,), "note")]) if looks else None
