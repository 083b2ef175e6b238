"""The learning rate of each step, computed in the graph so that one trace serves every length of training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pipelines.task import Recipe

FLOOR = 0.01
"""What `cosine` and `exponential` end at, and `plateau` at most falls to, as a share of the peak."""


def rate_at(step: Any, total: Any, recipe: Recipe) -> Any:
    """Learning rate at `step` of `total`: a linear warm-up, then the recipe's schedule.

    `plateau` is constant here: what it has lost so far is a factor that `Plateau` keeps.

    Args:
        step, total: scalar float tensors; steps over the whole training, counted from 0.

    Returns:
        Scalar float tensor.

    References: cosine decay, Loshchilov and Hutter (2017), arXiv 1608.03983; warm-up, Goyal et al. (2017), arXiv
    1706.02677; steps, He et al. (2016), arXiv 1512.03385.
    """
    import tensorflow as tf

    warm = tf.maximum(1.0, tf.round(recipe.warmup * total)) if recipe.warmup else tf.constant(1.0)
    done = tf.clip_by_value((step - warm) / tf.maximum(1.0, total - warm), 0.0, 1.0)
    if recipe.schedule == "cosine":
        share = FLOOR + (1 - FLOOR) * 0.5 * (1.0 + tf.cos(math.pi * done))
    elif recipe.schedule == "exponential":
        share = tf.pow(FLOOR, done)
    elif recipe.schedule == "step":
        # Half a step keeps rounding away from the edges: a drop comes at the step nearest to its share of `total`.
        drops = tf.floor((step + 0.5) / (recipe.drop_every * total))
        share = tf.pow(recipe.drop_factor, drops)
    else:
        share = tf.ones_like(done)
    return recipe.learning_rate * tf.minimum(share, (step + 1.0) / warm)


@dataclass
class Plateau:
    """The factor of the learning rate that falls when validation no longer improves.

    Args:
        factor: what the rate is multiplied by after `patience` epochs without a better validation.
        scale: product of all that was multiplied so far, never below `FLOOR`.
        best: the best validation so far; larger is better.
        waited: epochs since then, or since the last drop.
    """

    factor: float
    patience: int
    scale: float = 1.0
    best: float = -math.inf
    waited: int = 0

    @classmethod
    def of(cls, recipe: Recipe) -> Self | None:
        """The recipe's; None where its schedule does not look at validation."""
        return cls(recipe.drop_factor, recipe.drop_patience) if recipe.schedule == "plateau" else None

    def saw(self, merit: float) -> None:
        """One more epoch, whose validation was worth `merit`; NaN is no improvement."""
        if merit > self.best:
            self.best, self.waited = merit, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            self.scale, self.waited = max(self.scale * self.factor, FLOOR), 0

    def state(self) -> dict[str, float]:
        """What a checkpoint keeps."""
        return {"scale": self.scale, "best": self.best, "waited": float(self.waited)}

    def restore(self, state: Mapping[str, float]) -> None:
        """Go on from a `state()`."""
        self.scale, self.best, self.waited = float(state["scale"]), float(state["best"]), int(state["waited"])
