"""Each optimiser against its paper, by hand, on gradients that are given."""

import keras
import numpy as np
import pytest

from pipelines.task import Recipe
from pipelines.training.optimisers import decays, make_optimiser

RATES = (0.05, 0.1, 0.02)


def variables():
    rng = np.random.default_rng(0)
    shapes = {"kernel": (3, 4), "bias": (4,), "embeddings": (5, 2), "gamma": (4,)}
    return [keras.Variable(rng.normal(size=shape), name=name) for name, shape in shapes.items()]


def by_hand(optimiser, value, gradient, rate, number, memory):
    if optimiser == "sgd":
        return value - rate * gradient
    if optimiser in ("momentum", "nesterov"):
        first = memory["first"] = 0.9 * memory.get("first", 0.0) - rate * gradient
        return value + (first if optimiser == "momentum" else 0.9 * first - rate * gradient)
    if optimiser == "rmsprop":
        second = memory["second"] = 0.9 * memory.get("second", 0.0) + 0.1 * gradient**2
        return value - rate * gradient / np.sqrt(second + 1e-7)
    if optimiser == "lion":  # Chen et al. (2023), arXiv 2302.06675, algorithm 2
        first = memory.get("first", 0.0)
        memory["first"] = 0.99 * first + 0.01 * gradient
        return value - rate * np.sign(0.9 * first + 0.1 * gradient)
    if optimiser == "adafactor":
        return adafactor(value, gradient, rate, number, memory)
    first = memory["first"] = 0.9 * memory.get("first", 0.0) + 0.1 * gradient
    second = memory["second"] = 0.999 * memory.get("second", 0.0) + 0.001 * gradient**2
    return value - rate * np.sqrt(1 - 0.999**number) / (1 - 0.9**number) * first / (np.sqrt(second) + 1e-7)


def adafactor(value, gradient, rate, number, memory):
    """Shazeer and Stern (2018), arXiv 1804.04235, algorithms 4 and 5."""
    rho, beta = min(rate, number**-0.5), 1 - number**-0.8
    size = max(1e-3, np.sqrt((value**2).mean())) * rho
    square = gradient**2 + 1e-30
    if value.ndim < 2:
        second = memory["second"] = beta * memory.get("second", 0.0) + (1 - beta) * square
    else:
        rows = memory["rows"] = beta * memory.get("rows", 0.0) + (1 - beta) * square.sum(axis=1)
        columns = memory["columns"] = beta * memory.get("columns", 0.0) + (1 - beta) * square.sum(axis=0)
        second = np.outer(rows, columns) / rows.sum()
    update = gradient / np.sqrt(second)
    return value - size * update / max(1, np.sqrt((update**2).mean()))


@pytest.mark.parametrize(
    ("optimiser", "weight_decay"),
    [("sgd", 0.3), ("momentum", 0.3), ("nesterov", 0.3), ("rmsprop", 0.3), ("adam", 0.0), ("adamw", 0.3),
     ("lion", 0.3), ("adafactor", 0.3), ("lion", 0.0), ("adamw", 0.0)],
)  # fmt: skip
def test_three_updates_equal_the_paper(optimiser, weight_decay):
    ours = variables()
    names = [each.name for each in ours]
    expected, memory = [np.array(each, np.float64) for each in ours], [{} for _ in ours]
    made = make_optimiser(Recipe(optimiser=optimiser, weight_decay=weight_decay), ours)
    rng = np.random.default_rng(1)
    for number, rate in enumerate(RATES, start=1):
        gradients = [rng.normal(size=each.shape).astype(np.float32) for each in ours]
        made.learning_rate.assign(rate)
        made.apply(gradients, ours)
        for place, gradient in enumerate(gradients):
            shrunk = 1 - rate * weight_decay * (names[place] in ("kernel", "embeddings"))
            expected[place] = by_hand(optimiser, expected[place] * shrunk, gradient, rate, number, memory[place])
    for variable, theirs in zip(ours, expected, strict=True):
        np.testing.assert_allclose(np.array(variable), theirs, rtol=1e-4, atol=1e-5, err_msg=variable.name)


@pytest.mark.parametrize(
    "layer",
    [keras.layers.MultiHeadAttention(2, 3), keras.layers.GRU(3), keras.layers.LayerNormalization(),
     keras.layers.RMSNormalization(), keras.layers.Conv1D(3, 2), keras.layers.Embedding(7, 3)],
    ids=lambda layer: type(layer).__name__,
)  # fmt: skip
def test_kernels_decay_and_nothing_else(layer):
    rows = np.ones((2, 5, 4), np.float32)
    if isinstance(layer, keras.layers.MultiHeadAttention):
        layer(rows, rows)
    else:
        layer(np.ones((2, 5), np.int32) if isinstance(layer, keras.layers.Embedding) else rows)
    for variable in layer.trainable_variables:
        assert decays(variable) == (variable.name in ("kernel", "recurrent_kernel", "embeddings")), variable.path


def test_no_decay_is_no_work():
    """A decay of 0.0 would still be computed and assigned at every step."""
    assert make_optimiser(Recipe(optimiser="adamw"), variables()).weight_decay is None
