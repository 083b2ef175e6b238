"""What stands in the cells of the page's tables: the right number in the right column, and what follows from it."""

from dataclasses import replace

import pytest

from pipelines.report.document import Check, Comparison, Cost, Estimate, Gap, Scorecard
from pipelines.report.explanation import Importance
from pipelines.report.page.context import Context, value
from pipelines.report.page.parts import Plot, Prose, Table, Value
from pipelines.report.page.pictures import Pictures
from pipelines.report.page.sections import data, explanation, groups, making, oversight, privacy, probabilities, scores
from pipelines.report.page.sections.answer import answer

from .page_reports import NAN, card_of, whole_report

WHOLE = whole_report()


def context(report=WHOLE):
    return Context(card_of(report), Pictures({}))


def tables(section):
    return [block for block in section.blocks if isinstance(block, Table)]


def cells(table):
    """Rows as they are read: numbers with their intervals, without plots."""
    return [[_read(cell) for cell in row.cells if not isinstance(cell, Plot)] for row in table.rows]


def _read(cell):
    return f"{cell.text} {cell.ends}".strip() if isinstance(cell, Value) else cell


def with_first(**parts):
    first, *others = WHOLE.contenders
    return replace(WHOLE, contenders=(replace(first, **parts), *others))


def test_an_interval_goes_from_its_low_end_to_its_high_end():
    assert value(Estimate(0.2, -0.1, 0.4), sign=True) == Value("+0.200", "-0.100 to +0.400")
    assert value(Estimate(0.2)) == Value("0.200")
    assert value(Estimate(NAN)) == Value("not known")


def test_sides_are_those_of_the_verdict():
    page = context()
    assert [page.side(name) for name in ("mlp", "scorecard", "prior")] == ["network", "baseline", "other"]


@pytest.mark.parametrize(("primary", "order"), [("auroc", ["high", "low", "none"]), ("rmse", ["low", "high", "none"])])
def test_the_best_stands_first_and_what_is_not_known_last(primary, order):
    cards = [
        Scorecard(name, "classical", {primary: Estimate(score)}, Cost(1.0))
        for name, score in (("none", NAN), ("low", 0.1), ("high", 0.9))
    ]
    verdict = replace(WHOLE.verdict, network="low", best_baseline="high")
    report = replace(WHOLE, contenders=tuple(cards), primary=primary, verdict=verdict)
    (table,) = tables(scores.scores(context(report)))
    assert [row.cells[0] for row in table.rows] == order


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        (6.0, 2.0, "mlp trains 3.0 times as long as scorecard."),
        (2.0, 5.0, "scorecard, with its search, trains 2.5 times as long as mlp."),
        (1.2, 1.0, ""),
        (NAN, 1.0, ""),
    ],
)
def test_which_trains_longer_is_said_where_it_is_more_than_noise(ours, theirs, said):
    first, second, *others = WHOLE.contenders
    first, second = (
        replace(card, cost=replace(card.cost, train_seconds=took)) for card, took in ((first, ours), (second, theirs))
    )
    meant = answer(context(replace(WHOLE, contenders=(first, second, *others)))).meaning
    assert [line for line in meant if "times as long" in line] == ([said] if said else [])
    assert meant[0].startswith("The data are simulated")


def test_the_lead_is_the_networks():
    found = answer(context())
    assert (found.lead.value.text, found.lead.value.ends) == ("+0.0100", "-0.0200 to +0.0400")
    other = replace(WHOLE, comparisons=(Comparison("mlp", "prior", "auroc", 0.3, 0.2, 0.4, 0.01, "t"),))
    assert answer(context(other)).lead is None


def test_failed_checks_are_counted():
    assert "1 of 2 checks failed." in data.data(context()).lead
    passed = replace(WHOLE, data=replace(WHOLE.data, checks=(Check("rows", True, "9"),)))
    assert "All checks of the data passed." in data.data(context(passed)).lead


def test_what_is_lost_without_a_part_and_what_pushes_have_their_signs_and_p_values():
    hinges, pushes = tables(explanation.explanation(context()))[:2]
    own = ["+0.050 +0.030 to +0.070", "< 0.001"]
    assert cells(hinges)[0] == ["Income", *own, *own]
    assert cells(pushes) == [["Income", "0.500 0.400 to 0.600", "-0.200", "200"]]


def test_a_part_that_the_baseline_does_not_have_is_a_dash_there():
    told = replace(
        WHOLE.contenders[0].explanation,
        importances=(Importance("age", Estimate(0.2, 0.1, 0.3), 0.2, 9),),
    )
    table = tables(explanation.explanation(context(with_first(explanation=told))))[0]
    assert cells(table)[0] == ["age", "+0.200 +0.100 to +0.300", "0.200", "-", "-"]
    assert cells(table)[1][:3] == ["Income", "-", "-"]


