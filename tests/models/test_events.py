"""The encoding of events, and a GRU that does not look at what is not there."""

import keras
import numpy as np
from payments import payments

from pipelines.data.event_series import CHANNELS
from pipelines.data.examples import Examples
from pipelines.models.events import EventEncoding
from pipelines.models.recurrent import event_gru
from pipelines.objectives.classification import Classification
from pipelines.task import Recipe

SCALES = ["log", "plain", "24"]


def test_events_are_encoded_on_their_scales():
    events = np.array([[[np.nan] * 3, [9.0, 1.0, 6.0]], [[0.0, 3.0, 12.0], [99.0, 5.0, 18.0]]], np.float32)
    encoding = EventEncoding.fitted(events, SCALES)
    found = np.asarray(encoding(events))
    logs = np.log1p([9.0, 0.0, 99.0])
    np.testing.assert_allclose(found[0, 0], 0)
    np.testing.assert_allclose(
        found[0, 1], [1, (logs[0] - logs.mean()) / logs.std(), (1 - 3) / np.std([1, 3, 5]), 1, 0], atol=1e-6
    )
    np.testing.assert_allclose(found[1, 0, 3:], [0, -1], atol=1e-6)
    far = np.asarray(encoding(np.array([[[1e30, -1e30, 0.0]]], np.float32)))
    np.testing.assert_array_equal(far[0, 0, 1:3], [EventEncoding.LARGEST, -EventEncoding.LARGEST])
    again = EventEncoding.from_config(encoding.get_config())
    np.testing.assert_array_equal(again(events), found)


def test_the_gru_passes_over_what_is_not_there():
    of = payments(200)
    columns, kinds = of.inputs(3.0)
    train = Examples(columns, np.where(of.fraud > 0, "yes", "no"), kinds)
    objective = Classification().resolve(train.target)
    keras.utils.set_random_seed(0)
    made = event_gru("history", CHANNELS)(train, objective, Recipe(width=8))
    encoded = np.array(made.encode({"history": columns["history"][:40]}))
    said = np.asarray(made.core(encoded))
    absent = encoded[..., 0] == 0
    assert absent.any()
    encoded[absent, 1:] = 7.0  # the first number says that there is no event, so the rest does not matter
    np.testing.assert_allclose(made.core(encoded), said, atol=1e-6)
    encoded[:, -1, 1] += 1.0
    assert (np.abs(np.asarray(made.core(encoded)) - said) > 1e-4).all()


def test_what_an_event_lacks_is_the_centre_and_flagged():
    events = np.array([[[np.nan] * 2, [1.0, np.nan]], [[2.0, 3.0], [4.0, 5.0]]], np.float32)
    encoding = EventEncoding.fitted(events, ["plain", "plain"])
    found = np.asarray(encoding(events))
    assert found.shape == (2, 2, 4)
    assert found.shape == encoding.compute_output_spec(keras.KerasTensor(events.shape)).shape
    np.testing.assert_allclose(found[0, 0], 0)
    np.testing.assert_allclose(found[0, 1, [0, 2, 3]], [1, 0, 1])
    np.testing.assert_allclose(found[1, :, 2:], [[-1, 0], [1, 0]])
    again = EventEncoding.from_config(encoding.get_config())
    np.testing.assert_array_equal(again(events), found)
