"""The tables of a report: nothing cut, nothing wider than the terminal, undefined said as undefined."""

import math
from dataclasses import replace

import pytest
from rich.console import Console

from pipelines.cli import layout, show, show_bias
from pipelines.evaluation.calibration import sentence
from pipelines.report.document import Estimate, Gap, GroupRow, Report
from pipelines.report.lending import ReferralGap


@pytest.fixture
def report(recorded):
    return Report.from_dict(recorded.document)


def shown(report, width):
    console = Console(width=width, record=True, force_terminal=False, quiet=False)
    with console.capture() as captured:
        show.report(console, report)
    return captured.get()


@pytest.mark.parametrize("width", [80, 100, 160])
def test_a_report_fits_the_terminal_and_cuts_nothing(report, width):
    text = shown(report, width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert "…" not in text
    for card in report.contenders:
        row = next(line for line in text.splitlines() if line.startswith(f"{card.name} "))
        best = card.scores["auroc"]
        assert f"{best.value:.3f}  {best.low:.3f} to {best.high:.3f}" in row
    assert " ".join(report.verdict.sentence.split()) in " ".join(text.split())


def test_decisions_are_shown_where_a_way_to_decide_was_asked_for(report):
    assert "decisions by" not in shown(report, 80)
    costly = tuple(
        replace(card, decisions={**card.decisions, "cost_per_1000": Estimate(451.2, 430.0, 1470.4)})
        for card in report.contenders
    )
    text = shown(replace(report, decided_by="cost:1:5", contenders=costly), 80)
    assert "decisions by cost:1:5" in text
    assert "…" not in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80
    assert "430.0 to 1,470" in text
    assert "of 1000 decisions" in text
    assert "net benefit of acting from" in text


def test_calibration_of_contenders_with_long_names_is_never_cut(report):
    long = tuple(replace(card, name=f"{card.name}-and-reweighing") for card in report.contenders)
    verdict = replace(report.verdict, network=f"{report.verdict.network}-and-reweighing")
    text = shown(replace(report, contenders=long, verdict=verdict), 80)
    table = text[text.index("do probabilities come true?") : text.index("calibration error: mean distance")]
    assert "…" not in table
    assert all(card.name in table for card in long if not card.name.startswith("prior"))
    assert "reliability (less is better)" not in text


@pytest.mark.parametrize("width", [80, 140])
def test_calibration_is_shown_of_all_but_the_prior_with_a_sentence_on_the_network(report, width):
    text = shown(report, width)
    table = text[text.index("do probabilities come true?") :]
    table = table[: table.index("calibration error: mean distance")]
    for card in report.contenders:
        slope = card.calibration["slope"]
        assert (card.name in table) == (card.name != "prior")
        if card.name != "prior":
            assert f"{slope.value:.3f}" in table
            assert f"{slope.low:.3f} to {slope.high:.3f}" in table
    network = report.scorecard(report.verdict.network)
    assert " ".join(sentence(network.name, network.calibration).split()) in " ".join(text.split())
    assert "before calibration" not in text
    cards = tuple(replace(card, uncalibrated=card.calibration) for card in report.contenders)
    assert "before calibration: " in shown(replace(report, contenders=cards), width)


def test_contenders_that_only_rank_are_not_in_the_table_of_probabilities(report):
    network = report.verdict.network
    cards = tuple(replace(card, calibration={}) if card.name == network else card for card in report.contenders)
    text = shown(replace(report, contenders=cards), 120)
    table = text[text.index("do probabilities come true?") :]
    assert f"not here: {network}; their answers rank rows" in table
    assert f"{network}'s probabilities" not in text
    nobody = tuple(replace(card, calibration={}) if card.name != "prior" else card for card in report.contenders)
    assert "come true?" not in shown(replace(report, contenders=nobody), 120)


def test_parts_of_the_brier_score_are_never_shown_as_less_than_nothing(report):
    parts = {"reliability": Estimate(-0.02), "resolution": Estimate(-0.249), "brier": Estimate(0.2, -0.0001, 0.3)}
    cards = tuple(replace(card, calibration={**card.calibration, **parts}) for card in report.contenders)
    text = shown(replace(report, contenders=cards), 160)
    row = next(line for line in text[text.index("come true?") :].splitlines() if line.startswith("linear"))
    assert row.split()[-2:] == ["0.000", "0.000"]
    assert "0.200 (0.000 to 0.300)" in row


def test_the_comparison_says_what_would_decide_and_where_its_spread_comes_from(report):
    verdict = report.verdict
    each = next(each for each in report.comparisons if each.baseline == verdict.best_baseline)
    others = tuple(one for one in report.comparisons if one is not each)
    undecided = replace(each, p_value=0.3, rows_to_decide=2400.0, effect_size=0.081, margin=0.01, p_non_inferior=0.0213,
                        training_sd=0.0123, test_sd=0.0345)  # fmt: skip
    for width in (80, 120):
        text = shown(replace(report, comparisons=(undecided, *others)), width)
        assert max(len(line.rstrip()) for line in text.splitlines()) <= width
        row = next(line for line in text.splitlines() if line.startswith(f"{each.baseline} ") and "2,400" in line)
        assert row.split()[-6:] == ["0.300", "+0.08", "2,400", "0.021", "not", "clear"]
        said = " ".join(text.split())
        assert f"{each.contender} over {each.baseline} 0.0123 0.0345" in said
        assert "more rows: how many would decide" in said
    assert "of the trainings that were made" not in said
    several = tuple(replace(card, training_sd=0.01, test_sd=0.02) for card in report.contenders)
    assert "of the trainings that were made" in shown(replace(report, contenders=several), 120)
    among = replace(undecided, p_value=0.031, rows_to_decide=420.0)
    text = shown(replace(report, comparisons=(among, *(replace(one, contender="second") for one in others))), 120)
    assert next(line for line in text.splitlines() if " 420 " in line).split()[-2:] == ["not", "clear"]
    assert "whether p is below 0.025, for the best of 2 is asked about" in " ".join(text.split())
    hopeless = replace(undecided, rows_to_decide=math.inf)
    assert "no use" in shown(replace(report, comparisons=(hopeless,)), 120)


def test_a_column_of_intervals_has_one_form():
    column = [Estimate(0.5, 0.2, 0.9), Estimate(0.1, -0.1, 0.3)]
    assert show_bias.with_interval(column[0], True) == "0.50 (0.20-0.90)"
    assert show_bias.with_interval(column[0], True, column=column) == "0.50 (0.20 to 0.90)"
    assert show_bias.with_interval(Estimate(170.0, 5.8, 341.4), True) == "170.0 (5.80 to 341.4)"


def test_so_few_folds_are_said_to_decide_nothing(report):
    def having(folds):
        cards = tuple(replace(card, by_fold=(0.5,) * folds) for card in report.contenders)
        return shown(replace(report, contenders=cards), 120)

    assert "3 folds decide next to nothing" in having(3)
    assert "next to nothing" not in having(4)
    assert "next to nothing" not in having(0)


def test_only_scores_that_are_shown_are_explained(report):
    names = ("sharpe", "annual_return", "volatility", "max_drawdown", "turnover", "tail_loss")
    cards = tuple(replace(card, scores=dict.fromkeys(names, Estimate(0.1, 0.0, 0.2))) for card in report.contenders)
    for width, all_of_them in ((110, False), (160, True)):
        text = shown(replace(report, contenders=cards, primary="sharpe"), width)
        heading = next(line for line in text.splitlines() if line.startswith("contender"))
        assert "max drawdown: largest loss" in " ".join(text.split())
        assert ("tail loss" in heading) == ("tail loss: mean loss" in " ".join(text.split())) == all_of_them


@pytest.mark.parametrize(
    ("names", "words"),
    [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_names_are_put_together_as_people_do(names, words):
    assert layout.together(names) == words


@pytest.mark.parametrize("width", [80, 110])
def test_a_table_of_referrals_takes_two_lines_a_heading_and_names_nobody_where_all_are_alike(report, width):
    network = report.verdict.network
    card = report.scorecard(network)
    nobody = ReferralGap("sex", 0.0, 0.0, 0.005, ("f", "m"), 1.0)
    costly = {**card.referral.scores, "cost_per_1000": Estimate(170.0, 5.8, 341.4),
              "cost_change_per_1000": Estimate(-40.0, -80.0, 2.0)}  # fmt: skip
    referral = replace(card.referral, gaps=(nobody,), scores=costly)
    cards = tuple(replace(one, referral=referral if one.name == network else None) for one in report.contenders)
    text = shown(replace(report, contenders=cards), width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert "sex: no group is referred more often than another" in text
    table = text[text.index("cases for a person") :].splitlines()
    assert next(place for place, line in enumerate(table) if line.startswith(network)) <= 3
    assert "of those" not in "".join(table[:4])


def test_an_undefined_number_is_said_to_be_undefined(report):
    unknown = Estimate(math.nan)
    row = GroupRow("sex", "x", 1, 0, dict.fromkeys(report.contenders[0].bias[0].metrics, unknown))
    cards = tuple(replace(card, bias=(row,), gaps=(), referral=None, oversight=None) for card in report.contenders)
    lines = shown(replace(report, contenders=cards), 120).splitlines()
    assert next(line for line in lines if line.startswith("sex")).split() == ["sex", "x", "1", "0", *["undefined"] * 4]


def test_of_very_many_groups_the_largest_are_shown_and_the_others_counted(report):
    metrics = report.contenders[0].bias[0].metrics
    rows = tuple(GroupRow("zip", f"Z{n:03}", n, 1, metrics) for n in range(1, 41))
    text = shown(replace(report, contenders=tuple(replace(c, bias=rows, gaps=()) for c in report.contenders)), 120)
    assert "Z040" in text
    assert "Z029" in text
    assert "Z028" not in text
    assert "28 smaller groups" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12345, "0.123"), (12.345, "12.35"), (123.45, "123.5"), (1234567.8, "1,234,568"),
     (math.nan, "undefined"), (-0.0001, "0.000"), (-0.0, "0.000")],
)  # fmt: skip
def test_numbers_are_as_long_as_a_reader_needs(value, text):
    assert layout.number(value) == text


def test_disparate_impact_is_shown_as_the_ratio_that_people_quote(report):
    gap = next(gap for gap in report.scorecard(report.verdict.network).gaps if gap.metric == "disparate_impact")
    line = next(line for line in shown(report, 120).splitlines() if "disparate impact ratio" in line)
    assert f"{gap.ratio:.3f}" in line


def test_what_rests_on_few_rows_is_marked(report):
    first = report.contenders[0].bias[0]
    rows = (replace(first, group="few", small=("tpr",)), replace(first, group="many"))
    cards = tuple(replace(card, bias=rows, gaps=()) for card in report.contenders)
    text = shown(replace(report, contenders=cards), 160)
    few, many = (next(line for line in text.splitlines() if f" {name} " in line) for name in ("few", "many"))
    assert few.count("*") == 1
    assert f"{first.metrics['tpr'].value:.2f}* (" in few
    assert "*" not in many
    assert "* rests on fewer than 10 rows" in text


def test_of_two_attributes_the_gaps_least_likely_to_be_chance_are_shown_and_the_others_counted(report):
    first = report.contenders[0].bias[0]
    gaps = [
        Gap("sex x age", f"metric_{place}", 0.1, 0.9, 0.0, 0.2, ("F, <25", "M, <25"), (31, 47), place / 10, True)
        for place in range(5)
    ]
    single = Gap("sex", "equal_opportunity", 0.1, 0.9, 0.0, 0.2, ("F", "M"), (1234, 56), 0.2)
    crossed = replace(first, attribute="sex x age", group="F, <25", intersection=True)
    cards = tuple(replace(card, bias=(first, crossed), gaps=(*reversed(gaps), single)) for card in report.contenders)
    for width in (80, 160):
        text = shown(replace(report, contenders=cards), width)
        assert [f"metric {place}" in text for place in range(5)] == [True, True, True, False, False]
        assert "2 more, and the groups, are in the report" in text
        line = next(line for line in text.splitlines() if "metric 0" in line)
        assert " yes " in line
        assert " not clear " in next(line for line in text.splitlines() if "metric 1" in line)
        assert "F (1,234) and M (56)" in " ".join(text.split())
        assert not any(line.startswith(("F, <25", "sex x age  F, <25 ")) for line in text.splitlines())


def test_gaps_of_a_report_without_p_values_are_judged_by_their_intervals(report):
    gaps = tuple(
        Gap("sex", name, 0.1, 0.9, low, 0.2, ("F", "M")) for name, low in (("certain", 0.05), ("doubtful", 0.0))
    )
    text = shown(replace(report, contenders=tuple(replace(card, gaps=gaps) for card in report.contenders)), 160)
    assert " yes " in next(line for line in text.splitlines() if " certain " in line)
    assert " not clear " in next(line for line in text.splitlines() if " doubtful " in line)
    assert "corrected for all pairs" not in text
