"""The figure of gradient health: lines for a few layers, a map for many, and nothing that a scale cannot show."""

import io
import itertools
import math
import warnings

import numpy as np
import pytest
from matplotlib.colors import LogNorm

from pipelines.report.health import MOST_LABELS, MOST_LINES, gradient_health

EPOCHS = 5


def history(layers, closed=0.25, **others):
    names = [f"{number:02}_dense" for number in range(1, layers + 1)]
    found = {f"health/gradient_norm/{name}": [10.0**-place] * EPOCHS for place, name in enumerate(names)}
    found |= {f"health/update_ratio/{name}": [1e-3] * EPOCHS for name in names}
    found |= {f"health/dead_share/{name}": [closed] * EPOCHS for name in names[:-1]}
    return {"loss": [1.0] * EPOCHS, **found, **others}


def drawn(figure):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(io.BytesIO(), format="png")
    return figure


def panels(figure):
    return [axes for axes in figure.axes if axes.get_title()]


def test_a_few_layers_are_lines_with_the_usual_ratio_as_a_guide():
    norms, ratios, closed = panels(drawn(gradient_health(history(3), "mlp")))
    assert [text.get_text() for text in norms.get_legend().get_texts()] == ["01_dense", "02_dense", "03_dense"]
    assert [list(line.get_ydata()) for line in norms.lines] == [[1.0] * EPOCHS, [0.1] * EPOCHS, [0.01] * EPOCHS]
    assert list(norms.lines[0].get_xdata()) == [1, 2, 3, 4, 5]
    assert norms.get_yscale() == ratios.get_yscale() == "log"
    assert list(ratios.lines[-1].get_ydata()) == [1e-3, 1e-3]
    assert list(closed.lines[0].get_ydata()) == [25.0] * EPOCHS
    assert closed.get_ylim() == (-3, 103)
    assert closed.get_xlabel() == "epoch"


def test_many_layers_are_a_map_with_readable_names():
    figure = drawn(gradient_health(history(60)))
    norms, ratios, closed = panels(figure)
    for axes in (norms, ratios):
        (image,) = axes.images
        assert image.get_array().shape == (60, EPOCHS)
        assert isinstance(image.norm, LogNorm)
    np.testing.assert_allclose(norms.images[0].get_array()[:3, 0], [1, 0.1, 0.01])
    assert closed.images[0].get_array().shape == (59, EPOCHS)
    labels = norms.get_yticklabels()
    assert len(labels) == MOST_LABELS
    assert (labels[0].get_text(), labels[-1].get_text()) == ("01_dense", "60_dense")
    renderer = figure.canvas.get_renderer()
    boxes = [label.get_window_extent(renderer) for label in labels]
    assert all(upper.y0 >= lower.y1 - 1 for upper, lower in itertools.pairwise(boxes))


def test_lines_become_a_map_where_they_could_no_longer_be_told_apart():
    assert not panels(gradient_health(history(MOST_LINES)))[0].images
    assert panels(gradient_health(history(MOST_LINES + 1)))[0].images


@pytest.mark.parametrize("layers", [2, 20])
def test_zeros_and_numbers_that_are_not_finite_are_gaps(layers):
    found = history(layers)
    found["health/gradient_norm/01_dense"] = [0.0, math.nan, math.inf, 1.0, 1.0] if layers == 2 else [0.0] * EPOCHS
    (first, *_) = panels(drawn(gradient_health(found)))
    values = first.lines[0].get_ydata() if layers == 2 else np.ma.filled(first.images[0].get_array(), math.nan)[0]
    assert list(np.isnan(values)) == ([True, True, True, False, False] if layers == 2 else [True] * EPOCHS)


@pytest.mark.parametrize("layers", [2, 20])
def test_a_training_in_which_nothing_moved_can_be_drawn(layers):
    still = {name: [0.0] * EPOCHS for name in history(layers) if name.startswith("health/")}
    drawn(gradient_health(still))


def test_closed_units_are_drawn_only_where_there_are_any():
    assert len(panels(gradient_health(history(3, closed=0.0)))) == 2
    saturated = {"health/saturated_share/01_dense": [0.5] * EPOCHS}
    *_, closed = panels(gradient_health(history(3, closed=0.0, **saturated)))
    assert "01_dense (saturated)" in [text.get_text() for text in closed.get_legend().get_texts()]


def test_no_measurements_give_no_figure():
    assert gradient_health({"loss": [1.0], "gradient_norm": [1.0]}) is None


def test_nothing_lies_outside_the_figure():
    for layers in (3, 60):
        found = {name.replace("_dense", "_encoder.block.self_attention"): v for name, v in history(layers).items()}
        figure = drawn(gradient_health(found, "a network with a long name"))
        tight = figure.get_tightbbox()
        width, height = figure.get_size_inches()
        assert tight.x0 >= -0.02
        assert tight.y0 >= -0.02
        assert tight.x1 <= width + 0.02
        assert tight.y1 <= height + 0.02
