"""The networks that any task on pictures offers, of which one competes unasked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipelines.models.applications import APPLICATIONS, application
from pipelines.models.changes import Changes
from pipelines.models.vision import compact_cnn, residual
from pipelines.space import Axis, Between, OneOf
from pipelines.task import Network

SEARCH: Mapping[str, Axis] = {
    "learning_rate": Between(3e-4, 1e-2, log=True),
    "weight_decay": Between(1e-3, 0.3, log=True),
    "dropout": OneOf(0.1, 0.3, 0.5),
}

NETWORKS: dict[str, Callable[[Changes | None], Any]] = {
    "small-resnet": lambda changes: residual((1, 1, 1), changes=changes),
    "resnet-14": lambda changes: residual((2, 2, 2), changes=changes),
    "resnet-18": lambda changes: residual((2, 2, 2, 2), changes=changes),
    "resnet-50": lambda changes: residual((3, 4, 6, 3), bottleneck=True, changes=changes),
    "compact-cnn": lambda changes: compact_cnn(changes),
} | {name: (lambda changes, name=name: application(name, changes)) for name in APPLICATIONS}
"""Smaller ones first. `resnet-14` has three stages of two blocks, which 28 to 64 pixels have room for."""


def picture_networks(first: str, changes: Changes | None = None) -> tuple[Network, ...]:
    """All of `NETWORKS`, the one called `first` at their head and alone in competing unasked.

    Args:
        changes: the largest that leave a picture what it is, as of `vision.began`.
    """

    def network(name: str) -> Network:
        heeds = (*(("augment", "views") if changes else ()), *(("weights",) if name in APPLICATIONS else ()))
        return Network(
            name, NETWORKS[name](changes), search=SEARCH, unasked=name == first, needs=("image",), heeds=heeds
        )

    return (network(first), *(network(name) for name in NETWORKS if name != first))
