"""A contender whose decisions are made at thresholds of each group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.contender import Contender, Fitted, Watch, unwatched
from pipelines.data.checks import row_hashes
from pipelines.data.examples import Examples
from pipelines.errors import BadInput
from pipelines.objectives import group_thresholds
from pipelines.objectives.group_thresholds import GroupThresholds
from pipelines.objectives.objective import Objective, Predictions
from pipelines.report.document import ContenderKind
from pipelines.training.checkpoint import Checkpoints


@dataclass(frozen=True)
class DecidedByGroup:
    """What `base` predicts, decided at thresholds of each group, which are chosen where all thresholds are.

    Args:
        base: remembered; it is trained once for both.
        attribute: the sensitive attribute that decisions look at.
    """

    base: Contender
    attribute: str
    kind: ContenderKind = "mitigated"
    method: str = "thresholds"

    @property
    def name(self) -> str:
        return f"{self.base.name}+{self.method}"

    @property
    def decides_by(self) -> str:
        """The attribute whose groups have thresholds of their own."""
        return self.attribute

    def fit(
        self,
        train: Examples,
        valid: Examples,
        seed: int,
        watch: Watch = unwatched,
        checkpoints: Checkpoints | None = None,
    ) -> Fitted:
        return self.base.fit(train, valid, seed, watch, checkpoints)


def thresholds_of(
    contender: Contender,
    train: Examples,
    valid: Examples,
    validated: Predictions,
    objective: Objective,
    threshold: float,
    seed: int,
    bands: Mapping[str, tuple[float, ...]],
) -> GroupThresholds | None:
    """The thresholds of each group, if this contender is decided by them.

    Args:
        validated: what it predicts for the validation rows.
        threshold: for rows of groups that get none of their own.
        bands: edges of the bands of attributes that are numbers.
    """
    attribute = getattr(contender, "decides_by", "")
    if not attribute:
        return None
    groups = valid.groups[attribute]
    seen = {str(group) for part in (train, valid) for group in part.groups[attribute] if group is not None}
    found = group_thresholds.fitted(
        attribute,
        objective.encode(valid.target),
        validated.values[:, 1],
        groups,
        threshold,
        tuple(sorted(seen)),
        seed,
        getattr(objective, "decide_by", ""),
        valid.weight,
    )
    return replace(found, bands=bands.get(attribute, ()), number=attribute in bands)


def decided(predictions: Predictions, by: GroupThresholds, examples: Examples, names: Mapping[str, Any]) -> Predictions:
    """The predictions with the decisions that the groups' thresholds make.

    Args:
        names: the columns that the model takes.

    Raises:
        BadInput: the rows do not say their group, or belong to one that was never seen.
    """
    if by.attribute not in examples.groups:
        raise BadInput(f"this contender decides by {by.attribute}, which these rows do not say")
    return by.decide(predictions, examples.groups[by.attribute], lots(examples, names, by.seed))


def lots(examples: Examples, names: Mapping[str, Any], seed: int) -> NDArray[np.float64]:
    """(n,) a number in [0, 1) for each row, that its own inputs and the seed alone decide.

    So who applies again with the same file gets the same answer, whatever rows stand beside it, in any process; and
    applicants alike in everything draw the same lot.

    Args:
        names: the columns that the model takes.
    """
    kinds = {name: examples.kinds[name] for name in names}
    columns = {name: examples.columns[name] for name in names}
    hashes = row_hashes(replace(examples, columns=columns, kinds=kinds), with_target=False)
    hashes = hashes ^ np.uint64(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0])
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):  # Stafford's mixer, as in SplitMix64
        hashes = (hashes ^ (hashes >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray((hashes ^ (hashes >> np.uint64(31))) >> np.uint64(11)) / 2.0**53
