"""The figure of gaps: every contender's, real ones filled, nothing cut off, at any number of them."""

import math

import pytest

from pipelines.report import figures_bias
from pipelines.report.document import Cost, DataCard, Estimate, Gap, Report, Scorecard, Verdict


def report(*gaps, contenders=("mlp", "forest", "prior")):
    cards = tuple(
        Scorecard(name, "network" if name == "mlp" else "classical", {"auroc": Estimate(0.8)}, Cost(1.0), gaps=gaps)
        for name in contenders
    )
    data = DataCard("sample", False, 10, "0" * 64, {})
    return Report("a/b", 0, 1.0, data, cards, (), Verdict("mlp", "yes", network="mlp"), "auroc")


def gap(attribute="sex", metric="equal_opportunity", p_value=0.5, crossed=False, size=0.2):
    return Gap(attribute, metric, size, 0.8, size / 2, 2 * size, ("F", "M"), (20, 30), p_value, crossed)


def labels(figure):
    return [label.get_text().replace("\n", " ") for axes in figure.axes for label in axes.get_yticklabels()]


def test_every_gap_has_a_line_a_contender_and_real_ones_are_filled():
    figure = figures_bias.gaps(report(gap(p_value=0.01), gap(metric="auroc_parity")))
    (axes,) = figure.axes
    assert labels(figure) == ["sex: equal opportunity", "sex: AUROC parity"]
    points = [line for line in axes.lines if len(line.get_xdata()) == 1 and line.get_xdata()[0] == 0.2]
    assert len(points) == 4  # two gaps of two contenders; a prior has none worth looking at
    filled = [line.get_markerfacecolor() != "white" for line in points]
    assert filled == [True, False, True, False]
    spans = [tuple(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2]
    assert spans.count((0.1, 0.4)) == 4


def test_the_theil_index_has_a_scale_of_its_own():
    figure = figures_bias.gaps(report(gap(), gap(metric="theil_index", size=0.002)))
    shares, theil = figure.axes
    assert labels(figure) == ["sex: equal opportunity", "sex: Theil index between groups"]
    assert theil.get_xlim()[1] < 0.01 < shares.get_xlim()[1]


def test_of_very_many_gaps_those_of_one_attribute_and_the_surest_are_drawn(monkeypatch):
    monkeypatch.setattr(figures_bias, "MOST_BARS", 3)
    crossed = [gap("sex x age", f"m{place}", p_value, True) for place, p_value in enumerate((0.9, 0.01, 0.3))]
    figure = figures_bias.gaps(report(*crossed, gap(), gap("age", "undefined", size=math.nan), gap("age")))
    assert labels(figure) == ["sex x age: m1", "sex: equal opportunity", "age: equal opportunity"]
    assert "2 gaps of two attributes are in the report" in figure.axes[-1].get_xlabel()


@pytest.mark.parametrize("contenders", [("mlp",), tuple(f"a model with a long name {n}" for n in range(9))])
def test_nothing_is_cut_off(contenders):
    many = [gap(f"an attribute with a name that is long {n} x another", "disparate_impact") for n in range(6)]
    figure = figures_bias.gaps(report(*many, contenders=contenders))
    figure.canvas.draw()
    box = figure.bbox
    for axes in figure.axes:
        for label in axes.get_yticklabels():
            assert label.get_window_extent().x0 >= box.x0 - 1
        if axes.get_legend():
            assert axes.get_legend().get_window_extent().x1 <= box.x1 + 1
