"""What a private training may spend, fixed before it begins, and what it says of itself when it has ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipelines.errors import BadInput
from pipelines.task import Recipe
from pipelines.training.accounting import Guarantee, default_delta, epsilon, noise_for


@dataclass(frozen=True)
class Spending:
    """The noise of one training, and the steps that it pays for.

    Args:
        noise_multiplier: deviation of the noise over `clip`.
        batch_size: rows that a step samples on average.
        rows: training rows. How many there are is taken to be known.
        steps: that may be made, roll-backs included.
    """

    noise_multiplier: float
    clip: float
    batch_size: int
    rows: int
    steps: int
    delta: float

    @classmethod
    def of(cls, recipe: Recipe, rows: int) -> Spending:
        """What the recipe spends on so many training rows.

        Raises:
            BadInput: a setting promises nothing on so few rows, or `dp-accounting` is not installed.
        """
        size, delta = recipe.batch_size, recipe.dp_delta or default_delta(rows)
        if size > rows:
            raise BadInput(
                f"private training samples recipe.batch_size={size} of {rows} training rows; set it to {rows} or less"
            )
        if delta >= 1 / rows:
            raise BadInput(
                f"recipe.dp_delta={delta:g} would allow to publish some of {rows} training rows as they are; "
                f"set it far below {1 / rows:.2g}, or to 0 for {default_delta(rows):.2g}"
            )
        steps = recipe.epochs * -(-rows // size)
        noise = recipe.dp_noise or noise_for(recipe.dp_epsilon, size / rows, steps, delta)
        if recipe.dp_noise:
            epsilon(noise, size / rows, steps, delta)  # what cannot be counted is told before training, not after it
        return cls(noise, recipe.dp_clip, size, rows, steps, delta)

    def guarantee(self, made: int) -> Guarantee:
        """What is promised after so many steps, those that were rolled back included."""
        return Guarantee.of(
            self.noise_multiplier, self.clip, self.batch_size, self.rows, made, self.steps, self.delta
        )  # fmt: skip


def require_affordable(recipe: Recipe, rows: Iterable[int]) -> None:
    """Refuse a private recipe that cannot work on trainings of so many rows each, before anything is trained.

    Raises:
        BadInput: as `Spending.of`.
    """
    if recipe.private:
        for each in sorted(set(rows)):
            Spending.of(recipe, each)
