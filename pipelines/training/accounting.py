"""How much privacy a training spends: epsilon of a noise, and the noise for an epsilon, by `dp-accounting`.

One step of DP-SGD is a Gaussian mechanism on rows that each joined with probability q (Poisson sampling). It is
composed over all steps by its privacy loss distribution, which `dp-accounting` rounds up wherever it is rounded: the
epsilon is an upper bound, and within a thousandth of the least one. The Renyi bound of the moments accountant (Abadi et
al. 2016; Mironov, Talwar and Zhang 2019, arXiv 1908.10530) is sound too, some 10 % larger, and takes milliseconds.

Two data sets are neighbours when one has one row more than the other (`ADD_OR_REMOVE_ONE`). Who is protected is a row:
a person with several rows is protected less.

Reference: Doroshenko, Ghazi, Kamath, Kumar and Manurangsi (2022), "Connect the dots", arXiv 2207.04380.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

from pipelines.errors import BadInput

MEANINGFUL = 50.0
"""Above this epsilon nothing is promised worth the name, and the distribution takes minutes: the Renyi bound serves,
though of whole orders it may be 30 times too large there."""

LARGEST_TARGET = 20.0
"""Of an epsilon that is asked for."""

ORDERS = (*range(2, 65), 128, 256, 512, 1024)
"""Of the Renyi divergence. Whole ones: their series are finite."""

FINE, COARSE = 1e-4, 1e-3
"""Grids to which privacy losses are rounded up, per unit of epsilon up to 1: to report it, and to look for noise."""

MOST_NOISE = 1e6
"""Multiplier beyond which no answer is looked for."""

TOLERANCE = 1e-3
"""Relative, of the noise that `noise_for` finds; it errs towards more noise."""


@dataclass(frozen=True)
class Guarantee:
    """What a private training promises to each training row.

    Args:
        epsilon, delta: of the steps that were made.
        planned_epsilon: of all steps that could have been made. When to stop was decided while looking at the weights,
            so the promise made before training is this one; `epsilon` is the loss by then.
        noise_multiplier: deviation of the noise over `clip`.
        clip: largest L2 norm of what one row adds to one step's sum of gradients.
        batch_size: rows that a step samples on average.
        rows: training rows.
        steps: steps that were made, those that were rolled back included.
    """

    epsilon: float
    planned_epsilon: float
    delta: float
    noise_multiplier: float
    clip: float
    batch_size: int
    rows: int
    steps: int

    COVERED = "the trained weights of this network, for each training row, if the seed of noise and sampling is secret"
    NOT_COVERED = (
        "validation rows, which decide when training stops, which epoch is kept and from what score on is positive; "
        "test rows; what the encoder (quantiles, categories, words), usual values and rows that explanations compare "
        "with, centre and reference of anomaly detection and the target's scale took from training rows, and how "
        "many there are; the training loss, and a roll-back where it is not finite; the choice of settings by "
        "repeated runs; other folds and other contenders; the scores and figures that a run records, and its "
        "description and hash of the data"
    )

    @classmethod
    def of(
        cls, noise_multiplier: float, clip: float, batch_size: int, rows: int, steps: int, planned: int, delta: float
    ) -> Guarantee:
        """The guarantee of `steps` steps out of `planned`."""
        spent, most = (epsilon(noise_multiplier, batch_size / rows, each, delta) for each in (steps, planned))
        return cls(spent, most, delta, noise_multiplier, clip, batch_size, rows, steps)

    def settings(self) -> dict[str, str]:
        """For a contender's settings, in the report and in MLflow."""
        return {
            "privacy": (
                f"epsilon {_up(self.epsilon)} (at most {_up(self.planned_epsilon)}) at delta {self.delta:.2g}: clip "
                f"{self.clip:g}, noise {self.noise_multiplier:.4g}, {self.steps} steps of {self.batch_size} of "
                f"{self.rows} rows"
            ),
            "privacy_epsilon": _up(self.epsilon),
            "privacy_delta": f"{self.delta:g}",
            "privacy_covers": self.COVERED,
            "privacy_does_not_cover": self.NOT_COVERED,
        }


