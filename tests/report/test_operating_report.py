"""What is told of operating points: on the page, in the terminal, in figures and in MLflow."""

from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from pipelines.cli import show_operating
from pipelines.report.caveats import failures
from pipelines.report.document import Comparison, Estimate
from pipelines.report.figures_operating import PREVALENCES, by_prevalence
from pipelines.report.operating import OperatingPoint
from pipelines.report.page.parts import Prose
from pipelines.report.page.sections.operating import operating
from pipelines.report.readings_of_operating import lead, missed_target, of_cases
from pipelines.tracking import metrics

from .page_reports import NAN, whole_report
from .test_page_sections import cells, context, tables

POINT = OperatingPoint(
    "specificity:0.9", (0.4, 0.6), 40, "", Estimate(0.8, 0.7, 0.88), Estimate(0.85, 0.8, 0.89),
    Estimate(0.22, 0.15, 0.3), Estimate(0.99, 0.98, 0.995), 0.05, True, (60.0, 300.0), 360, Estimate(0.75, 0.6, 0.85),
)  # fmt: skip
FEW = OperatingPoint("sensitivity:0.95", (NAN,), 12, "validation rows hold 12 independent positive ones, and 20 are "
                     "needed", on_curve=Estimate(0.6, 0.4, 0.8))  # fmt: skip
TEST = Comparison("mlp", "scorecard", "sensitivity_at_90_percent_specificity", 0.05, -0.02, 0.12, 0.2, "t")


@pytest.fixture
def report():
    whole = whole_report()
    first, second, *others = whole.contenders
    cards = (replace(first, operating=(POINT, FEW)), replace(second, operating=(replace(POINT, stated=True), FEW)))
    return replace(whole, contenders=(*cards, *others), operating=(TEST,))


def test_a_thousand_cases_add_up():
    assert of_cases("mlp", POINT) == (
        "mlp at 90 % specificity: of 1000 cases, 50 of them positive (stated), it finds 40 and misses 10, and alarms "
        "143 of the others for nothing; of 100 alarms 22.0 are right (15.0 to 30.0); of 100 all-clears 99.0 are right "
        "(98.0 to 99.5)."
    )
    assert of_cases("mlp", FEW) == (
        "mlp at 95 % sensitivity: no threshold could be chosen, for validation rows hold 12 independent positive ones, "
        "and 20 are needed."
    )


def test_a_target_that_tested_rows_do_not_keep_is_told_where_that_is_sure():
    assert missed_target(POINT) == "tested rows do not keep it: 85.0 % (80.0 to 89.0)"
    assert missed_target(replace(POINT, specificity=Estimate(0.85, 0.8, 0.9))) == ""
    assert missed_target(FEW) == ""


def test_a_lead_that_may_be_chance_is_said_to_be():
    assert lead(TEST).endswith("(-0.020 to +0.120), both on their own curves, which may be chance.")
    assert lead(replace(TEST, p_value=0.01)).startswith("sensitivity at 90 % specificity: mlp +0.050 against scorecard")
    assert "chance" not in lead(replace(TEST, p_value=0.01))


def test_the_page_has_a_table_for_each_point(report):
    section = operating(context(report))
    first, second = tables(section)
    assert first.caption.startswith(
        "At 90 % specificity: where 90 % of the negative rows are left alone; PPV and NPV at"
    )
    assert "a prevalence of 5 %, stated" in first.caption
    assert cells(first)[0] == [
        "mlp", "0.400", "0.800 0.700 to 0.880", "0.850 0.800 to 0.890", "0.220 0.150 to 0.300",
        "0.990 0.980 to 0.995", "0.750 0.600 to 0.850",
    ]  # fmt: skip
    assert cells(second)[0] == ["mlp", *["not known"] * 5, "0.600 0.400 to 0.800"]
    assert second.notes[0] == f"mlp: {FEW.why_not}."
    said = [line for block in section.blocks if isinstance(block, Prose) for line in block.lines]
    assert said[0] == of_cases("mlp", POINT)
    assert operating(context()) is None


def test_the_terminal_has_both_sides_and_fits(report):
    console = Console(width=80)
    first, *others = report.contenders
    named = replace(first, name="a-network-of-a-name")
    verdict = replace(report.verdict, network=named.name)
    with console.capture() as captured:
        show_operating.points(console, replace(report, contenders=(named, *others), verdict=verdict))
    assert "…" not in captured.get()  # numbers are never cut
    with console.capture() as captured:
        show_operating.points(console, report)
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= 80
    text = " ".join(" ".join(lines).split())
    assert "at 90 % specificity mlp 0.80 0.85 0.22 0.99 0.75" in text
    assert "it finds 40 and misses 10" in text
    assert "mlp at 90 % specificity: tested rows do not keep it" in text


def test_the_figure_has_the_table_s_value_where_the_table_s_prevalence_is(report):
    figure = by_prevalence(report)
    panel = next(axes for axes in figure.axes if axes.get_title() == "at 90 % specificity")
    assert sum(axes.get_visible() for axes in figure.axes) == 1  # of the other point there is none
    right, clear = panel.lines[:2]
    at = np.array(right.get_xdata())
    np.testing.assert_allclose(at, PREVALENCES)
    np.testing.assert_allclose(right.get_ydata(), 0.8 * at / (0.8 * at + 0.15 * (1 - at)))
    np.testing.assert_allclose(clear.get_ydata(), 0.85 * (1 - at) / (0.85 * (1 - at) + 0.2 * at))
    assert by_prevalence(whole_report()) is None


def test_every_number_is_a_metric(report):
    found = metrics.of_scorecard(report.contenders[0])
    assert found["operating/specificity 90 percent/precision.low"] == 0.15
    assert found["operating/sensitivity 95 percent/on_curve"] == 0.6
    assert found["operating/specificity 90 percent/threshold"] == 0.4
    assert "operating/sensitivity 95 percent/threshold" not in found
    whole = metrics.of_report(report)
    assert whole["operating/sensitivity_at_90_percent_specificity.p_value"] == 0.2


def test_a_threshold_that_does_not_keep_its_target_is_a_known_failure(report):
    found = failures(report)
    assert "The threshold of mlp for 90 % specificity: tested rows do not keep it: 85.0 % (80.0 to 89.0)." in found
    assert not any("threshold of mlp" in each for each in failures(whole_report()))
