"""Mitigation of bias: which methods a run was asked for, and the contenders that they make of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from pipelines.contenders.by_group import DecidedByGroup
from pipelines.contenders.contender import Contender
from pipelines.contenders.normal import NormalClassical, NormalNetwork
from pipelines.contenders.penalised import PenalisedNetwork
from pipelines.contenders.remembered import Remembered
from pipelines.contenders.reweighing import Reweighed
from pipelines.errors import BadInput
from pipelines.objectives.group_thresholds import SERVED
from pipelines.objectives.objective import Objective
from pipelines.task import Protocol, Recipe

METHODS: Mapping[str, str] = {
    "reweighing": "training rows are weighted so that every group has as many positive rows",
    "penalty": "the network is penalised in training for scoring groups differently",
    "thresholds": "each group is decided at thresholds of its own",
}
"""What can be asked for, and what it does."""

LEFT_OUT = ("prior",)
"""Baselines that say the same of everybody, so that there is nothing to mitigate."""


@dataclass(frozen=True)
class Mitigation:
    """What a run was asked to mitigate, and how.

    Args:
        methods: of `METHODS`.
        attribute: the sensitive attribute.
        groups: the names of its groups, in alphabetical order.
        baselines: whether baselines are mitigated too.
    """

    methods: tuple[str, ...]
    attribute: str
    groups: tuple[str, ...]
    baselines: bool = True


def asked(
    protocol: Protocol, recipe: Recipe, objective: Any, groups: Mapping[str, NDArray[Any]], first: Sequence[str]
) -> Mitigation | None:
    """What the settings ask for; None where they ask for nothing.

    Args:
        groups: sensitive attribute -> the group of each row.
        first: attributes in the order in which they were declared or asked for.

    Raises:
        BadInput: an unknown method or attribute, or one that cannot be used here; the message says which can.
    """
    methods = named(protocol.mitigate)
    if recipe.gap_penalty and "penalty" not in methods:
        raise BadInput(
            f"--set recipe.gap_penalty={recipe.gap_penalty:g}: it does nothing without protocol.mitigate=penalty"
        )
    if not methods:
        if protocol.mitigate_for:
            raise BadInput(
                f"--set protocol.mitigate_for={protocol.mitigate_for}: it does nothing without protocol.mitigate; "
                f"its methods are {', '.join(METHODS)}"
            )
        return None
    given = f"--set protocol.mitigate={protocol.mitigate}"
    if not getattr(objective, "binary", False):
        raise BadInput(f"{given} is for decisions between two classes, and this target has not two; leave it out")
    if recipe.private:
        raise BadInput(
            f"{given} lets what one row does depend on all others, which recipe.dp_epsilon and recipe.dp_noise cannot "
            "bound; leave one of them out"
        )
    if "penalty" in methods and recipe.accumulate > 1:
        raise BadInput(f"{given}: the penalty compares groups over a whole batch; set recipe.accumulate=1")
    rule = str(getattr(objective, "decide_by", ""))
    if "thresholds" in methods and rule.partition(":")[0] not in SERVED:
        raise BadInput(
            f"{given}: thresholds of groups keep to balanced_accuracy, accuracy or cost:FP:FN, and decisions are made "
            f"by {rule} here; leave thresholds out of protocol.mitigate, or set protocol.decide_by"
        )
    known = [*(name for name in first if name in groups), *(name for name in groups if name not in first)]
    if not known:
        raise BadInput(f"{given} needs a sensitive attribute, and there is none; name one with --sensitive COLUMN")
    attribute = protocol.mitigate_for or known[0]
    if attribute not in groups:
        raise BadInput(
            f"--set protocol.mitigate_for={attribute}: there is no such sensitive attribute; there is "
            f"{' and '.join(known)}, and --sensitive COLUMN adds one"
        )
    names = tuple(sorted({str(name) for name in groups[attribute] if name is not None}))
    if len(names) < 2:
        many = "one known group" if names else "no known group"
        raise BadInput(f"{given}: {attribute} has {many}; two are needed to treat them alike")
    return Mitigation(methods, attribute, names, protocol.mitigate_baselines == "all")


def named(text: str) -> tuple[str, ...]:
    """The methods that a setting names, in the order of `METHODS`.

    Raises:
        BadInput: one is not known.
    """
    given = [part.strip() for part in text.split(",") if part.strip()]
    if strange := [name for name in given if name not in METHODS and name != "all"]:
        raise BadInput(
            f"--set protocol.mitigate={text}: there is no method {strange[0]!r}; write all, or some of "
            f"{', '.join(METHODS)} with commas between"
        )
    return tuple(name for name in METHODS if name in given or "all" in given)


def mitigated(
    networks: Sequence[Remembered], baselines: Sequence[Remembered], of: Mitigation, objective: Objective
) -> list[Contender]:
    """The contenders that the methods make of these: the penalty of networks alone, for it lives in the tape's loss."""
    found: list[Contender] = []
    mitigable = [each for each in baselines if of.baselines and each.name not in LEFT_OUT]
    for base in (*networks, *mitigable):
        unlabelled = isinstance(base.base, NormalNetwork | NormalClassical)  # no label to weigh, or to be penalised by
        if "reweighing" in of.methods and not unlabelled:
            found.append(Reweighed(base.base, of.attribute, objective))
        if "penalty" in of.methods and base in networks and not unlabelled:
            found.append(PenalisedNetwork.like(base, of.attribute, of.groups))
        if "thresholds" in of.methods:
            found.append(DecidedByGroup(base, of.attribute))
    if not found:
        raise BadInput(
            f"--set protocol.mitigate={','.join(of.methods)}: every contender here learns from normal rows alone, "
            "without labels to weigh or to be penalised by; thresholds alone can be mitigated"
        )
    return found
