"""Contenders that learn from normal rows alone, and find anomalous what is unlike them.

Labels say which training rows are normal, and nothing else of them is learned from; unless `recipe.contaminated` leaves
the anomalies in, as if nobody had labelled any. Of the validation rows labels choose, for networks and classical models
alike: the threshold, a classical model's settings, and with `recipe.monitor=score` a network's epoch.

What a contender answers is error / (error + reference), the reference being the error that one training row in a
hundred exceeds. It is fitted on errors of training rows alone; `protocol.calibrate` makes a probability of it.

Reference: Ruff et al. (2021), "A unifying review of deep and shallow anomaly detection", Proc. IEEE 109(5).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.classical import SCORERS, ClassicalContender, FittedClassical, featured, inputs
from pipelines.contenders.contender import Watch, unwatched
from pipelines.contenders.encodable import Encodable
from pipelines.contenders.meter import Meter
from pipelines.contenders.network import FittedNetwork, NetworkContender
from pipelines.contenders.search import search
from pipelines.data.examples import Examples
from pipelines.errors import BadInput
from pipelines.objectives.errors import SCALED, RowErrors, reference_of
from pipelines.objectives.objective import Objective
from pipelines.report.document import together
from pipelines.task import Candidate, Recipe
from pipelines.training.checkpoint import Checkpoints

NORMAL = 0
"""The class of normal rows."""


@dataclass
class NormalNetwork(NetworkContender):
    """A network whose core gives errors, trained to make them small for normal rows."""

    def fit(
        self,
        train: Examples,
        valid: Examples,
        seed: int,
        watch: Watch = unwatched,
        checkpoints: Checkpoints | None = None,
    ) -> FittedNetwork:
        learned = learned_from(train, self.objective, self.recipe)
        fitted = super().fit(learned, valid, seed, watch, checkpoints)
        with Meter() as meter:
            share = fitted.predict(_weighty(learned)).values[:, 1]
            objective = RowErrors(self.objective, reference_of(share / (1 - share)))  # the reference was 1 so far
        import keras

        errors = fitted.model.get_layer(SCALED).input
        return replace(
            fitted,
            model=keras.Model(fitted.model.input, objective.activate(errors)),
            objective=objective,
            cost=together([fitted.cost, meter.cost()], fitted.cost),
            settings={**fitted.settings, "learned_from": _told(learned, train, self.recipe)},
        )

    def _learned(self, rows: Encodable) -> Encodable:
        """With anomalies of no weight in the loss, the validation loss too."""
        if self.recipe.contaminated == "yes":
            return rows
        return replace(rows, weight=rows.weight * (rows.y == NORMAL).astype(np.float32))


@dataclass(frozen=True)
class NormalClassical(ClassicalContender):
    """A detector of scikit-learn's in a `detectors.Detector`, fitted on normal rows."""

    def fit(
        self,
        train: Examples,
        valid: Examples,
        seed: int,
        watch: Watch = unwatched,
        checkpoints: Checkpoints | None = None,
    ) -> FittedClassical:
        learned = learned_from(train, self.objective, self.recipe)
        fitted = super().fit(_weighty(learned), valid, seed, watch, checkpoints)
        return replace(fitted, settings={**fitted.settings, "learned_from": _told(learned, train, self.recipe)})

    def _search(
        self, candidate: Candidate, x: Any, y: NDArray[Any], train: Examples, valid: Examples, seed: int, watch: Watch
    ) -> dict[str, Any]:
        """The best settings on validation rows: among training rows there is nothing to tell them apart by."""
        if self.fixed is not None or not candidate.search:
            return super()._search(candidate, x, y, train, valid, seed, watch)
        _, beside = featured(candidate.estimator, inputs(valid, self.baseline.column))
        truth = self.objective.encode(valid.target)
        both, rows = _stacked(x, beside), np.arange(len(y) + len(truth))
        weight = None if train.weight is None else np.concatenate([train.weight, np.ones(len(truth))])
        fold = (rows[: len(y)], rows[len(y) :])
        scorer, trials = SCORERS[self.objective.primary], self.recipe.trials
        return search(candidate, both, np.concatenate([y, truth]), weight, [fold], scorer, trials, seed, watch)


def learned_from(train: Examples, objective: Objective, recipe: Recipe) -> Examples:
    """The training rows that are normal; all of them where the recipe has them contaminated.

    Raises:
        BadInput: none is normal.
    """
    rows = np.flatnonzero(objective.encode(train.target) == NORMAL)
    if not len(rows):
        named: Any = objective
        raise BadInput(
            f"none of the {len(train)} training rows is normal ({named.classes[NORMAL]!r}), so there is nothing that "
            "anomalies could be unlike; name the label of the anomalies with --positive"
        )
    return train if recipe.contaminated == "yes" else train.take(rows)


def only_ranks(contender: Any) -> bool:
    """Whether a contender's answers rank rows and are no probabilities, whatever it is wrapped in.

    Normal rows cannot tell how frequent anomalies are. Of a blend: whether all that it is made of rank only.
    """
    if isinstance(contender, NormalNetwork | NormalClassical):
        return True
    if bases := getattr(contender, "bases", ()):
        return all(only_ranks(each) for each in bases)
    inner = getattr(contender, "base", None) or getattr(contender, "single", None)
    return inner is not None and only_ranks(inner)


def _weighty(rows: Examples) -> Examples:
    """Without rows that do not count."""
    return rows if rows.weight is None else rows.take(np.flatnonzero(rows.weight))


def _told(learned: Examples, train: Examples, recipe: Recipe) -> str:
    if recipe.contaminated == "yes":
        return f"all {len(train):,} training rows, anomalies among them"
    return f"the {len(learned):,} normal ones of {len(train):,} training rows"


def _stacked(x: Any, beside: Any) -> Any:
    import pandas as pd

    return pd.concat([x, beside], ignore_index=True) if hasattr(x, "iloc") else np.concatenate([x, beside])
