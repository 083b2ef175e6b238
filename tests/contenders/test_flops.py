"""Operations of networks, counted in their graphs, are those that somebody counts by hand from the sizes of layers."""

import math
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from benchmarks.cost import networks
from pipelines.contenders.flops import _arithmetic, of_call, of_model


@pytest.fixture(scope="module")
def by_hand():
    return networks(keras, layers)


@pytest.mark.parametrize(
    "name", ["MLP 30-128-128-2", "convolutions", "LSTM, 96 words", "GRU, 20 events", "TabM, 32 members"]
)
def test_what_is_counted_is_what_is_counted_by_hand(by_hand, name):
    model, expected = by_hand[name]
    assert of_model(model) == expected


def test_attention_within_a_hundredth(by_hand):
    """Keras' softmax finds the largest value as well, and looks whether it is finite."""
    model, expected = by_hand["attention, 20 tokens"]
    assert of_model(model) == pytest.approx(expected, rel=0.01)


def test_a_loop_counts_as_often_as_it_runs():
    def recurrent(steps):
        events = keras.Input((steps, 3))
        return of_model(keras.Model(events, layers.LSTM(4)(events)))

    one, seven = recurrent(1), recurrent(7)
    assert one > 2 * 4 * 4 * (3 + 4), "a first step is not left out"
    assert seven == 7 * one


def test_the_same_products_as_tensorflows_own_profiler_counts_in_a_network_without_loops(by_hand):
    model, _ = by_hand["convolutions"]
    row = tf.zeros((1, 28, 28, 1))
    graph = tf.function(lambda given: model(given, training=False)).get_concrete_function(row).graph
    settings = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    settings["output"] = "none"
    found = tf.compat.v1.profiler.profile(graph, options=settings).total_float_ops
    assert of_model(model) == pytest.approx(found, rel=0.1)


def test_the_spectrum_of_a_wave_is_counted():
    wave = keras.Input((1024,))
    mel = layers.MelSpectrogram(fft_length=256, sequence_stride=128, sampling_rate=8000, num_mel_bins=40)
    frames = 1024 // 128 + 1
    transform, bands = frames * 2.5 * 256 * 8, frames * 2 * 129 * 40
    found = of_model(keras.Model(wave, mel(wave)))
    assert transform + bands < found < 1.4 * (transform + bands)


def test_words_in_front_of_a_network_cost_nothing_and_hide_nothing():
    """After them the number of rows is not known to the graph."""
    words = layers.TextVectorization(max_tokens=9, output_sequence_length=6)
    words.adapt(["a b c", "d e"])
    text, given = keras.Input((1,), dtype="string"), keras.Input((6,), dtype="int64")
    hidden, answer = layers.LSTM(4), layers.Dense(1)
    embedded = layers.Embedding(9, 5)
    alone = of_model(keras.Model(given, answer(hidden(embedded(given)))))
    assert of_model(keras.Model(text, answer(hidden(embedded(words(text)))))) == alone > 6 * 2 * 16 * 9


@pytest.mark.parametrize(
    ("equation", "shapes", "expected"),
    [
        ("ij,jk->ik", ((2, 3), (3, 5)), 2 * 2 * 3 * 5),
        ("bmf,mfu->bmu", ((1, 4, 3), (4, 3, 2)), 2 * 4 * 3 * 2),
        ("...qd,...kd->...qk", ((1, 6, 7, 3), (1, 6, 5, 3)), 2 * 6 * 7 * 5 * 3),
    ],
)
def test_an_einsum_sums_over_what_it_does_not_keep(equation, shapes, expected):
    given = [tf.zeros(shape) for shape in shapes]
    assert of_call(lambda pair: tf.einsum(equation, *pair), given) == expected


def test_a_turned_matrix_is_multiplied_over_its_other_side():
    given = [tf.zeros((7, 3)), tf.zeros((7, 5))]
    assert of_call(lambda pair: tf.matmul(*pair, transpose_a=True), given) == 2 * 3 * 7 * 5


def test_a_sum_counts_what_it_is_given_and_a_pool_all_that_it_looks_at():
    assert of_call(lambda row: tf.reduce_mean(row, axis=1), tf.zeros((1, 6, 5))) == 6 * 5
    assert of_call(lambda row: tf.nn.max_pool2d(row, 2, 2, "VALID"), tf.zeros((1, 8, 8, 3))) == 4 * 4 * 3 * 4


def test_a_normalisation_that_is_learned_is_a_scale_and_a_shift():
    of_three = tf.ones(3)

    def normalised(row):
        return tf.compat.v1.nn.fused_batch_norm(row, *[of_three] * 4, is_training=False)[0]

    assert of_call(normalised, tf.zeros((1, 4, 4, 3))) == 2 * 4 * 4 * 3


def test_a_turned_convolution_spreads_each_place_of_its_input():
    filters = tf.zeros((3, 3, 8, 5))  # from 5 channels to 8
    found = of_call(lambda row: tf.nn.conv2d_transpose(row, filters, (1, 8, 8, 8), 2), tf.zeros((1, 4, 4, 5)))
    assert found == 2 * 4 * 4 * 5 * 3 * 3 * 8


def test_a_recurrent_layer_on_a_gpu_counts_its_steps():
    """Such a graph is not made without one: 20 steps of 3 features, 4 units."""
    layer = SimpleNamespace(type="CudnnRNNV3", get_attr={"rnn_mode": b"lstm"}.get)
    assert _arithmetic(layer, [(20, 1, 3), (1, 1, 4)], (20, 1, 4)) == 20 * 2 * 4 * 4 * (3 + 4)


def test_what_nobody_reads_is_not_counted_and_whole_numbers_are_no_floats():
    def call(row):
        tf.matmul(row, row)
        return tf.cast(row, tf.int32) + 1

    assert of_call(call, tf.zeros((4, 4))) == 0


def test_what_is_not_known_is_not_guessed():
    assert math.isnan(of_call(tf.linalg.inv, tf.eye(3)))
    assert not math.isnan(of_call(tf.nn.relu, tf.eye(3)))


def test_a_function_within_counts_as_if_it_stood_there():
    product = tf.function(lambda row: tf.matmul(row, row))
    assert of_call(product, tf.zeros((3, 3))) == 2 * 27
    assert of_call(lambda row: product(row) + row, tf.constant(np.zeros((3, 3), np.float32))) == 2 * 27 + 9
