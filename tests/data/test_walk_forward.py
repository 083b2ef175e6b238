"""Walking forward: every tested stretch lies after all that was learned for it, and nothing reaches over a border."""

import numpy as np
import pytest

from pipelines.data.examples import Examples
from pipelines.data.splits import split
from pipelines.errors import BadInput
from pipelines.task import Protocol


def rows(moments=100, each=3, seed=0):
    """Rows of several at each moment, in no order."""
    time = np.random.default_rng(seed).permutation(np.repeat(np.arange(float(moments)), each))
    return Examples({"x": np.arange(float(len(time)))}, np.zeros(len(time)), time=time)


@pytest.mark.parametrize("purge", [0, 4])
def test_stretches_follow_each_other_and_what_is_learned_lies_before(purge):
    examples = rows()
    folds = split(examples, None, Protocol("walk-forward", "time", test=0.6, valid=0.25, folds=4, purge=purge), 0)
    tested = [np.unique(examples.time[fold.test]) for fold in folds]
    np.testing.assert_array_equal(np.concatenate(tested), np.arange(40.0, 100.0))
    for place, fold in enumerate(folds):
        train, valid, test = (np.unique(examples.time[part]) for part in (fold.train, fold.valid, fold.test))
        start = 40 + 15 * place
        assert (test[0], len(test)) == (start, 15)
        assert (train[0], valid[-1]) == (0, start - 1 - purge)
        assert valid[0] - train[-1] == 1 + purge
        assert valid[0] == start - round(start * 0.25)
        assert len(fold.test) == 45  # rows of one moment stay together
    assert len(folds[-1].train) > len(folds[0].train)


def test_a_holdout_in_time_is_purged_too():
    examples = rows()
    plain, purged = (split(examples, None, Protocol(by="time", purge=purge), 0)[0] for purge in (0, 5))
    np.testing.assert_array_equal(plain.test, purged.test)
    assert examples.time[purged.valid].max() == examples.time[plain.valid].max() - 5
    assert examples.time[purged.train].max() == examples.time[plain.train].max() - 5


def test_what_cannot_be_walked_is_refused():
    with pytest.raises(BadInput, match=r"--time COLUMN"):
        split(Examples({"x": np.arange(9.0)}, np.zeros(9)), None, Protocol("walk-forward", "time"), 0)
    with pytest.raises(BadInput, match=r"fewer protocol\.folds"):
        split(rows(10), None, Protocol("walk-forward", "time", folds=9), 0)
    with pytest.raises(BadInput, match=r"30 moments are left out.*protocol.purge"):
        split(rows(), None, Protocol("walk-forward", "time", test=0.5, purge=30), 0)
    with pytest.raises(ValueError, match=r"protocol.by=time"):
        Protocol("walk-forward", "row")
    with pytest.raises(ValueError, match="train on the future"):
        Protocol("cross-validation", "time")
