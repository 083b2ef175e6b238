"""What a history of gradient health means: findings with a layer, an epoch and a remedy.

A finding has to hold in at least half of the epochs (a gradient that explodes, in one), so neither a warm-up nor the
last epochs of a cosine schedule raise one. What is judged, and from where the thresholds are:

- vanishing: the norm of a layer's gradient is below 1/1000 of a later layer's. In networks that learn, it keeps its
  order of magnitude from layer to layer (Glorot and Bengio 2010, "Understanding the difficulty of training deep
  feedforward neural networks"); sizes of layers alone explain factors of up to a hundred.
- exploding: the same the other way round; a norm above 1000, since losses are near 1 before anything is learned and
  gradients then too; or one that rises to 100 times its median over the epochs before. In healthy recurrent networks
  it reaches ten times its mean (Pascanu et al. 2013, arXiv 1211.5063, section 3.2).
- dead: at least half of the units gave out 0 for every row that was looked at (Lu et al. 2019, arXiv 1903.06733);
  saturated: at least half of them stood at an end of their sigmoid or tanh.
- still, jumping: an update moves a layer's weights by less than 1e-5, or by more than 0.1, of their size; about 1e-3 is
  usual (Karpathy, notes of Stanford's CS231n, "ratio of weights to updates").
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import median
from typing import Literal

What = Literal["vanishing", "exploding", "dead", "saturated", "still", "jumping"]

VANISHING, EXPLODING, RISE = 1e-3, 1e3, 100.0
CLOSED, BLOCKED = 0.5, 0.99
STILL, JUMPING = 1e-5, 0.1

REMEDIES: Mapping[What, str] = {
    "vanishing": "use residual connections, normalisation or ReLU units, or fewer layers",
    "exploding": "clip the gradient (--set recipe.clip_norm=1) or lower the learning rate",
    "dead": "lower the learning rate, warm it up (--set recipe.warmup=0.1), or normalise before the activation",
    "saturated": "normalise before the activation, or use ReLU units in its place",
    "still": "raise the learning rate, or check that the loss depends on this layer",
    "jumping": "lower the learning rate",
}

MEANINGS: Mapping[What, str] = {
    "vanishing": "vanishing gradient: its norm is {value:.1g} of a later layer's",
    "exploding": "exploding gradient: its norm is {value:.1g} times a usual one (later layers', earlier epochs', or 1)",
    "dead": "dead units: {value:.0%} give out 0 for every row",
    "saturated": "saturated units: {value:.0%} stand at their bounds for every row",
    "still": "nothing is learned: an update moves the weights by {value:.1g} of their size (usual: 0.001)",
    "jumping": "updates too large: each moves the weights by {value:.2g} of their size (usual: 0.001)",
}


@dataclass(frozen=True)
class Finding:
    """Something wrong with the gradients of one layer, or of several alike.

    Args:
        layer: the worst one.
        layers: all of them, in the order of the forward pass.
        since: the first epoch, from 1, of the longest time for which it held.
        value: of the worst layer, the median over the epochs in which it held; `MEANINGS` says of what. NaN where a
            gradient was not finite.
    """

    what: What
    layer: str
    layers: tuple[str, ...]
    since: int
    value: float

    @property
    def remedy(self) -> str:
        """What to try, in one line."""
        return REMEDIES[self.what]

    def __str__(self) -> str:
        said = "gradient not finite" if math.isnan(self.value) else MEANINGS[self.what].format(value=self.value)
        where, n = self.layer, len(self.layers)
        if n > 1:
            where = f"{self.layers[0]} to {self.layers[-1]} ({n} layers, worst in {self.layer})"
        return f"{where}: {said}, since epoch {self.since}; {self.remedy}"


Held = tuple[int, float]
"""(first epoch, from 1, of the longest time for which something held; median value while it held)."""


def diagnose(history: Mapping[str, Sequence[float]]) -> list[Finding]:
    """Findings of one training, at most one of each kind, the gravest first; none without measurements.

    Args:
        history: values per epoch by name, as `Health.per_epoch` gives them; layers in the order of the forward pass.
    """
    norms, ratios = measured(history, "gradient_norm"), measured(history, "update_ratio")
    # Gains and biases alone are small layers with small norms; only layers with kernels are compared in depth.
    depth = {layer: norms[layer] for layer in ratios if layer in norms}
    dead = _while(measured(history, "dead_share"), lambda share: share >= CLOSED)
    # Where a whole layer is dead, no gradient passes it and no input reaches the next: nothing else is to be said.
    blocked = any(share >= BLOCKED for _, share in dead.values())
    vanishing = {} if blocked else _while(_over_later(depth), lambda ratio: ratio < VANISHING)
    slow = {} if blocked else {layer: values for layer, values in ratios.items() if layer not in vanishing}
    kinds: Mapping[What, Mapping[str, Held]] = {
        "exploding": _exploding(depth),
        "dead": dead,
        "vanishing": vanishing,
        "saturated": _while(measured(history, "saturated_share"), lambda share: share >= CLOSED),
        "jumping": _while(ratios, lambda ratio: ratio > JUMPING),
        "still": _while(slow, lambda ratio: ratio < STILL),
    }
    return [_finding(what, held) for what, held in kinds.items() if held]


def measured(history: Mapping[str, Sequence[float]], measure: str) -> dict[str, tuple[float, ...]]:
    """Layer -> values per epoch of one measure: `gradient_norm`, `update_ratio`, `dead_share`, `saturated_share`."""
    prefix = f"health/{measure}/"
    return {name.removeprefix(prefix): tuple(values) for name, values in history.items() if name.startswith(prefix)}


def _finding(what: What, held: Mapping[str, Held]) -> Finding:
    badness = -1 if what in ("vanishing", "still") else 1
    worst = max(held, key=lambda layer: math.inf if math.isnan(held[layer][1]) else badness * held[layer][1])
    return Finding(what, worst, tuple(held), min(since for since, _ in held.values()), held[worst][1])


def _exploding(norms: Mapping[str, Sequence[float]]) -> dict[str, Held]:
    rises = {layer: _over_before(values) for layer, values in norms.items()}
    lasting = _while(norms, lambda norm: norm > EXPLODING) | _while(_over_later(norms), lambda ratio: ratio > EXPLODING)
    return lasting | _while(rises, lambda rise: rise > RISE or math.isnan(rise), least=0.0)


def _over_later(norms: Mapping[str, Sequence[float]]) -> dict[str, tuple[float, ...]]:
    """Each layer's norm as a multiple of the largest of the layers after it; NaN where that is not above 0."""
    found: dict[str, tuple[float, ...]] = {}
    later: Sequence[float] = ()
    for layer, values in reversed(list(norms.items())):
        if later:
            found[layer] = tuple(_over(value, other) for value, other in zip(values, later, strict=True))
        later = tuple(map(max, values, later)) if later else values
    return dict(reversed(list(found.items())))


