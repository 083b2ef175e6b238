"""Normalisation of channels, by the rows of a batch or, where no row may see another, within each row."""

from __future__ import annotations

import math
from typing import Any

from pipelines.task import Recipe

MOMENTUM = 0.9
"""Of the running statistics: with some 50 steps an epoch, Keras' 0.99 would lag behind the weights for epochs."""

GROUPS = 8
"""Of channels, where each row is normalised by itself; fewer where 8 does not divide the channels."""


def normalised(hidden: Any, recipe: Recipe) -> Any:
    """The (batch, ..., channels) tensor after BatchNormalization; in private training after GroupNormalization.

    A private network answers each row by itself, which BatchNormalization does not; it also keeps statistics of rows
    that no noise covers.

    Reference: Wu and He (2018), "Group normalization", arXiv 1803.08494.
    """
    from keras import layers

    if recipe.private:
        return layers.GroupNormalization(math.gcd(GROUPS, hidden.shape[-1]))(hidden)
    return layers.BatchNormalization(momentum=MOMENTUM)(hidden)
