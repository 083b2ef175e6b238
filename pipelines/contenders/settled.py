"""A contender with the settings that a training of it has chosen, so that they are not searched again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.contenders.classical import ClassicalContender
from pipelines.contenders.contender import Contender
from pipelines.contenders.ensemble import EnsembleContender
from pipelines.contenders.remembered import itself
from pipelines.contenders.tuned import TunedContender
from pipelines.data.examples import Examples
from pipelines.report.tuning import Tried, best_of


def settled(contender: Any, fitted: Any, tried: Sequence[Tried], train: Examples) -> Contender:
    """What trains models like this one on other rows, and remembers none of them.

    Args:
        fitted: the model; a classical one tells its settings itself.
        tried: the trials of a tuning, which tell those of a network.
        train: rows like those it was trained on, for what a baseline would search.
    """
    inner = itself(contender)
    base: Any = inner.base if isinstance(inner, TunedContender) else inner
    if isinstance(base, ClassicalContender):
        chosen = fitted.estimator.get_params()
        return base.having({name: chosen[name] for name in base.space(train).axes})
    if isinstance(base, EnsembleContender):
        base = base.having({})
    if isinstance(inner, TunedContender) and (best := best_of(tried, inner.greater)) is not None:
        made: Contender = base.having(best.settings)
        return made
    settled_already: Contender = base
    return settled_already
