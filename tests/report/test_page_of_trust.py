"""What the page says of people in the loop, of reasons, of privacy and of cost."""

import re
from dataclasses import replace

from pipelines.report.document import Estimate

from .page_reports import NAN, explanation, oversight, whole_report
from .test_page import page


def test_people_reasons_privacy_and_the_machine_are_told():
    read = page()[1].text
    for said in (
        "What may be automated with at most 5 % wrong",
        "mlp automates +0.400 of the decisions more than scorecard (+0.200 to +0.600).",
        "Whom mlp sends to a person at 5 %",
        "sex: F more often than M, by 0.100 (0.050 to 0.150)",
        "AUROC lost without a part, on 200 tested rows",
        "What pushes mlp's answers (the class bad, log-odds; integrated gradients, mean of 200 rows)",
        "Parts add up to each answer within 1 %.",
        "With weights drawn anew the order of parts is another one (rank correlation 0.10 (-0.20 to 0.30)).",
        "What privacy costs",
        "A processor, 2 cores",
        "100.0 GFLOP/s measured, float32",
    ):
        assert said in read.replace("\u00a0", " "), said


def test_a_network_that_may_decide_nothing_says_so_aloud():
    whole = whole_report()
    unsure = replace(whole.contenders[0], oversight=oversight(0.0))
    read = page(replace(whole, contenders=(unsure, *whole.contenders[1:])))[1].text.replace("\u00a0", " ")
    assert "nothing may be automated by mlp at 5 %" in read


def test_parts_that_tell_nothing_of_what_was_learned_are_a_warning():
    whole = whole_report()
    blind = replace(explanation(), randomisation=Estimate(0.8, 0.7, 0.9))
    card = replace(whole.contenders[0], explanation=blind)
    markup = page(replace(whole, contenders=(card, *whole.contenders[1:])))[0]
    assert "these parts may tell what rows look like" in markup
    portfolio = replace(blind, importances=(), attributions=(), why_not="days follow each other")
    without = replace(whole, contenders=tuple(replace(each, explanation=portfolio) for each in whole.contenders))
    read = page(without)[1]
    assert "explanation" not in [each["id"] for each in read.all("section")]
    assert "days follow each other" in read.text  # among what was not measured


def test_where_few_parts_decide_nothing_it_is_not_said_that_their_order_is_the_same():
    whole = whole_report()
    for test, said, mark in (
        (Estimate(0.12, -0.33, 0.58), "the order of parts may be much the same (rank correlation 0.12", True),
        (Estimate(NAN, -1.0, 1.0), "Parts add up to each answer within 1 %.", False),
    ):
        card = replace(whole.contenders[0], explanation=replace(explanation(), randomisation=test))
        markup, read = page(replace(whole, contenders=(card, *whole.contenders[1:])))
        assert said in read.text.replace("\u00a0", " ")
        tones = re.findall(r'prose (\w+)"><p><bdi>Parts add up', markup)  # of the other network a note
        assert ("warning" in tones) == mark
