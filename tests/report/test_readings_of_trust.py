"""What is said of people in the loop, of reasons and of the machine, in the words of the terminal and the page."""

from dataclasses import replace

import pytest

from pipelines.report.document import Cost, Estimate
from pipelines.report.explanation import Explanation, Importance, most_important
from pipelines.report.oversight import Risk
from pipelines.report.readings_of_trust import few_validated, nothing_automated, percent, randomised, used

from .page_reports import explanation, oversight, whole_report


def at(error, rows, *curve):
    risks = tuple(Risk(coverage, Estimate(wrong, wrong / 2, 2 * wrong)) for coverage, wrong in curve)
    return replace(oversight(0.0), at=error, rows=rows, curve=risks)


def test_of_the_surest_tenth_it_is_said_how_many_are_wrong():
    curve = ((0.05, 0.9), (0.1, 0.12), (0.2, 0.3))
    said = nothing_automated("mlp", at(0.05, 300, *curve))
    assert said == (
        "nothing may be automated by mlp at 5 %: of the surest 10 % of its tested decisions 12.0 % are wrong "
        "(6.0 to 24.0)"
    )
    assert nothing_automated("mlp", at(0.05, 58, *curve)) == (
        f"{said}; validation rows worth 58 cannot promise 5 %, which takes 59 without an error"
    )
    assert nothing_automated("mlp", at(0.05, 59, *curve)) == said


def test_where_validation_rows_promise_less_than_there_is_the_largest_share_is_told():
    found = at(0.05, 300, (0.1, 0.01), (0.2, 0.06), (0.3, 0.05), (0.4, 0.2))
    assert nothing_automated("mlp", found).endswith(few_validated(found))
    assert "for of the surest 30 % of the tested decisions no more than 5 % are wrong" in few_validated(found)
    assert "worth 300" in few_validated(found)


def test_stated_errors_are_written_as_people_say_them():
    assert [percent(each) for each in (0.05, 0.01, 0.025, 0.1)] == ["5 %", "1 %", "2.5 %", "10 %"]


@pytest.mark.parametrize(("ends", "sane"), [((-0.2, 0.49), True), ((-0.2, 0.5), False), ((0.6, 0.9), False)])
def test_parts_are_trusted_where_the_whole_interval_is_below_a_half(ends, sane):
    found = replace(explanation(), randomisation=Estimate(0.3, *ends))
    assert found.sane is sane
    assert ("another one" in randomised(found)) is sane
    assert f"0.30 ({ends[0]:.2f} to {ends[1]:.2f})" in randomised(found)


def test_the_use_of_the_machine_is_of_networks_whose_operations_are_known():
    whole = whole_report()
    spent = Cost(2.0, train_flops=6e9)
    cards = [replace(card, cost=spent if card.name in ("mlp", "scorecard") else Cost(1.0)) for card in whole.contenders]
    (said,) = used(replace(whole, contenders=tuple(cards)), whole.machine)
    assert said.startswith("mlp trained at 3 GFLOP/s, 3.000 % of the product of matrices")


def test_parts_of_the_first_contender_come_before_all_others():
    def of(**lost):
        return Explanation(9, "auroc", tuple(Importance(part, Estimate(loss), 0.01, 9) for part, loss in lost.items()))

    asked = [("other", of(a=0.9, b=0.5, d=0.6)), ("mlp", of(c=0.01, b=0.2))]
    assert most_important(asked, "mlp", 9) == ["b", "c", "a", "d"]
    assert most_important(asked, "mlp", 3) == ["b", "c", "a"]
    assert most_important([], "mlp", 3) == []
