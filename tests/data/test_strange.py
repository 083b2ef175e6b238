"""Pictures of something else: of the right shape, different from each other, left out where nothing is installed."""

import numpy as np
import pytest

from pipelines.data.pictures import strange as module
from pipelines.data.pictures.strange import WORDS, strange
from pipelines.protocol import STRANGE


@pytest.mark.parametrize("shape", [(28, 28, 1), (20, 30, 3)])
@pytest.mark.parametrize("kind", WORDS)
def test_every_kind_has_the_shape_that_is_asked_for_and_is_drawn_again(kind, shape):
    made = strange(kind, 40, shape, 3)
    assert made.dtype == np.uint8
    assert made.shape[1:] == shape
    assert 20 <= len(made) <= 40
    np.testing.assert_array_equal(made, strange(kind, 40, shape, 3))
    spread = made.reshape(len(made), -1).std(axis=1)
    assert (spread == 0).all() if kind == "blank" else (spread > 5).mean() > 0.9
    assert len(np.unique(made.reshape(len(made), -1), axis=0)) > 0.9 * len(made)


def test_blank_ones_reach_from_black_to_white():
    made = strange("blank", 300, (4, 4, 1))
    assert (made.min(), made.max()) == (0, 255)


def test_what_is_not_installed_is_none(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda package: None)
    assert strange("retina", 3, (4, 4, 1)) is strange("head", 3, (4, 4, 1)) is None
    assert strange("noise", 3, (4, 4, 1)) is not None


def test_a_protocol_knows_every_kind():
    assert {*WORDS, "none"} == set(STRANGE)
