"""Figures of explanations: what stands where, and in which colour."""

from dataclasses import replace

import numpy as np
from matplotlib.colors import to_rgb

from pipelines.report import figures_explanation, figures_rows
from pipelines.report.document import Estimate
from pipelines.report.explanation import Attribution, Explanation
from pipelines.report.figures import COLOURS

from .page_reports import whole_report


def found(*means):
    parts = tuple(Attribution(f"x{n}", Estimate(3.0 - n, 2.5 - n, 3.5 - n), mean, 9) for n, mean in enumerate(means))
    return Explanation(9, attributions=parts, attributed_rows=9, answer="the class bad", unit="log-odds")


def ends(axes):
    """(low, high, place) of each interval."""
    lines = [line for line in axes.lines if len(line.get_xdata()) == 2 and len(set(line.get_ydata())) == 1]
    return [(*map(float, line.get_xdata()), float(line.get_ydata()[0])) for line in lines]


def bars(axes):
    return [(bar.get_width(), to_rgb(bar.get_facecolor())) for bar in axes.patches if bar.get_width()]


def test_bars_are_as_long_as_parts_push_and_coloured_by_which_way():
    (axes,) = figures_explanation.attributions("mlp", found(-0.5, 0.2)).axes
    assert bars(axes) == [(3.0, to_rgb(COLOURS[0])), (2.0, to_rgb(COLOURS[1]))]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["x0", "x1"]
    assert axes.yaxis_inverted()
    assert ends(axes) == [(2.5, 3.5, 0), (1.5, 2.5, 1)]


def test_of_a_single_row_bars_go_both_ways():
    (axes,) = figures_rows.attributions("row 1: bad", [("a", 2.0), ("b$", -1.0)], "log-odds").axes
    assert bars(axes) == [(2.0, to_rgb(COLOURS[1])), (-1.0, to_rgb(COLOURS[0]))]
    assert axes.yaxis_inverted()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", r"b\$"]


def test_the_network_and_the_best_baseline_stand_side_by_side():
    report = whole_report()
    (axes,) = figures_explanation.importances(report).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["mlp", "scorecard"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Income", "Debt"]
    assert axes.yaxis_inverted()
    assert ends(axes)[::2] == [(0.03, 0.07, -0.18), (0.03, 0.07, 0.18)]  # of the other part they are not known
    none = replace(report, contenders=tuple(replace(card, explanation=None) for card in report.contenders))
    assert figures_explanation.importances(none) is None


def test_maps_and_pictures_have_a_panel_a_way():
    grid = ((0.1, 0.2), (0.3, 0.4))
    figure = figures_explanation.maps("resnet", {"integrated gradients": grid, "grad-cam": grid})
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == ["integrated gradients", "Grad-CAM"]
    drawn = figures_rows.picture("scan.png: yes", np.zeros((4, 4, 1), np.uint8), {"grad-cam": np.ones((4, 4))})
    assert [axes.get_title() for axes in drawn.axes] == ["picture", "Grad-CAM"]
    assert drawn.axes[1].images[1].get_clim() == (0, 1), "what speaks for an answer has no other side"
    whole = figures_rows.grid("clip.wav: yes", np.array([[1.0, -2.0]]), "log-odds")
    assert whole.axes[0].images[0].get_clim() == (-np.quantile([1, 2], 0.995), np.quantile([1, 2], 0.995))


def test_very_many_parts_are_cut_and_their_number_is_told():
    parts = [(f"part {n}", float(n)) for n in range(30, 0, -1)]
    (axes,) = figures_rows.attributions("row 1", parts, "log-odds").axes
    assert "16 weaker parts are not shown" in axes.get_xlabel()
    many = replace(found(), attributions=found(*[0.1] * 20).attributions)
    (axes,) = figures_explanation.attributions("mlp", many).axes
    assert len(axes.get_yticklabels()) == figures_explanation.MOST_PARTS


def test_a_name_is_short_and_no_formula():
    (part,) = found(0.1).attributions
    drawn = figures_explanation.attributions(
        "mlp", replace(found(), attributions=(replace(part, part="$" + "x" * 60),))
    )
    (label,) = drawn.axes[0].get_yticklabels()
    assert label.get_text().startswith(r"\$x")
    assert len(label.get_text()) == figures_explanation.LONGEST
