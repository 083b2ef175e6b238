"""What a tuning tries next: within the declared space, seeded, never twice, and better than chance in the end."""

import math

import numpy as np
import pytest
from scipy import stats

from pipelines.contenders.suggestion import Space, axis_of, recipe_space, suggestion
from pipelines.errors import BadInput
from pipelines.space import Between, OneOf
from pipelines.task import Network, Recipe

SPACE = Space(
    {"rate": Between(1e-4, 1e-1, log=True), "size": Between(2, 5, whole=True), "kind": OneOf("a", "b", None)},
    {"rate": 0.01, "size": 3, "kind": "b"},
)


def drawn(space, trials, seed=0, score=lambda settings: 0.0, greater=True):
    """The settings of so many trials, one after the other."""
    tried = []
    for number in range(1, trials + 1):
        point = suggestion(space, tried, greater, seed, number)
        if point is None:
            break
        tried.append((point, score(space.settings(point))))
    return [space.settings(point) for point, _ in tried]


@pytest.mark.parametrize(
    ("declared", "axis"),
    [
        ([1, 2, 4], OneOf(1, 2, 4)),
        ([0.15, "sqrt"], OneOf(0.15, "sqrt")),
        (stats.loguniform(1e-3, 1e2), Between(1e-3, 1e2, log=True)),
        (stats.uniform(2, 3), Between(2.0, 5.0)),
        (stats.randint(1, 5), Between(1, 4, whole=True)),
        (Between(1, 2), Between(1, 2)),
    ],
)
def test_lists_and_distributions_are_translated(declared, axis):
    assert axis_of("C", declared) == axis


@pytest.mark.parametrize("declared", [stats.norm(), "auto", 3])
def test_what_cannot_be_translated_is_told_to_the_author(declared):
    with pytest.raises(ValueError, match="the search of svm's C must be a list, loguniform, uniform or randint"):
        axis_of("svm's C", declared)


def test_suggestions_lie_in_the_space_and_can_be_typed_again():
    found = drawn(SPACE, 30)
    assert all(1e-4 <= each["rate"] <= 1e-1 and each["size"] in (2, 3, 4, 5) for each in found)
    assert {each["kind"] for each in found} == {"a", "b", None}
    assert {each["size"] for each in found} == {2, 3, 4, 5}
    assert all(float(f"{each['rate']:.4g}") == each["rate"] for each in found)
    below = sum(each["rate"] < 10**-2.5 for each in found)
    assert 6 <= below <= 24  # half of a logarithmic range, not its lowest 3 %


def test_the_same_seed_gives_the_same_trials_and_another_seed_others():
    assert drawn(SPACE, 12, 3) == drawn(SPACE, 12, 3)
    assert drawn(SPACE, 12, 3) != drawn(SPACE, 12, 4)


@pytest.mark.parametrize("greater", [True, False])
def test_it_learns_from_what_was_tried(greater):
    def score(settings):
        return (1 if greater else -1) * -abs(math.log10(settings["rate"]) + 2)

    far = [abs(math.log10(each["rate"]) + 2) for each in drawn(SPACE, 40, 0, score, greater)]
    assert np.mean(far[-15:]) < np.mean(far[:8]) / 2


def test_trials_without_a_score_teach_nothing_and_do_no_harm():
    assert drawn(SPACE, 12, 0, lambda settings: math.nan)[0] == drawn(SPACE, 1)[0]


def test_no_setting_is_tried_twice_and_a_small_space_is_used_up():
    space = Space({"C": OneOf(0.3, 1, 3), "kind": OneOf("a", "b")}, {"C": 1, "kind": "a"})
    found = drawn(space, 20, 1, lambda settings: settings["C"])
    assert len(found) == len({tuple(each.values()) for each in found}) == space.points == 6
    assert drawn(Space({}, {}), 5) == []


def test_where_a_default_lies():
    assert SPACE.settings(SPACE.point(SPACE.default)) == SPACE.default
    assert SPACE.point({**SPACE.default, "rate": 0.0}) is None
    assert SPACE.point({**SPACE.default, "rate": "scale"}) is None
    assert SPACE.point({**SPACE.default, "kind": 1}) is None


def test_a_network_that_declares_nothing_is_searched_where_its_recipe_allows():
    usual = recipe_space(Network("n", None), Recipe(), ())
    assert set(usual.axes) == {"learning_rate", "weight_decay", "dropout"}
    assert set(recipe_space(Network("n", None), Recipe(optimiser="adam"), ()).axes) == {"learning_rate", "dropout"}


def test_a_network_that_declares_that_nothing_is_searched_is_taken_at_its_word():
    assert recipe_space(Network("n", None, {}), Recipe(), ()).axes == {}


def test_what_is_pinned_is_not_searched():
    network = Network("n", None, {"width": OneOf(8, 16), "dropout": OneOf(0.1)})
    assert set(recipe_space(network, Recipe(), ("width",)).axes) == {"dropout"}


def test_a_declared_search_that_the_recipe_as_set_refuses_is_said_with_the_way_out():
    network = Network("n", None, {"weight_decay": Between(1e-3, 0.1)})
    with pytest.raises(BadInput, match=r"recipe\.weight_decay cannot be tuned.*--set recipe\.weight_decay=0\.0"):
        recipe_space(network, Recipe(optimiser="adam"), ())
