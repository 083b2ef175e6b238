"""The order of rows: a function of seed and epoch; every row once per epoch; one static shape."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.data.batches import in_order, padded_rows, shuffled, steps_per_epoch

sizes = st.integers(1, 300)
batch_sizes = st.integers(1, 64)
seeds = st.integers(0, 2**32)


@given(sizes, batch_sizes, seeds, st.integers(0, 500))
def test_every_row_once_and_filling_is_masked(n, batch_size, seed, epoch):
    for order in (shuffled(n, batch_size, seed, epoch), in_order(n, batch_size)):
        assert order.rows.shape == order.mask.shape == (steps_per_epoch(n, batch_size), batch_size)
        assert sorted(order.rows[order.mask == 1]) == list(range(n))
        assert set(np.unique(order.mask)) <= {0.0, 1.0}
        assert ((order.rows >= 0) & (order.rows < n)).all()  # filling is made of real rows


@given(sizes, batch_sizes, seeds, st.integers(0, 500))
def test_the_order_depends_on_seed_and_epoch_alone(n, batch_size, seed, epoch):
    np.random.seed(0)
    first = shuffled(n, batch_size, seed, epoch)
    np.random.seed(1)
    shuffled(n, batch_size, seed, epoch + 1)
    np.testing.assert_array_equal(first.rows, shuffled(n, batch_size, seed, epoch).rows)


@given(seeds, st.integers(0, 500))
def test_other_epochs_and_seeds_have_other_orders(seed, epoch):
    order = shuffled(50, 7, seed, epoch).rows
    assert not np.array_equal(order, shuffled(50, 7, seed, epoch + 1).rows)
    assert not np.array_equal(order, shuffled(50, 7, seed + 1, epoch).rows)


def test_evaluation_keeps_the_order():
    assert in_order(5, 2).rows.tolist() == [[0, 1], [2, 3], [4, 0]]
    assert in_order(5, 2).mask.tolist() == [[1, 1], [1, 1], [1, 0]]


def test_padding_repeats_the_first_row():
    values = np.arange(6).reshape(3, 2)
    assert padded_rows(values, 5).tolist() == [[0, 1], [2, 3], [4, 5], [0, 1], [0, 1]]
    assert padded_rows(values, 3).tolist() == values.tolist()
    assert padded_rows(values, 2).tolist() == values.tolist()
