"""The moving average of weights against its formula, and what is evaluated with it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipelines.training.averaging import Average, forward


def network():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((3,))
    hidden = keras.layers.BatchNormalization()(keras.layers.Dense(4)(inputs))
    return keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Dropout(0.5)(hidden)))


def values(variables):
    return [np.array(each) for each in variables]


@pytest.mark.parametrize("decay", [0.2, 0.999])
def test_average_of_weights_and_statistics(decay):
    core = network()
    average = Average(core, decay)
    core.set_weights([each + 1 for each in core.get_weights()])  # other weights, as a new fold or seed has them
    rng, expected = np.random.default_rng(0), None
    for step in range(12):
        core.set_weights([rng.normal(size=each.shape) for each in core.get_weights()])
        average.update(tf.constant(float(step)))
        now = core.get_weights()
        kept = 0.0 if step == 0 else min(decay, step / (9 + step))  # (1 + n) / (10 + n) from the second on
        expected = now if step == 0 else [kept * old + (1 - kept) * new for old, new in zip(expected, now, strict=True)]
    floats = [np.array(average_of) for variable, average_of in zip(core.variables, average.variables, strict=True)
              if variable.dtype == "float32"]  # fmt: skip
    theirs = {weight.shape: [] for weight in core.get_weights()}
    for weight, value in zip(core.weights, expected, strict=True):
        theirs[value.shape].append((weight.path, value))
    paths = [variable.path for variable in core.variables if variable.dtype == "float32"]
    by_path = {path: value for each in theirs.values() for path, value in each}
    assert any("moving_mean" in path for path in paths)
    for path, ours in zip(paths, floats, strict=True):
        np.testing.assert_allclose(ours, by_path[path], rtol=1e-5, atol=1e-6, err_msg=path)


def test_generators_are_not_averaged():
    core = network()
    average = Average(core, 0.9)
    same = [variable.path for variable, other in zip(core.variables, average.variables, strict=True)
            if variable is other]  # fmt: skip
    assert same
    assert all("seed" in path for path in same)
    assert len(average.state) == len(core.variables) - len(same)


@pytest.mark.parametrize("compiled", [False, True])
def test_forward_takes_the_average_and_assigns_nothing(compiled):
    core, x = network(), np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    average = Average(core, 0.9)
    at_first, averaged = core(x, training=False).numpy(), values(average.state)
    core.set_weights([each + 0.5 for each in core.get_weights()])
    before = values(core.variables)
    call = tf.function(lambda rows: forward(core, average.variables, rows)) if compiled else (
        lambda rows: forward(core, average.variables, rows)
    )  # fmt: skip
    np.testing.assert_allclose(call(tf.constant(x)).numpy(), at_first, rtol=1e-5)
    assert not np.allclose(forward(core, None, x), at_first)
    for variables, kept in ((core.variables, before), (average.state, averaged)):
        for one, other in zip(values(variables), kept, strict=True):
            np.testing.assert_array_equal(one, other)
