"""What a tuning may try for a setting: a number within bounds, or one of a few values. Imports nothing heavy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any


@dataclass(frozen=True)
class Between:
    """Any number from `low` to `high`, both included.

    Args:
        log: each doubling is as likely as any other, for what may differ by orders of magnitude.
        whole: whole numbers only.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"a range must rise between finite numbers; received {self.low} to {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"a logarithmic range must begin above 0; received {self.low}")
        if self.whole and (self.low != int(self.low) or self.high != int(self.high)):
            raise ValueError(f"a range of whole numbers must begin and end with some; received {self}")

    @property
    def ends(self) -> tuple[Any, ...]:
        """The values at its edge: what refuses none of them refuses nothing between."""
        return (int(self.low), int(self.high)) if self.whole else (float(self.low), float(self.high))


@dataclass(frozen=True, init=False)
class OneOf:
    """One of these values."""

    values: tuple[Any, ...]

    def __init__(self, *values: Any) -> None:
        if not values:
            raise ValueError("name at least one value to choose from")
        object.__setattr__(self, "values", values)

    @property
    def ends(self) -> tuple[Any, ...]:
        """All of them."""
        return self.values


Axis = Between | OneOf


def require_searchable(recipe: Any, search: Mapping[str, Axis]) -> None:
    """Make sure that a recipe takes whatever a search may give its fields.

    Raises:
        ValueError: there is no such field, it is of another type, or the recipe refuses a value; the author of the task
            is told, not its user.
    """
    known = {each.name for each in fields(recipe)}
    for name, axis in search.items():
        if name not in known:
            raise ValueError(f"there is no recipe.{name} to search")
        for value in axis.ends:
            if type(value) is not type(getattr(recipe, name)):
                raise ValueError(f"recipe.{name} is like {getattr(recipe, name)!r}; its search gives {value!r}")
            replace(recipe, **{name: value})
