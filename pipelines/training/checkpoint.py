"""State to return to: the best weights of a training."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Snapshot:
    """The values of some variables at one moment."""

    def __init__(self, variables: list[Any]) -> None:
        self.values: list[NDArray[Any]] = [np.array(variable) for variable in variables]

    def restore(self, variables: list[Any]) -> None:
        """Give the variables, in the same order, their values back."""
        for variable, value in zip(variables, self.values, strict=True):
            variable.assign(value)
