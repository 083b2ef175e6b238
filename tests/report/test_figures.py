"""Figures: drawn without pyplot, with the numbers that were given, and readable labels."""

import io
import itertools
import math
import subprocess
import sys

import numpy as np
import pytest

from pipelines.contenders.contender import History
from pipelines.report import figures
from pipelines.report.document import Cost, DataCard, Estimate, GroupRow, Report, Scorecard, Verdict
from pipelines.report.figures_calibration import Band, Reliability, calibration, decision_curve


@pytest.fixture
def report():
    bias = (
        GroupRow("age", "<25", 30, 9, {"tpr": Estimate(0.6, 0.4, 0.8)}),
        GroupRow("age", ">=25", 70, 20, {"tpr": Estimate(0.8, 0.7, 0.9)}),
        GroupRow("sex", "F", 4, 0, {"tpr": Estimate(math.nan), "fpr": Estimate(0.1, 0.0, 0.4)}),
    )
    cards = tuple(
        Scorecard(
            name,
            kind,
            {"auroc": Estimate(value, value - 0.1, value + 0.1), "rmse": Estimate(value, 0.0, 1.0)},
            Cost(1.0),
            bias=bias,
        )
        for name, kind, value in (("prior", "classical", 0.5), ("mlp", "network", 0.8), ("odd", "classical", math.nan))
    )
    card = DataCard("sample", False, 9, "0" * 64, {"train": 3, "valid": 3, "test": 3})
    return Report("finance/credit-default", 0, 1.0, card, cards, (), Verdict("mlp", "yes", network="mlp"), "auroc")


def png(figure):
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    return drawn.getvalue()


def labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def everything(report):
    curve = {"mlp": figures.Curve([0, 0.2, 1], [0, 0.7, 1])}
    bins = {"mlp": Reliability([0.1, 0.5, 0.9], [0.2, math.nan, 0.8], [40, 0, 12])}
    return {
        "roc": figures.roc(curve, {"mlp": Estimate(0.8, 0.7, 0.9)}),
        "precision_recall": figures.precision_recall(curve, 0.3),
        "calibration": calibration(bins),
        "learning_curves": figures.learning_curves({"mlp": History({"loss": (2.0, 1.0), "valid_loss": (2.0, 1.5)}, 1)}),
        "bias_bars": figures.bias_bars(report, "tpr"),
        "scores_with_intervals": figures.scores_with_intervals(report),
        "residuals": figures.residuals({"mlp": [1.0, 2.5]}, [1.0, 2.0], "mm"),
    }


def test_every_figure_draws_and_says_what_it_shows(report):
    for name, figure in everything(report).items():
        assert png(figure).startswith(b"\x89PNG"), name
        assert figure.get_suptitle(), name
        assert figure.axes[-1].get_xlabel(), name
        assert figure.axes[0].get_ylabel() or len(labels(figure.axes[0].yaxis)) > 1, name


def test_nothing_is_cut_off_or_overlaps_at_long_names(report):
    """All texts lie inside the canvas, and no tick label touches the next."""
    long = figures.BiasBar("marital status", "separated, widowed or divorced since", 12, Estimate(0.5, 0.4, 0.6))
    for figure in [
        *everything(report).values(),
        figures.bias_bars([long, long, long], "tpr", "a long contender's name"),
    ]:
        png(figure)
        renderer = figure.canvas.get_renderer()
        boxes = [text.get_window_extent(renderer) for text in (figure._suptitle, *(a.xaxis.label for a in figure.axes))]
        for axes in figure.axes:
            low, high = sorted(axes.get_ylim())
            ticks = [
                label.get_window_extent(renderer)
                for place, label in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
                if low <= place <= high and label.get_text()
            ]
            middles = sorted((tick.y0 + tick.y1) / 2 for tick in ticks)
            assert all(later - sooner > 12 for sooner, later in itertools.pairwise(middles))
            boxes += ticks
        for box in boxes:
            assert box.x0 >= -1
            assert box.x1 <= figure.bbox.x1 + 1
            assert box.y1 <= figure.bbox.y1 + 1