def _up(value: float) -> str:
    """An upper bound to three decimals stays one."""
    return f"{math.ceil(value * 1000) / 1000:.3f}" if math.isfinite(value) else "infinite"


def default_delta(rows: int) -> float:
    """The chance of no promise at all: 1e-5, or n^-1.1 where that is less. 1/n would allow to publish one row."""
    return float(min(1e-5, rows**-1.1))


@cache
def epsilon(noise_multiplier: float, q: float, steps: int, delta: float) -> float:
    """Privacy spent by `steps` steps of the Poisson-sampled Gaussian mechanism.

    Args:
        noise_multiplier: deviation of the noise over the clipping norm; without noise epsilon is infinite.
        q: chance of a row to be in a batch, in (0, 1].
        steps: steps that were made, also those of attempts that were rolled back.
        delta: in (0, 1).

    Raises:
        BadInput: an argument is out of range, or `dp-accounting` is not installed.
    """
    _check(q, steps, delta)
    if not noise_multiplier >= 0:
        raise BadInput(f"the noise multiplier must not be negative; received {noise_multiplier}")
    if steps == 0:
        return 0.0
    if noise_multiplier == 0:
        return float("inf")
    return _epsilon(noise_multiplier, q, steps, delta, FINE)


@cache
def noise_for(target_epsilon: float, q: float, steps: int, delta: float) -> float:
    """The least noise multiplier, to some 0.5 %, with which `steps` steps spend at most `target_epsilon`.

    Raises:
        BadInput: an argument is out of range, or `dp-accounting` is not installed.
    """
    _check(q, steps, delta)
    if steps == 0:
        return 0.0
    if not 0 < target_epsilon <= LARGEST_TARGET:
        raise BadInput(
            f"recipe.dp_epsilon must be above 0 and at most {LARGEST_TARGET:g}, less protects more; "
            f"received {target_epsilon}"
        )

    def spends(noise: float) -> bool:
        return _epsilon(noise, q, steps, delta, COARSE) > target_epsilon

    enough = 1.0
    while spends(enough):
        enough *= 2
        if enough > MOST_NOISE:
            raise BadInput(
                f"no noise reaches recipe.dp_epsilon={target_epsilon:g} in {steps} steps with delta {delta:g}; "
                f"ask for more"
            )
    little = enough / 2
    while not spends(little):
        enough, little = little, little / 2
    while enough - little > TOLERANCE * enough:
        middle = (enough + little) / 2
        if spends(middle):
            little = middle
        else:
            enough = middle
    while epsilon(enough, q, steps, delta) > target_epsilon:
        enough *= 1 + TOLERANCE
    return enough


def _check(q: float, steps: int, delta: float) -> None:
    if not 0 < q <= 1:
        raise BadInput(
            f"a row joins a batch with a probability above 0 and at most 1, recipe.batch_size over rows; received {q:g}"
        )
    if steps < 0:
        raise BadInput(f"steps must not be negative; received {steps}")
    if not 0 < delta < 1:
        raise BadInput(f"recipe.dp_delta must be above 0 and below 1; received {delta:g}")


def _library() -> Any:
    try:
        import dp_accounting
    except ImportError as error:
        raise BadInput("private training needs the extra `privacy`: pip install 'tapeline[privacy]'") from error
    return dp_accounting


def _epsilon(noise_multiplier: float, q: float, steps: int, delta: float, grid: float) -> float:
    accounting = _library()
    step = accounting.PoissonSampledDpEvent(q, accounting.GaussianDpEvent(noise_multiplier))
    event = accounting.SelfComposedDpEvent(step, steps)
    bound = float(accounting.rdp.RdpAccountant(ORDERS).compose(event).get_epsilon(delta))
    if bound > MEANINGFUL:
        return bound
    tight = accounting.pld.PLDAccountant(value_discretization_interval=grid * min(1.0, bound)).compose(event)
    return min(bound, float(tight.get_epsilon(delta)))
