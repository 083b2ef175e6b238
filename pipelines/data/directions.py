"""Directions: which way the chance of the positive class may move when one column alone rises."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.data.wording import did_you_mean, listed
from pipelines.errors import BadInput
from pipelines.task import Dataset

WAYS = {"up": 1, "down": -1}


def directions_of(dataset: Dataset, asked: str) -> Mapping[str, int]:
    """Column -> 1 or -1.

    Args:
        asked: `Debt:up,Income:down`; empty for what the source declares, less what models do not see.

    Raises:
        BadInput: what is asked for is written wrongly, or a column is not there, is no number, or not seen by models.
    """
    examples = dataset.examples
    if not asked:
        return {name: way for name, way in dataset.directions.items() if name in examples.columns}
    found: dict[str, int] = {}
    for part in asked.split(","):
        name, _, way = (each.strip() for each in part.rpartition(":"))
        if not name or way not in WAYS:
            raise BadInput(
                f"--set protocol.monotone={asked}: {part.strip()!r} says no direction; write COLUMN:up or COLUMN:down, "
                "with commas between"
            )
        if name in found:
            raise BadInput(f"--set protocol.monotone={asked}: {name!r} is given twice; it has one direction")
        if name in examples.groups and name not in examples.columns:
            raise BadInput(f"--set protocol.monotone={asked}: {name!r} is sensitive, and no model sees it")
        if name not in examples.columns:
            raise BadInput(
                f"--set protocol.monotone={asked}: {dataset.source} has no column {name!r}"
                f"{did_you_mean(name, examples.columns) or '.'} Its columns are {listed(examples.columns, 50)}"
            )
        if examples.kinds[name] != "number":
            raise BadInput(
                f"--set protocol.monotone={asked}: {name!r} is a {examples.kinds[name]}; only a number can rise"
            )
        found[name] = WAYS[way]
    return found
