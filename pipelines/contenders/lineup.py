"""The line-up: every contender that a task declares, ready to be trained."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.contenders.classical import ClassicalContender
from pipelines.contenders.contender import Contender
from pipelines.contenders.ensemble import EnsembleContender
from pipelines.contenders.forecasting import ForecastContender
from pipelines.contenders.mitigation import Mitigation, mitigated
from pipelines.contenders.network import NetworkContender
from pipelines.contenders.normal import NormalClassical, NormalNetwork
from pipelines.contenders.remembered import Remembered
from pipelines.errors import BadInput
from pipelines.objectives.objective import Objective
from pipelines.task import Baseline, Network, Recipe, Task


def line_up(task: Task, objective: Objective, recipe: Recipe, mitigation: Mitigation | None = None) -> list[Contender]:
    """The task's networks and their ensembles, then its baselines, with one objective and one recipe for all; then, if
    asked for, what mitigation makes of single networks and of baselines."""
    networks = [_network(network, objective, recipe) for network in task.networks]
    two = getattr(objective, "binary", False)
    suited = [each for each in task.baselines if two or not each.binary]
    baselines = [_classical(baseline, objective, recipe) for baseline in suited]
    if mitigation is None and recipe.members == 1:
        return [*networks, *baselines]
    bases = [Remembered(network) for network in networks]
    competing = _with_ensembles(bases, networks, recipe)
    if mitigation is None:
        return [*competing, *baselines]
    others = [Remembered(baseline) for baseline in baselines]
    return [*competing, *others, *mitigated(bases, others, mitigation, objective)]


def _network(network: Network, objective: Objective, recipe: Recipe) -> NetworkContender:
    normal = NormalNetwork if _normal(network, objective) else NetworkContender
    kind = normal if network.forecasts is None else ForecastContender
    return kind(network, network.learns(objective), recipe)


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
    bases: Sequence[Remembered], networks: Sequence[NetworkContender], recipe: Recipe
) -> list[Contender]:
    """Each network, with its ensemble behind it, whose first member it is."""
    found: list[Contender] = []
    for base, network in zip(bases, networks, strict=True):
        found.append(base)
        if recipe.members > 1:
            found.append(EnsembleContender(network, recipe.members, base))
    return found
