"""What may be searched: ranges and lists that make sense, and that the recipe takes."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from pipelines import catalogue
from pipelines.space import Between, OneOf, require_searchable
from pipelines.task import Network, Recipe


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: Between(1, 1), "must rise"),
        (lambda: Between(0, float("inf")), "must rise between finite"),
        (lambda: Between(0, 1, log=True), "must begin above 0"),
        (lambda: Between(0.5, 3, whole=True), "whole numbers"),
        (lambda: OneOf(), "at least one value"),
    ],
)
def test_a_range_that_is_none_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        wrong()


@pytest.mark.parametrize(
    ("search", "said"),
    [
        ({"widht": OneOf(8)}, "no recipe.widht"),
        ({"width": Between(8, 64)}, "recipe.width is like 0; its search gives 8.0"),
        ({"dropout": Between(0.0, 1.0)}, r"dropout must be in \[0, 1\)"),
        ({"optimiser": OneOf("adam")}, "weight_decay=0.01 has no effect"),
    ],
)
def test_what_the_recipe_would_refuse_is_refused_when_it_is_declared(search, said):
    with pytest.raises(ValueError, match=said):
        require_searchable(Recipe(weight_decay=0.01), search)
    declared = catalogue.find("nlp/sentiment")
    network = Network("n", declared.networks[0].build, search)
    with pytest.raises(ValueError, match=r"recipe\."):
        replace(declared, networks=(network,), recipe=Recipe(weight_decay=0.01))


@pytest.mark.parametrize("name", catalogue.names())
def test_what_a_task_declares_is_a_point_of_its_search(name):
    """So that the first trial, which is what is declared, tells the sampler something."""
    from pipelines.contenders.suggestion import recipe_space

    task = catalogue.find(name)
    for network in task.networks:
        of_pictures = task.on_pictures and "image" in network.needs
        space = recipe_space(network, task.on_pictures.recipe if of_pictures else task.recipe, ())
        assert space.axes
        assert space.point(space.default) is not None


def test_declaring_a_search_imports_nothing():
    code = "import pipelines.space, sys, json; print(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"numpy", "scipy", "optuna", "tensorflow"} & set(json.loads(printed))
