"""The report document: one shape that survives JSON, and a schema that holds others to it."""

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from pipelines.report import document
from pipelines.report.document import (
    Change,
    Check,
    Comparison,
    Cost,
    DataCard,
    Estimate,
    Gap,
    GroupRow,
    LimitResult,
    Mitigation,
    NetBenefit,
    Report,
    Scorecard,
    Verdict,
)
from pipelines.report.explanation import explanation as of_json
from pipelines.report.lending import (
    Direction,
    PointsRow,
    Referral,
    ReferralGap,
    ReferredGroup,
    as_csv,
)
from pipelines.report.operating import OperatingPoint
from pipelines.report.oversight import Automated, DecidedClass, Oversight, OversightLead, Risk

from .page_reports import explanation

NAN = math.nan


@pytest.fixture
def report():
    card = Scorecard(
        name="mlp",
        kind="network",
        scores={"auroc": Estimate(0.81, 0.77, 0.85), "f1": Estimate(NAN)},
        cost=Cost(1.5, parameters=12),
        threshold=NAN,
        bias=(
            GroupRow("sex", "F", 40, 12, {"tpr": Estimate(0.5, 0.2, 0.8), "auroc": Estimate(NAN)}),
            GroupRow("sex x age", "F, <25", 3, 0, {"tpr": Estimate(NAN)}, ("tpr",), True),
        ),
        gaps=(
            Gap("sex", "tpr", 0.1, NAN, -0.2, 0.4, ("M", "F")),
            Gap("sex x age", "tpr", 0.1, NAN, -0.2, 0.4, ("M, <25", "F, <25"), (12, 3), 0.04, True),
        ),
        mlflow_run_id="b" * 32,
        settings={"plan": "resident"},
        calibration={"slope": Estimate(0.9, 0.8, NAN), "p_value": Estimate(0.2)},
        uncalibrated={"slope": Estimate(0.7, 0.6, 0.8)},
        points=(PointsRow("Debt", "missing", 3.0, NAN, 0.0, 41.5),),
        directions=(Direction("Debt", 1, 200, Estimate(0.1, 0.05, NAN), NAN),),
        referral=Referral(
            "right:0.9", 0.2, 0.7, Estimate(0.4, 0.3, 0.5), {"right": Estimate(NAN)},
            (ReferredGroup("sex", "F", 40, Estimate(0.5, 0.4, 0.6), Estimate(NAN)),),
            (ReferralGap("sex", 0.1, 0.0, NAN, ("M", "F"), NAN),),
        ),
        oversight=Oversight(
            0.05, 40, Estimate(0.2, 0.1, 0.3),
            (Automated(0.05, Estimate(0.4, 0.3, 0.5), Estimate(NAN), Estimate(600, 500, 700), *[Estimate(0.9)] * 2),),
            (DecidedClass("good", 30, Estimate(0.5), Estimate(0.02, 0.0, NAN), Estimate(0.1)),),
            (ReferredGroup("sex", "F", 40, Estimate(0.5, 0.4, 0.6), Estimate(NAN)),),
            (ReferralGap("sex", 0.1, 0.0, NAN, ("M", "F"), NAN),),
            (0.4, 0.0), (Risk(0.05, Estimate(NAN)),), {"aurc": Estimate(0.1, 0.0, 0.2)},
        ),
        operating=(
            OperatingPoint("sensitivity:0.9", (NAN,), 4, "too few", on_curve=Estimate(0.8, 0.7, NAN)),
            OperatingPoint(
                "specificity:0.9", (0.4, 0.6), 40, "", *[Estimate(0.9, 0.8, NAN)] * 4, 0.05, True, (30.5, 70.0), 90
            ),
        ),
    )  # fmt: skip
    return Report(
        task="finance/credit-default",
        seed=3,
        seconds=12.5,
        data=DataCard(
            "sample", False, 100, "0f" * 32, {"train": 60, "valid": 20, "test": 20}, (Check("rows", True, "100 rows"),),
            "holdout", "status", {"age": "number"}, ("2 rows skipped",),
        ),
        contenders=(card, replace(card, name="prior", kind="classical", threshold=0.25)),
        comparisons=(Comparison("mlp", "prior", "auroc", 0.3, 0.2, NAN, NAN, "DeLong"),),
        verdict=Verdict("mlp", "yes", (LimitResult("gap", NAN, 0.1, False),), False, "mlp", "prior", "it is better"),
        primary="auroc",
        mlflow_run_id="a" * 32,
        versions={"python": "3.11"},
        points="20:600:50",
        command="tapeline run finance/credit-default",
        obeying=(Comparison("boosting-monotone", "boosting", "auroc", 0.01, NAN, 0.02, NAN, "t"),),
        oversight=OversightLead("mlp", "prior", 0.05, Estimate(0.1, -0.2, NAN)),
        operating=(Comparison("mlp", "prior", "sensitivity_at_90_percent_specificity", 0.1, NAN, 0.2, NAN, "t"),),
        net_benefit=NetBenefit("mlp", "prior", 0.2, *[Estimate(0.1, 0.0, NAN)] * 4),
        mitigations=(
            Mitigation(
                "mlp+penalty", "mlp", "penalty", "sex",
                (Change("equalized_odds", Estimate(0.2, 0.1, 0.3), Estimate(0.1), Estimate(-0.1, -0.2, NAN)),),
                (Change("auroc", Estimate(0.8), Estimate(0.79), Estimate(NAN)),),
            ),
        ),
    )  # fmt: skip


@pytest.fixture(scope="module")
def schema():
    path = Path(document.__file__).with_name("schema.json")
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_report_is_the_same_after_json(report):
    again = Report.from_dict(json.loads(report.to_json()))
    assert repr(again) == repr(report)  # repr, because NaN is not equal to itself


