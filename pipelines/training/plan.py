"""How to execute: rows resident on the device or streamed, compiled by XLA or not, how many steps per call."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pipelines.errors import BadInput
from pipelines.task import Recipe

RESIDENT_BYTES = 1 << 30
"""Encoded training rows up to this size are kept on the device."""

RESIDENT_ON_DEMAND_BYTES = RESIDENT_BYTES // 4
"""The same where raw rows are read on demand: memory is short there, and becoming resident makes copies of them."""

STREAMED_STEPS = 32
"""Most steps per call when rows are streamed: enough to hide Python."""

STREAMED_BYTES = 64 << 20
"""Of encoded rows per call when rows are streamed, few enough to keep memory flat: the next call's are read meanwhile.
One step is taken however large it is."""


@dataclass(frozen=True)
class Plan:
    """How one contender is trained.

    Args:
        resident: all encoded rows stay on the device; otherwise they are encoded again as they are needed.
        xla: the loop is compiled, which speeds many networks up and ruins others, convolutions on a CPU for example.
        steps_per_call: updates per call from Python; 0 for a whole epoch, which is never slower where rows are
            resident.
        why: in words, for the report.
    """

    resident: bool
    xla: bool
    steps_per_call: int = 0
    why: str = field(default="", compare=False)

    def __str__(self) -> str:
        where = "resident" if self.resident else f"streamed by {self.steps_per_call} steps"
        return f"{where}{', XLA' if self.xla else ''}"

    @property
    def explained(self) -> str:
        """The plan and why it was chosen."""
        return f"{self} ({self.why})" if self.why else str(self)


def rows_within(most: int, row_bytes: int, budget: int) -> int:
    """How many rows (or steps) fit in a budget of bytes: at least 1, at most `most`."""
    return max(1, min(most, budget // max(1, row_bytes)))


def choose(
    recipe: Recipe,
    encoded_bytes: int,
    worth_compiling: bool | None,
    replicas: int = 1,
    row_bytes: int = 0,
    on_demand: bool = False,
) -> Plan:
    """The plan that `recipe.plan` names, or for `auto` the one to begin with, before anything is measured.

    Args:
        encoded_bytes: size of all encoded training rows.
        worth_compiling: what the architecture says of itself (`Architecture.xla`).
        row_bytes: size of one encoded row.
        on_demand: whether raw rows are not in memory.

    Raises:
        BadInput: XLA is asked for, and there are several replicas, whose meetings it does not compile.
    """
    if replicas > 1 and recipe.plan == "resident+xla":
        raise BadInput("recipe.plan=resident+xla is for one device; several train with recipe.plan=resident")
    streamed = Plan(False, False, rows_within(STREAMED_STEPS, recipe.batch_size * row_bytes, STREAMED_BYTES))
    if recipe.plan != "auto":
        return replace(
            streamed if recipe.plan == "streamed" else Plan(True, recipe.plan == "resident+xla"), why="as asked"
        )
    if encoded_bytes > (RESIDENT_ON_DEMAND_BYTES if on_demand else RESIDENT_BYTES):
        return replace(streamed, why=f"{encoded_bytes / 2**30:.1f} GiB of rows")
    if replicas > 1:
        return Plan(resident=True, xla=False, why=f"{replicas} replicas")
    if recipe.private:
        return Plan(resident=True, xla=False, why="private batches, of which no size is known beforehand")
    return Plan(resident=True, xla=worth_compiling is True, why="not measured")