@pytest.mark.parametrize(("high", "tone"), [(0.4, "note"), (0.6, "warning")])
def test_parts_that_may_tell_nothing_are_told_so_as_a_warning(high, tone):
    told = replace(WHOLE.contenders[0].explanation, randomisation=Estimate(0.3, 0.2, high))
    section = explanation.explanation(context(with_first(explanation=told)))
    assert next(block.tone for block in section.blocks if isinstance(block, Prose)) == tone


def test_energy_is_in_thousandths_and_the_machine_has_its_figures_in_their_places():
    cost = Cost(2.0, 50.0, energy_wh=0.0123, latency_ms=1.5, latency_ms_95=2.5, flops_per_row=12_345.0)
    section = making.cost(context(with_first(cost=cost)))
    (table,) = tables(section)
    row = dict(zip([column.heading for column in table.columns], table.rows[0].cells, strict=True))
    assert row["energy (estimate), mWh"] == "12.30"
    assert (row["one row, ms"], row["95 % of rows within, ms"]) == ("1.50", "2.50")
    assert row["FLOPs a row"] == "12.3 k"
    facts = dict(section.blocks[1].pairs)
    assert facts["Memory"] == "16.00 GB, 12.50 GB/s measured"
    assert facts["Product of matrices"] == "100.0 GFLOP/s measured, float32"


def test_what_is_automated_stands_under_its_headings():
    section = oversight.automation(context())
    table = tables(section)[0]
    headings = [column.heading for column in table.columns if column.kind != "plot"]
    assert headings == ["contender", "automated", "wrong of these", "sent of 1000", "caught", "left of 1000"]
    assert cells(table)[0] == [
        "mlp",
        "0.400 0.200 to 0.400",
        "0.030 0.010 to 0.080",
        "600.0 500.0 to 700.0",
        "0.900 0.800 to 0.950",
        "12.00 5.000 to 20.00",
    ]
    whom = next(table for table in tables(section) if table.caption.startswith("Whom mlp sends"))
    assert cells(whom) == [["sex: F", "40", "0.600 0.500 to 0.700", "0.950 0.900 to 0.990"]]


def test_what_privacy_costs_has_the_attack_that_tells_most():
    *others, private = WHOLE.contenders
    attacked = {"auc": Estimate(0.5, 0.4, 0.6), "lira_auc": Estimate(0.7, 0.6, 0.8)}
    report = replace(WHOLE, contenders=(*others, replace(private, membership=attacked)))
    table = next(each for each in tables(privacy.privacy(context(report))) if each.caption.startswith("What privacy"))
    assert cells(table) == [
        ["mlp, epsilon 3", "0.810 0.780 to 0.840", "-0.020 -0.040 to +0.000", "0.040", "0.700 0.600 to 0.800"]
    ]


def test_shadow_models_have_columns_of_their_own():
    attacked = {"auc": Estimate(0.5, 0.4, 0.6), "lira_auc": Estimate(0.7, 0.6, 0.8)}
    table = tables(privacy.privacy(context(with_first(membership=attacked))))[0]
    assert [column.heading for column in table.columns if column.kind == "number"] == [
        "AUC of the attack",
        "AUC of LiRA",
    ]
    assert cells(table)[0] == ["mlp", "0.500 0.400 to 0.600", "0.700 0.600 to 0.800"]
    assert cells(table)[1][-1] == "not known"


def test_observed_minus_predicted_has_its_sign():
    (table,) = tables(probabilities.calibration(context()))
    row = dict(zip([each.heading for each in table.columns if each.kind != "plot"], cells(table)[0], strict=True))
    assert row["observed minus predicted"] == "+0.000 -0.010 to +0.010"
    assert row["calibration error"] == "0.020 0.010 to 0.030"


def test_gaps_of_two_attributes_stand_apart_the_surest_first_and_are_not_counted_as_one_of_two_groups():
    crossed = [
        Gap("sex x age", metric, 0.4, NAN, low, 0.9, ("M, <25", "F, <25"), (12, 13), p, True)
        for metric, low, p in (("equal_opportunity", 0.0, 0.6), ("demographic_parity", 0.1, 0.001))
    ]
    single = WHOLE.contenders[0].gaps[:2]
    section = groups.groups(context(with_first(gaps=(*single, *crossed))))
    assert "1 gap between two groups is more than chance" in section.lead
    table = next(each for each in tables(section) if each.caption == "Gaps of two attributes together")
    assert [row.cells[0] for row in table.rows] == ["sex x age: demographic parity", "sex x age: equal opportunity"]
