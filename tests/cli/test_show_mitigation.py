"""The table of mitigation: it fits 80 columns without cutting a number, and says what thresholds of groups do."""

import io

import pytest
from rich.console import Console

from pipelines.cli.show_mitigation import mitigations
from pipelines.report.document import Change, Cost, DataCard, Estimate, Mitigation, Report, Scorecard, Verdict

SAME = Estimate(0.0, 0.0, 0.0)


def made(base, method, auroc):
    gaps = (Change("equalized_odds", Estimate(0.256, 0.145, 0.359), Estimate(0.151, 0.069, 0.257),
                   Estimate(-0.105, -0.164, -0.031)),)  # fmt: skip
    scores = (
        Change("auroc", Estimate(0.792, 0.737, 0.848), Estimate(0.77, 0.752, 0.789), auroc),
        Change("balanced_accuracy", Estimate(0.716, 0.65, 0.781), Estimate(0.66), Estimate(-0.056, -0.096, -0.016)),
    )
    return Mitigation(f"{base}+{method}", base, method, "race", gaps, scores)


def report(*told):
    cards = tuple(
        Scorecard(each.contender, "mitigated", {}, Cost(1.0), settings={"mitigation": "as it was chosen"})
        for each in told
    )
    data = DataCard("sample", False, 10, "0" * 64, {}, protocol="5-fold cross-validation, rows held out")
    return Report("a/b", 0, 1.0, data, cards, (), Verdict("mlp", "yes"), "auroc", mitigations=told)


def shown(document, width):
    out = io.StringIO()
    mitigations(Console(file=out, width=width), document)
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 200])
def test_every_number_can_be_read(width):
    text = shown(
        report(made("mlp", "penalty", Estimate(-0.022, -0.066, 0.021)), made("boosting", "thresholds", SAME)), width
    )
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    words = " ".join(text.split())
    for said in ("0.256", "0.151", "-0.164 to -0.031", "-0.066 to +0.021", "-0.096 to -0.016", "the same", "boosting"):
        assert said in words
    assert ("0.069 to 0.257" in words) == (width == 200)
    assert "in the first fold: as it was chosen" in words
    assert "decide by race itself, which the law forbids in places" in words


def test_only_thresholds_decide_by_the_attribute():
    assert "the law" not in shown(report(made("mlp", "penalty", SAME)), 80)
    assert shown(report(), 80) == ""
