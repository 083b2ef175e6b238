"""Curves enclose the areas that the scores report."""

import warnings

import numpy as np
import pytest

from pipelines.evaluation import scores
from pipelines.evaluation.curves import precision_recall, reliability, roc

from .cases import noisy_scores


@pytest.fixture
def rows():
    target, probability = noisy_scores(np.random.default_rng(0), 200)
    return target, probability.round(2)


def test_area_under_roc(rows):
    curve = roc(*rows)
    area = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
    assert area == pytest.approx(scores.auroc(*rows))
    assert (curve.false_positive_rate[0], curve.true_positive_rate[-1]) == (0, 1)


def test_steps_of_precision_recall(rows):
    target, probability = rows
    curve = precision_recall(target, probability)
    assert (np.diff(curve.recall) >= 0).all()
    assert len(curve.recall) == len(curve.precision) == len(curve.threshold)
    for recall, precision, threshold in zip(*curve, strict=True):
        chosen = probability >= threshold
        assert precision == pytest.approx(target[chosen].mean())
        assert recall == pytest.approx(target[chosen].sum() / target.sum())


def test_reliability_bins_hold_all_rows_and_add_up_to_the_calibration_error(rows):
    target, probability = rows
    bins = reliability(target, probability)
    assert bins.n.sum() == len(target)
    assert (np.diff(bins.predicted) > 0).all()
    error = np.sum(bins.n * np.abs(bins.observed - bins.predicted)) / len(target)
    assert error == pytest.approx(scores.expected_calibration_error(target, probability))
    assert ((bins.low <= bins.observed) & (bins.observed <= bins.high)).all()


def test_reliability_counts_weights_as_rows_and_units_once(rows):
    target, probability = rows
    copies = np.random.default_rng(1).integers(0, 4, len(target))
    weighted = reliability(target, probability, copies, bins=4)
    repeated = reliability(np.repeat(target, copies), np.repeat(probability, copies), bins=4)
    assert weighted.predicted == pytest.approx(repeated.predicted)
    assert weighted.observed == pytest.approx(repeated.observed)
    assert weighted.n.sum() == (copies > 0).sum()
    alone = reliability(target, probability)
    twice = reliability(np.tile(target, 2), np.tile(probability, 2), clusters=np.tile(np.arange(len(target)), 2))
    assert (twice.high - twice.low) == pytest.approx(alone.high - alone.low, rel=0.25)


def test_one_class_has_no_curve_and_no_warning():
    target, probability = np.ones(5, int), np.linspace(0, 1, 5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(roc(target, probability).threshold) == 0
        assert len(precision_recall(target, probability).recall) == 0
        assert reliability(target, probability).observed.tolist() == [1.0] * 5
