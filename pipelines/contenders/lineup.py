"""The line-up: every contender that a task declares, ready to be trained."""

from __future__ import annotations

from pipelines.contenders.classical import ClassicalContender
from pipelines.contenders.contender import Contender
from pipelines.contenders.ensemble import EnsembleContender
from pipelines.contenders.network import NetworkContender
from pipelines.objectives.objective import Objective
from pipelines.task import Recipe, Task


def line_up(task: Task, objective: Objective, recipe: Recipe) -> list[Contender]:
    """The task's networks and their ensembles, then its baselines, with one objective and one recipe for all."""
    networks: list[Contender] = []
    for network in task.networks:
        single = NetworkContender(network, objective, recipe)
        networks += [single, EnsembleContender(single, recipe.members)] if recipe.members > 1 else [single]
    return networks + [ClassicalContender(baseline, objective, recipe) for baseline in task.baselines]