def test_bias_bars_show_n_and_leave_undefined_groups_without_a_bar(report):
    axes = figures.bias_bars(report, "tpr").axes[0]
    assert labels(axes.yaxis) == ["age <25 (n=30)", "age >=25 (n=70)", "sex F (n=4)"]
    assert [bar.get_width() for bar in axes.patches] == [0.6, 0.8]
    assert [text.get_text().strip() for text in axes.texts] == ["undefined"]
    whiskers = [tuple(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2]
    assert whiskers == [(0.4, 0.8), (0.7, 0.9)]


def test_bias_bars_keep_the_largest_groups_and_say_how_many_are_left_out():
    bars = [figures.BiasBar("job", str(n), n, Estimate(0.5, 0.4, 0.6)) for n in range(1, figures.MOST_BARS + 4)]
    axes = figures.bias_bars(bars, "tpr").axes[0]
    assert "3 small groups left out" in axes.get_xlabel()
    assert "job 3 (n=3)" not in labels(axes.yaxis)
    assert len(axes.patches) == figures.MOST_BARS


def test_contenders_are_ranked_best_first_in_the_direction_of_the_score(report):
    merit = figures.scores_with_intervals(report).axes[0]
    assert labels(merit.yaxis) == ["mlp (network)", "prior (classical)", "odd (classical)"]
    assert [text.get_text() for text in merit.texts] == [
        "0.800 (0.700 to 0.900)",
        "0.500 (0.400 to 0.600)",
        "undefined",
    ]
    error = figures.scores_with_intervals(report, "rmse").axes[0]
    assert labels(error.yaxis) == ["prior (classical)", "mlp (network)", "odd (classical)"]
    assert "lower is better" in error.get_xlabel()


def test_empty_bins_are_not_drawn_as_zero():
    bins = {"mlp": Reliability([0.1, 0.5, 0.9], [0.2, 0.0, 0.8], [40, 0, 12])}
    curve = calibration(bins).axes[0].lines[1]
    np.testing.assert_array_equal(curve.get_xdata(), [0.1, 0.9])


def test_reliability_has_an_interval_at_each_bin_and_what_was_said_before_calibration():
    bins = Reliability([0.1, 0.5, 0.9], [0.2, 0.0, 0.8], [40, 0, 12], [0.1, 0, 0.6], [0.3, 0, 0.95], [30, 12, 10])
    axes, counts = calibration({"mlp": bins}, {"mlp": Reliability([0.3], [0.4], [52])}).axes
    (bars,) = axes.collections
    assert [segment[:, 1].tolist() for segment in bars.get_segments()] == [[0.1, 0.3], [0.6, 0.95]]
    assert [text.get_text() for text in axes.get_legend().get_texts()][1:] == ["mlp", "mlp before calibration"]
    assert counts.patches[0].get_data().values.tolist() == [30, 12, 10]


def test_a_decision_curve_has_a_band_and_the_threshold_that_was_chosen():
    curve = figures.Curve([0.1, 0.5], [0.2, 0.1])
    axes = decision_curve({"mlp": curve}, curve, 0.3, Band([0.1, 0.5], [0.1, 0.0], [0.3, 0.2])).axes[0]
    assert axes.collections[0].get_datalim(axes.transData).bounds == pytest.approx((0.1, 0.0, 0.4, 0.3))
    assert 0.3 in [line.get_xdata()[0] for line in axes.lines]


def test_learning_curves_start_at_epoch_1_and_mark_the_best():
    figure = figures.learning_curves({"mlp": History({"loss": (3.0, 2.0, 1.0), "valid_score": (0.1, 0.2, 0.1)}, 1)})
    loss, score = figure.axes
    assert [list(line.get_xdata()) for line in loss.lines] == [[1, 2, 3], [2, 2]]
    assert list(score.lines[0].get_ydata()) == [0.1, 0.2, 0.1]
    assert [text.get_text() for text in loss.get_legend().get_texts()] == ["mlp"]


def test_residuals_of_many_rows_are_thinned_but_measured_on_all():
    observed = np.zeros(20_000)
    predicted = np.where(np.arange(20_000) % 2, 3.0, -1.0)
    axes = figures.residuals({"mlp": predicted}, observed).axes[0]
    assert len(axes.lines[1].get_xdata()) == figures.MOST_POINTS
    assert "bias 1, RMSE 2.24" in axes.get_title()


def test_figures_leave_pyplot_and_other_heavy_packages_alone():
    code = """
import sys
from pipelines.report import figures
assert 'matplotlib' not in sys.modules
figures.roc({'a': figures.Curve([0, 1], [0, 1])})
heavy = ('matplotlib.pyplot', 'tensorflow', 'pandas', 'sklearn', 'mlflow')
sys.exit(' '.join(name for name in heavy if name in sys.modules) or None)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
