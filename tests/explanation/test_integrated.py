"""Integrated gradients of functions that are known: points are spent where they turn, and parts add up."""

from types import SimpleNamespace

import numpy as np
import pytest

from pipelines.explanation.integrated import COMPLETE, PIECES, STEPS, integrated


def asked_of(value, slope):
    """A network of two numbers a row that says `value` of them, with the points at which its slope was asked for."""
    asked = []

    def at(points, chosen):
        asked.extend(points)
        return slope(points.astype(np.float64))

    network = SimpleNamespace(
        chosen=lambda rows: np.zeros(len(rows), np.int32),
        values=lambda rows, chosen: value(rows.astype(np.float64)),
        slope=at,
    )
    return network, asked


def parts_of(value, slope, most=4096):
    network, asked = asked_of(value, slope)
    here, there = np.array([[1.0, 2.0]], np.float32), np.zeros((1, 2), np.float32)
    return integrated(network, here, there, most), asked


def first(derivative):
    """The slope of what looks at the first number alone."""
    return lambda points: np.column_stack([derivative(points[:, 0]), np.zeros(len(points))])


def test_what_is_smooth_takes_one_stretch_and_is_exact():
    found, asked = parts_of(lambda x: np.exp(x[:, 0]), first(np.exp))
    assert len(asked) == STEPS
    np.testing.assert_allclose(found.parts, [[np.e - 1, 0]], rtol=1e-6)


def test_a_product_is_shared_between_its_factors():
    found, _ = parts_of(lambda x: x[:, 0] * x[:, 1], lambda x: x[:, ::-1])
    np.testing.assert_allclose(found.parts, [[1, 1]], rtol=1e-6)
    np.testing.assert_allclose(found.difference, [2])


@pytest.mark.parametrize("steep", [50, 1000, 20_000])
def test_a_sudden_turn_is_looked_for_where_it_is(steep):
    found, asked = parts_of(
        lambda x: np.tanh(steep * (x[:, 0] - 0.371)), first(lambda x: steep * (1 - np.tanh(steep * (x - 0.371)) ** 2))
    )
    assert found.incomplete(found.parts.sum(axis=1)).max() <= COMPLETE
    assert len(asked) <= 8 * PIECES * STEPS, "as many points all along would not be enough"
    if steep > 100:
        assert np.mean(np.abs(np.array(asked)[:, 0] - 0.371) < 0.05) > 0.4


def test_many_kinks_together_are_within_the_bound():
    places = np.linspace(0.03, 0.98, 40)
    sides = np.where(np.arange(40) % 2, 1.0, -0.9)

    def value(x):
        return (sides * np.maximum(x[:, :1] - places, 0)).sum(axis=1)

    found, _ = parts_of(value, first(lambda x: (sides * (x[:, None] > places)).sum(axis=1)))
    assert found.incomplete(found.parts.sum(axis=1)).max() <= COMPLETE


def test_no_more_points_are_spent_than_were_allowed():
    chance = np.random.default_rng(0)
    value, slope = (lambda x: x[:, 0]), first(lambda x: chance.normal(size=len(x)))
    for most in (STEPS, 500, 4096):
        found, asked = parts_of(value, slope, most)
        assert len(asked) <= most
        assert found.parts.shape == (1, 2), "what cannot be complete is told all the same"
    assert len(asked) > 1000


def test_rows_are_looked_at_each_by_itself():
    network, _ = asked_of(
        lambda x: np.maximum(x[:, 0] - 0.3, 0) + x[:, 1],
        lambda x: np.column_stack([x[:, 0] > 0.3, np.ones(len(x))]).astype(float),
    )
    here = np.array([[1, 0], [0.2, 5], [-3, 1]], np.float32)
    found = integrated(network, here, np.zeros((1, 2), np.float32))
    np.testing.assert_allclose(found.parts, [[0.7, 0], [0, 5], [0, 1]], atol=0.008)
