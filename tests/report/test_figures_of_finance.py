"""Figures of lenders and of alerts: what they show is what the report holds."""

import io
from dataclasses import replace

import numpy as np
import pytest

from pipelines.report import figures_alerts, figures_lending
from pipelines.report.alerts import AlertReport, AtBudget
from pipelines.report.document import Estimate
from pipelines.report.lending import PointsRow


def drawn(figure):
    figure.savefig(io.BytesIO(), format="png")
    return figure


def bins(column, *points):
    return [PointsRow(column, f"bin {place}", 10.0, 0.25, 0.0, each) for place, each in enumerate(points)]


def test_a_scorecard_shows_what_moves_the_score_most_first_and_says_what_is_left_out():
    card = [*bins("dull", 40, 41), *bins("US$ owed", 10.4, 30, 90)]
    figure = drawn(figures_lending.scorecard(card))
    first, second, third = figure.axes
    assert [axes.get_title(loc="left") for axes in (first, second)] == [r"US\$ owed", "dull"]
    assert not third.get_visible()
    assert [bar.get_width() for bar in first.patches] == [10.4, 30, 90]
    assert [text.get_text() for text in first.texts] == ["10  (25%)", "30  (25%)", "90  (25%)"]
    assert [text.get_text() for text in first.get_yticklabels()] == ["bin 0", "bin 1", "bin 2"]
    many = [row for number in range(14) for row in bins(f"column {number}", 20, 30 + number)]
    assert "2 columns that move it less are not shown" in drawn(figures_lending.scorecard(many)).get_suptitle()


def at(budget, **saved):
    recall = Estimate(budget / 100, 0.0, 1.0)
    return AtBudget(budget, {name: {"recall": recall, "saved_per_day": each} for name, each in saved.items()})


@pytest.fixture
def told():
    nothing = Estimate(0.0, 0.0, 0.0)
    budgets = tuple(
        at(n, net=Estimate(5.0 * n, 4.0 * n, 6.0 * n), base=Estimate(n, 0.0, n), odd=nothing, prior=nothing)
        for n in (1, 3, 10)
    )
    names = {name: {} for name in ("net", "base", "odd", "prior")}
    return AlertReport(0.01, 5.0, 20, 60, 9, names, "net", "base", {}, budgets)


def test_money_and_recall_are_drawn_against_alerts_a_day(told):
    money, recall = drawn(figures_alerts.by_budget(told)).axes
    lines = {line.get_label(): line for line in money.lines}
    assert {"net", "base", "odd"} < set(lines)
    assert "prior" not in lines
    np.testing.assert_array_equal(lines["net"].get_xdata(), [1, 3, 10])
    np.testing.assert_array_equal(lines["net"].get_ydata(), [5, 15, 50])
    assert list(lines["the budget asked for"].get_xdata()) == [3, 3]
    assert len(money.collections) == len(recall.collections) == 2  # bands of the two that are compared
    np.testing.assert_array_equal(recall.lines[0].get_ydata(), [0.01, 0.03, 0.1])


def test_a_day_without_money_still_has_a_figure(told):
    nothing = Estimate(float("nan"), float("nan"), float("nan"))
    unknown = replace(told, by_budget=(at(1, net=nothing, base=nothing, odd=nothing, prior=nothing),))
    drawn(figures_alerts.by_budget(unknown))
