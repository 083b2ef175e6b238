"""The figure of grades: each number in its place, the darker the larger its share of the true grade."""

import numpy as np

from pipelines.report.document import Estimate
from pipelines.report.figures_grades import confusion


def test_rows_are_true_grades_and_columns_what_was_decided():
    counts = {"net": np.array([[8.0, 2.0, 0.0], [1.0, 4.0, 0.0], [0.0, 0.0, 0.0]]), "forest": np.eye(3) * 5}
    kappas = {"net": Estimate(0.61), "forest": Estimate(1.0)}
    figure = confusion(counts, ("none", "mild", "severe"), kappas)
    first = figure.axes[0]
    told = {(text.get_position()): text.get_text() for text in first.texts}
    assert told[(1, 0)] == "2"  # across what was decided, down the true grade
    assert told[(0, 1)] == "1"
    assert told[(2, 2)] == "0"
    assert first.get_ylim()[0] > first.get_ylim()[1], "grade 0 stands on top"
    shades = [patch.get_alpha() for patch in first.patches]
    assert np.argmax(shades) in (0, 4)
    assert shades[0] == shades[4] > shades[3] == shades[1] > shades[8], "of a grade without rows nothing is dark"
    assert "0.610" in first.get_title()
    assert [label.get_text() for label in first.get_xticklabels()] == ["none", "mild", "severe"]
    assert len(figure.axes) == 2