def test_a_report_from_before_calibration_was_measured_still_loads(report):
    old = json.loads(report.to_json())
    del old["net_benefit"], old["points"], old["obeying"], old["oversight"], old["command"], old["operating"]
    for card in old["contenders"]:
        del card["calibration"], card["uncalibrated"], card["points"], card["directions"], card["referral"]
        del card["oversight"], card["operating"]
    again = Report.from_dict(old)
    assert again.net_benefit is None
    assert (again.points, again.obeying, again.command) == ("", (), "")
    assert (again.contenders[0].points, again.contenders[0].directions) == ((), ())
    assert again.contenders[0].referral is None
    assert again.oversight is again.contenders[0].oversight is None
    assert again.operating == again.contenders[0].operating == ()
    assert again.contenders[0].calibration == again.contenders[0].uncalibrated == {}


def test_undefined_numbers_are_null_in_json_and_nan_again_after(report):
    text = report.to_json()
    assert "NaN" not in text
    assert "Infinity" not in text
    card = json.loads(text)["contenders"][0]
    assert card["scores"]["f1"] == {"value": None, "low": None, "high": None}
    assert card["threshold"] is None
    again = Report.from_dict(json.loads(text))
    assert math.isnan(again.contenders[0].threshold)
    assert math.isnan(again.contenders[0].bias[1].metrics["tpr"].value)
    assert math.isnan(again.comparisons[0].p_value)
    assert math.isnan(again.verdict.limits[0].value)


def test_numbers_of_numpy_become_plain_json(report):
    card = replace(report.contenders[0], scores={"auroc": Estimate(np.float32(0.5), np.float64("nan"), np.int64(1))})
    found = json.loads(replace(report, contenders=(card,)).to_json())["contenders"][0]["scores"]["auroc"]
    assert found == {"value": 0.5, "low": None, "high": 1}


def test_a_group_row_shows_its_metrics_beside_its_counts(report):
    row = report.to_dict()["contenders"][0]["bias"][0]
    assert row == {
        "attribute": "sex", "group": "F", "n": 40, "n_positive": 12, "small": [], "intersection": False,
        "tpr": {"value": 0.5, "low": 0.2, "high": 0.8}, "auroc": {"value": None, "low": None, "high": None},
    }  # fmt: skip


def test_the_document_has_the_agreed_keys_and_follows_its_schema(report, schema):
    found = json.loads(report.to_json())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(found, schema)
    assert {
        "schema",
        "task",
        "seed",
        "seconds",
        "mlflow_run_id",
        "data",
        "contenders",
        "comparisons",
        "verdict",
    } <= set(found)
    assert found["schema"] == document.SCHEMA


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ((), {"sede": 1}),
        ((), {"task": "no slash"}),
        (("data",), {"sha256": "short"}),
        (("data", "splits"), {"trian": 3}),
        (("contenders", 0), {"kind": "magic"}),
        (("contenders", 0, "scores"), {"auroc": 0.8}),
        (("contenders", 0, "cost"), {"dollars": 3}),
        (("contenders", 0, "bias", 0), {"tpr": 0.5}),
        (("contenders", 0, "bias", 0), {"small": "tpr"}),
        (("contenders", 0, "gaps", 0), {"p_value": 1.5}),
        (("contenders", 0, "gaps", 0), {"n": [3]}),
        (("comparisons", 0), {"p_value": 1.5}),
        (("mitigations", 0), {"method": "wishing"}),
        (("mitigations", 0, "gaps", 0), {"change": 0.1}),
        (("verdict",), {"network_beats_best_baseline": "maybe"}),
        (("verdict", "limits", 0), {"limit": None}),
    ],
)
def test_the_schema_refuses_what_was_not_agreed(report, schema, place, change):
    found = json.loads(report.to_json())
    part = found
    for key in place:
        part = part[key]
    part.update(change)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(found, schema)


@pytest.mark.parametrize("key", ["task", "data", "contenders", "comparisons", "verdict", "mlflow_run_id", "seconds"])
def test_the_schema_misses_a_key_that_is_gone(report, schema, key):
    found = json.loads(report.to_json())
    del found[key]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(found, schema)


def test_another_schema_number_is_refused(report):
    with pytest.raises(ValueError, match="schema 2; this version reads schema 1"):
        Report.from_dict({**report.to_dict(), "schema": 2})


def test_a_report_from_before_there_were_intersections_is_read(report):
    old = report.to_dict()
    for card in old["contenders"]:
        for row in card["bias"]:
            del row["small"], row["intersection"]
        for gap in card["gaps"]:
            del gap["n"], gap["p_value"], gap["intersection"]
    card = Report.from_dict(old).contenders[0]
    assert card.bias[1].small == ()
    assert not card.bias[1].intersection
    assert card.gaps[1].n == (0, 0)
    assert math.isnan(card.gaps[1].p_value)


def test_an_explanation_in_the_words_of_before_is_left_out():
    told = asdict(explanation())
    assert of_json(told) == explanation()
    told["hinges"] = told.pop("importances")
    assert of_json(told) is None


def test_an_estimate_reads_as_a_sentence():
    assert str(Estimate(0.81234, 0.7, 0.9)) == "0.812 (0.700 to 0.900)"
    assert str(Estimate(NAN)) == "undefined"


def test_a_scorecard_as_csv_leaves_what_is_unknown_empty(report):
    told = as_csv(report.contenders[0].points).splitlines()
    assert told == ["column,bin,n,risk,woe,points", "Debt,missing,3.0,,0.0,41.5"]
