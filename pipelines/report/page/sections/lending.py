"""For lenders: which way risk moves, and the points of the scorecard."""

from __future__ import annotations

from pipelines.points import Points
from pipelines.report.document import Estimate
from pipelines.report.lending import Direction
from pipelines.report.page.context import Context, value
from pipelines.report.page.parts import UNKNOWN, Block, Column, Row, Section, Table, Value, shown, whole
from pipelines.report.wording import in_full


def directions(page: Context) -> Section | None:
    """Whether the probability moves the way it must when one column alone rises."""
    cards = [card for card in page.report.contenders if card.directions]
    if not cards:
        return None
    first = cards[0].directions
    columns = [Column("contender", "name")]
    columns += [Column(f"{each.column} must not {'fall' if each.direction > 0 else 'rise'}") for each in first]
    rows = tuple(Row((card.name, *map(_wrong, card.directions)), page.side(card.name)) for card in cards)
    notes = (
        f"Share of {first[0].n:,} tested rows whose probability moves the wrong way while the column goes from its 5 "
        "% to its 95 % quantile, its 95 % interval, and the largest wrong move in probability.",
    )
    blocks: list[Block] = [Table("Wrong moves of the probability", tuple(columns), rows, notes)]
    if page.report.obeying:
        tested = tuple(
            Row((
                f"{each.contender} against {each.baseline}",
                value(Estimate(each.difference, each.low, each.high), 4, sign=True),
            ))
            for each in page.report.obeying
        )  # fmt: skip
        heading = Column(f"difference in {in_full(page.report.primary)}")
        blocks.append(Table("What obeying the directions costs", (Column("pair", "name"), heading), tested))
    lead = (
        "More income must not raise the risk, more debt not lower it: every contender is tested for what was declared."
    )
    return Section("directions", "Does risk move the right way?", lead, blocks)


def points(page: Context) -> Section | None:
    """The scorecard: what each bin of each column gives."""
    card = next((each for each in page.report.contenders if each.points and each.kind != "mitigated"), None)
    if card is None:
        return None
    columns = (Column("column: bin", "name"), Column("points"), Column("bad"), Column("training rows"))
    rows = tuple(
        Row((
            f"{row.column}: {row.bin}",
            whole(row.points),
            UNKNOWN if row.risk != row.risk else f"{100 * row.risk:.0f} %",
            whole(row.n),
        ))
        for row in card.points
    )  # fmt: skip
    notes = ("bad: share of the bin's training rows of the positive class.",)
    blocks: list[Block] = [*page.figures("scorecard")]
    blocks.append(Table(f"Points of {card.name}", columns, rows, notes))
    lead = "Points of all columns add up to a score; more are safer."
    if page.report.points:
        scale = Points.parse(page.report.points)
        lead += f" {scale.base:g} points are odds of {scale.odds:g} to 1, {scale.pdo:g} more double them."
    return Section("points", "The scorecard", lead, blocks)


def _wrong(each: Direction) -> Value:
    if each.wrong.value == 0:
        return Value("never")
    if each.wrong.value != each.wrong.value:
        return Value(UNKNOWN)
    ends = "" if each.wrong.low != each.wrong.low else f"{100 * each.wrong.low:.0f} to {100 * each.wrong.high:.0f} %"
    return Value(f"{100 * each.wrong.value:.0f} %", ends, f"largest {shown(each.largest)}")
