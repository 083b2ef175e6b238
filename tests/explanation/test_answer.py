"""What is explained is what the saved model says, and its parts add up to that."""

import numpy as np
import pytest
from small_networks import trained

from pipelines.explanation.integrated import COMPLETE, SMALL, integrated
from pipelines.explanation.opened import opened
from pipelines.explanation.usual import Typical, usual_for

NAMES = ("two", "two, members", "three", "three, members", "number", "number, members", "errors", "weights", "forecast")


def log_odds(shares):
    return np.log(shares) - np.log1p(-shares)


def expected(name, fitted, rows):
    """The number to be explained, from the predictions of the model."""
    said = fitted.predict(rows).values
    if name.startswith("two"):
        return log_odds(said[:, 1])
    if name.startswith("number"):
        return said
    if name == "errors":
        return said[:, 1] / (1 - said[:, 1])
    if name == "forecast":
        return said.max(axis=1) / np.asarray(fitted.objective.scale)[said.argmax(axis=1)]
    return log_odds(said.max(axis=1))


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_is_what_the_model_says_and_parts_add_up_to_it(name):
    fitted, examples = trained(name)
    rows = examples.take(np.arange(20))
    network = opened(fitted)
    here = network.numbers(network.encoded(rows))
    chosen = network.chosen(here)
    answers = network.values(here, chosen)
    if name == "forecast":  # in standard deviations the largest need not be the largest return
        scaled = fitted.predict(rows).values / np.asarray(fitted.objective.scale)
        np.testing.assert_allclose(answers, scaled.max(axis=1), rtol=1e-3, atol=1e-5)
    else:
        np.testing.assert_allclose(answers, expected(name, fitted, rows), rtol=2e-3, atol=2e-4)
    usual = usual_for(network, examples)
    there = usual.beside(here) if isinstance(usual, Typical) else here[::-1].copy()
    found = integrated(network, here, there)
    difference = answers - network.values(there, chosen)
    missed = np.abs(found.parts.reshape(len(rows), -1).sum(axis=1) - difference)
    assert (missed <= 1.01 * COMPLETE * np.maximum(np.abs(difference), SMALL)).all()
    np.testing.assert_allclose(found.difference, difference, rtol=1e-6)
    far = found.incomplete(difference + 3 * np.maximum(np.abs(difference), SMALL))
    np.testing.assert_allclose(far, 3)
