"""How the numbers of a row become parts: words, regions, maps; and what rows are compared with."""

import numpy as np
import pytest
from rows_with_a_secret import pictures, waves
from small_networks import RECIPE, prices, trained

from pipelines.contenders.network import NetworkContender
from pipelines.errors import BadInput
from pipelines.explanation import attributed, opened
from pipelines.explanation.attributed import _by_region, _by_word, _maps
from pipelines.explanation.usual import Typical, typical
from pipelines.models.audio import separable_cnn
from pipelines.models.vision import small_resnet
from pipelines.objectives.classification import Classification
from pipelines.task import Network

TEXTS = np.array(["Fine tea, fine day", "a fine cup", "tea"], object)


def test_a_word_pushes_by_all_its_places_and_rare_ones_are_not_named():
    parts = np.array([[1.0, 2, 4, 8, 0], [16, 32, 64, 0, 0], [128, 0, 0, 0, 0]])
    found = _by_word(parts, TEXTS, fewest=1)
    assert {word: (list(values), list(rows)) for word, (values, rows) in found.items()} == {
        "fine": ([5, 32], [0, 1]), "tea": ([2, 128], [0, 2]), "day": ([8], [0]), "a": ([16], [1]), "cup": ([64], [1]),
    }  # fmt: skip
    assert set(_by_word(parts, TEXTS, fewest=2)) == {"fine", "tea"}
    assert _by_word(parts[:, :1], TEXTS, fewest=1).keys() == {"fine", "a", "tea"}  # longer texts are cut


def test_assets_and_steps_each_hold_all_of_a_series():
    parts = np.arange(2 * 3 * 2 * 4.0).reshape(2, 3, 2, 4)
    found = _by_region(parts, "series", ("up", "down"))
    for row in range(2):
        steps = [values[row] for name, (values, _) in found.items() if name.startswith("steps")]
        assert sum(steps) == found["up"][0][row] + found["down"][0][row] == parts[row].sum()
    assert found["down"][0][1] == parts[1, :, 1].sum()


def test_recordings_have_their_highest_band_on_top_and_series_a_line_an_asset():
    parts = np.arange(6.0).reshape(1, 3, 2)
    np.testing.assert_array_equal(_maps(None, "wave", parts, parts)["integrated gradients"], [[[1, 3, 5], [0, 2, 4]]])
    several = np.stack([parts, 10 * parts], axis=-1)
    found = _maps(None, "series", several, several)["integrated gradients"]
    np.testing.assert_array_equal(found, [[[0, 22, 44], [11, 33, 55]]])


def fitted_on(examples, build):
    objective = Classification().resolve(examples.target)
    return NetworkContender(Network("small", build), objective, RECIPE).fit(examples, examples, 0)


@pytest.mark.parametrize("some", [1, 10**9])
def test_what_is_usual_is_the_mean_of_encoded_rows_whatever_fits(some, monkeypatch):
    examples = pictures(60)
    network = opened.opened(fitted_on(examples, small_resnet))
    monkeypatch.setattr(opened, "BYTES_AT_ONCE", some)
    found = typical(network, examples)
    mean = examples.columns["image"].mean(axis=0, keepdims=True) / 127.5 - 1
    np.testing.assert_allclose(found.values, mean, atol=1e-5)
    assert not found.flags.any()
    assert found.flags.shape == found.values.shape
    alone = typical(network, examples.take(np.arange(1)))
    np.testing.assert_allclose(alone.values, examples.columns["image"][:1] / 127.5 - 1, atol=1e-6)


def test_a_usual_recording_and_a_usual_window_are_means_too():
    examples = waves(40)
    for network, rows in (
        (opened.opened(fitted_on(examples, separable_cnn(2000))), examples),
        (opened.opened(trained("weights")[0]), prices()),
    ):
        found = typical(network, rows)
        np.testing.assert_allclose(found.values, network.encoded(rows).mean(axis=0, keepdims=True), atol=1e-4)
        assert not found.flags.any()


def test_the_usual_row_of_another_model_is_refused():
    with pytest.raises(BadInput, match="holds no usual row of this model"):
        Typical(np.zeros((1, 4), np.float32), np.zeros((1, 4), bool)).beside(np.zeros((3, 5), np.float32))


def test_pictures_too_large_for_so_many_are_fewer(monkeypatch):
    from pipelines.explanation import explain

    examples = pictures(120)
    fitted = fitted_on(examples, small_resnet)
    objective = fitted.objective
    monkeypatch.setattr(explain, "MOST_ROWS", {"other": 64})
    monkeypatch.setattr(explain, "MOST_BYTES", 30 * 16 * 16)
    found = explain.explained(fitted, objective, examples, examples, 0)
    assert found.rows == 30  # of a byte a pixel
    assert found.attributed_rows == 7  # of four
    assert attributed.RANDOMISED_ROWS >= 7
