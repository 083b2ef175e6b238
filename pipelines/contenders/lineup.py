"""The line-up: every contender that a task declares, ready to be trained."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.contenders.by_group import Remembered
from pipelines.contenders.classical import ClassicalContender
from pipelines.contenders.contender import Contender
from pipelines.contenders.ensemble import EnsembleContender
from pipelines.contenders.mitigation import Mitigation, mitigated
from pipelines.contenders.network import NetworkContender
from pipelines.contenders.normal import NormalClassical, NormalNetwork
from pipelines.errors import BadInput
from pipelines.objectives.objective import Objective
from pipelines.task import Baseline, Network, Recipe, Task


def line_up(task: Task, objective: Objective, recipe: Recipe, mitigation: Mitigation | None = None) -> list[Contender]:
    """The task's networks and their ensembles, then its baselines, with one objective and one recipe for all; then, if
    asked for, what mitigation makes of single networks and of baselines."""
    networks = [_network(network, objective, recipe) for network in task.networks]
    baselines = [_classical(baseline, objective, recipe) for baseline in task.baselines]
    if mitigation is None:
        return [*_with_ensembles(networks, networks, recipe), *baselines]
    bases = [Remembered(network) for network in networks]
    others = [Remembered(baseline) for baseline in baselines]
    competing = [*_with_ensembles(bases, networks, recipe), *others]
    return [*competing, *mitigated(bases, others, mitigation, objective)]


def _network(network: Network, objective: Objective, recipe: Recipe) -> NetworkContender:
    kind = NormalNetwork if _normal(network, objective) else NetworkContender
    return kind(network, objective, recipe)


def _classical(baseline: Baseline, objective: Objective, recipe: Recipe) -> ClassicalContender:
    kind = NormalClassical if _normal(baseline, objective) else ClassicalContender
    return kind(baseline, objective, recipe)


def _normal(declared: Network | Baseline, objective: Objective) -> bool:
    """Whether it learns from normal rows alone.

    Raises:
        BadInput: then there must be two classes, normal and anomalous.
    """
    if declared.learns_from != "normal":
        return False
    if not getattr(objective, "binary", False):
        raise BadInput(
            f"{declared.name} learns what normal rows are like and tells anomalies from them, and the target has not "
            "these two classes; name a column with --target that says of each row which of the two it is"
        )
    return True


def _with_ensembles(
    competing: Sequence[Contender], networks: list[NetworkContender], recipe: Recipe
) -> list[Contender]:
    found: list[Contender] = []
    for contender, network in zip(competing, networks, strict=True):
        found.append(contender)
        if recipe.members > 1:
            found.append(EnsembleContender(network, recipe.members))
    return found
