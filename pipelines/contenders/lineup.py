"""The line-up: every contender that a task declares, ready to be trained."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.contenders.by_group import Remembered
from pipelines.contenders.classical import ClassicalContender
from pipelines.contenders.contender import Contender
from pipelines.contenders.ensemble import EnsembleContender
from pipelines.contenders.forecasting import ForecastContender
from pipelines.contenders.mitigation import Mitigation, mitigated
from pipelines.contenders.network import NetworkContender
from pipelines.objectives.objective import Objective
from pipelines.task import Network, Recipe, Task


def line_up(task: Task, objective: Objective, recipe: Recipe, mitigation: Mitigation | None = None) -> list[Contender]:
    """The task's networks and their ensembles, then its baselines, with one objective and one recipe for all; then, if
    asked for, what mitigation makes of single networks and of baselines."""
    networks = [_contender(network, objective, recipe) for network in task.networks]
    baselines = [ClassicalContender(baseline, objective, recipe) for baseline in task.baselines]
    if mitigation is None:
        return [*_with_ensembles(networks, networks, recipe), *baselines]
    bases = [Remembered(network) for network in networks]
    others = [Remembered(baseline) for baseline in baselines]
    competing = [*_with_ensembles(bases, networks, recipe), *others]
    return [*competing, *mitigated(bases, others, mitigation, objective)]


def _contender(network: Network, objective: Objective, recipe: Recipe) -> NetworkContender:
    kind = NetworkContender if network.forecasts is None else ForecastContender
    return kind(network, network.learns(objective), recipe)


def _with_ensembles(
    competing: Sequence[Contender], networks: list[NetworkContender], recipe: Recipe
) -> list[Contender]:
    found: list[Contender] = []
    for contender, network in zip(competing, networks, strict=True):
        found.append(contender)
        if recipe.members > 1:
            found.append(EnsembleContender(network, recipe.members))
    return found
