"""The simulated chests: the same each time, one anatomy a child, opacities where air was, and what is said."""

import numpy as np
import pytest

from pipelines.data.builders import chest_world
from pipelines.data.builders.chest_world import CHILDREN, READERS_ERR, SECOND_FILMS, film, simulate
from pipelines.data.sample_set import SampleSet
from pipelines.task import DataRequest


@pytest.fixture(scope="module")
def films():
    return simulate(3)


def drawn(ill, chance=0, body=0, age=1, lying=False):
    picture = film(np.random.default_rng(chance), np.random.default_rng(body), ill, age, lying)
    return picture[..., 0].astype(float)


def test_each_preparation_gives_the_same_and_another_seed_others(monkeypatch):
    monkeypatch.setattr(chest_world, "CHILDREN", 12)
    monkeypatch.setattr(chest_world, "SECOND_FILMS", 4)
    one, same, other = simulate(3), simulate(3), simulate(4)
    for name, values in one.items():
        np.testing.assert_array_equal(values, same[name])
    assert (one["image"] != other["image"]).any()


def test_children_have_one_film_or_two_of_one_finding_and_age(films):
    children, counts = np.unique(films["child"], return_counts=True)
    assert len(children) == CHILDREN
    assert sorted(counts) == [1] * (CHILDREN - SECOND_FILMS) + [2] * SECOND_FILMS
    for name in ("age", "finding"):
        values = np.unique(np.column_stack([films["child"], films[name]]), axis=0)
        differing = len(values) - CHILDREN
        assert differing == 0 if name == "age" else differing <= 0.12 * SECOND_FILMS  # readers err on either film
    assert films["image"].shape == (CHILDREN + SECOND_FILMS, 28, 28, 1)
    assert films["image"].dtype == np.uint8


def test_the_ill_lie_more_often_and_such_films_have_less_contrast(films):
    ill, lying = films["finding"] == "pneumonia", films["position"] == "lying"
    assert 0.36 < lying[ill].mean() < 0.53
    assert 0.17 < lying[~ill].mean() < 0.33
    spread = films["image"].std(axis=(1, 2, 3))
    assert spread[lying].mean() < 0.93 * spread[~lying].mean()


def test_readers_err_as_often_as_is_said(monkeypatch):
    with_errors = simulate(5)["finding"]
    monkeypatch.setattr(chest_world, "READERS_ERR", 0.0)
    without = simulate(5)["finding"]
    assert READERS_ERR / 2 < (with_errors != without).mean() < 2 * READERS_ERR


def test_a_lung_is_dark_and_the_heart_is_on_the_childs_left():
    mean = np.mean([drawn(False, chance, body=chance) for chance in range(40)], axis=0)
    left, right, middle = mean[9:13, 6:9].mean(), mean[9:13, 19:22].mean(), mean[9:13, 13:15].mean()
    assert max(left, right) < 0.75 * middle
    assert mean[16:20, 16:19].mean() > 1.15 * mean[16:20, 9:12].mean()


def test_opacities_are_where_air_was_and_nowhere_else():
    """Light differs a little everywhere: the films of an ill and of a well child were not taken at once."""
    inside, outside = [], []
    for chance in range(8):
        well = np.mean([drawn(False, [chance, grain]) for grain in range(20)], axis=0)
        ill = np.mean([drawn(True, [chance, grain]) for grain in range(20)], axis=0)
        air = well < np.quantile(well[:, 3:25], 0.35)
        air[:, :3] = air[:, 25:] = air[:3] = False
        inside.append((ill - well)[air].mean())
        outside.append((ill - well)[~air].mean())
    assert np.mean(inside) > 8
    assert np.mean(inside) > 3 * abs(np.mean(outside))


def test_a_child_keeps_its_anatomy():
    """Mean films of one child in two positions of the machine are nearer than those of two children."""

    def mean(body, offset):
        return np.mean([drawn(False, [offset, grain], body=body) for grain in range(30)], axis=0)

    same = np.mean([np.abs(mean(body, 0) - mean(body, 1)).mean() for body in range(6)])
    other = np.mean([np.abs(mean(body, 0) - mean(body + 6, 1)).mean() for body in range(6)])
    assert same < 0.8 * other


def test_the_sample_is_simulated_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    dataset = SampleSet("pipelines.data.builders.simulated_chests.SimulatedChests").load(DataRequest())
    assert dataset.simulated
    assert "simulated" in dataset.source
    assert dataset.positive == "pneumonia"
    assert len(dataset.examples) == 1300
    assert len(np.unique(dataset.examples.ids)) == 1000
    assert set(dataset.examples.groups) == {"age", "position"}
    assert set(dataset.examples.groups["position"]) == {"standing", "lying"}