def _over_before(norms: Sequence[float]) -> tuple[float, ...]:
    """Each epoch's norm as a multiple of the median of the epochs before, or of 1 if that is less; NaN if not finite.

    Norms below 1 have room: the loss is measured in units in which a network that has learned nothing is near 1.
    """
    found = [1.0 if math.isfinite(norms[0]) else math.nan] if norms else []
    for epoch, value in enumerate(norms[1:], start=1):
        found.append(value / max(1.0, median(norms[:epoch])) if math.isfinite(value) else math.nan)
    return tuple(found)


def _over(value: float, other: float) -> float:
    return value / other if other > 0 and math.isfinite(value) and math.isfinite(other) else math.nan


def _while(found: Mapping[str, Sequence[float]], wrong: Callable[[float], bool], least: float = 0.5) -> dict[str, Held]:
    """The layers for which something held in at least this share of the epochs, and in one."""
    held = {}
    for layer, values in found.items():
        flags = [wrong(value) for value in values]
        if any(flags) and sum(flags) >= least * len(flags):
            lengths = list(accumulate(flags, lambda length, flag: length + 1 if flag else 0, initial=0))[1:]
            since = lengths.index(max(lengths)) - max(lengths) + 2
            held[layer] = since, median(value for value, flag in zip(values, flags, strict=True) if flag)
    return held
