"""Estimate: a measured value with its interval, which the parts of the report are made of; and how JSON reads back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Estimate:
    """A measured value with its 95 % interval; NaN where undefined."""

    value: float
    low: float = math.nan
    high: float = math.nan

    def times(self, factor: float) -> Estimate:
        """The same in a unit of which so many make one of it."""
        return Estimate(factor * self.value, factor * self.low, factor * self.high)

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "undefined"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def known(told: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a part all of whose nulls are numbers that nobody knows: read back as NaN."""
    return {name: math.nan if value is None else value for name, value in told.items()}


def estimate(told: Mapping[str, Any]) -> Estimate:
    """An Estimate from plain JSON."""
    return Estimate(**known(told))


def estimates(told: Mapping[str, Mapping[str, Any]]) -> dict[str, Estimate]:
    """Estimates by name from plain JSON."""
    return {name: estimate(each) for name, each in told.items()}
