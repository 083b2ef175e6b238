"""How to execute: rows resident on the device or streamed, compiled by XLA or not, how many steps per call."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.task import Recipe

RESIDENT_BYTES = 1 << 30
"""Encoded training rows up to this size are kept on the device."""

STREAMED_STEPS = 32
"""Steps per call when rows are streamed: enough to hide Python, few enough to keep memory flat."""


@dataclass(frozen=True)
class Plan:
    """How one contender is trained.

    Args:
        resident: all encoded rows stay on the device; otherwise they are encoded again as they are needed.
        xla: the loop is compiled. On a CPU that speeds dense and recurrent layers up and ruins convolutions.
        steps_per_call: updates per call from Python; 0 for a whole epoch.
    """

    resident: bool
    xla: bool
    steps_per_call: int = 0

    def __str__(self) -> str:
        where = "resident" if self.resident else f"streamed by {self.steps_per_call} steps"
        return f"{where}{', XLA' if self.xla else ''}"


def choose(recipe: Recipe, encoded_bytes: int, worth_compiling: bool) -> Plan:
    """The plan that `recipe.plan` names, or for `auto` the one that fits the size of the rows and the layers.

    Args:
        encoded_bytes: size of all encoded training rows.
        worth_compiling: what the architecture says of itself (`Architecture.xla`).
    """
    if recipe.plan == "streamed" or (recipe.plan == "auto" and encoded_bytes > RESIDENT_BYTES):
        return Plan(resident=False, xla=False, steps_per_call=STREAMED_STEPS)
    return Plan(resident=True, xla=recipe.plan == "resident+xla" or (recipe.plan == "auto" and worth_compiling))
