"""A report that has every part, built by hand, and one whose names and numbers are as bad as they can be."""

import io
import math
from dataclasses import replace

from pipelines.card import Card
from pipelines.report.alerts import AlertReport, AtBudget
from pipelines.report.card import model_card
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
from pipelines.report.drawing import as_svg
from pipelines.report.explanation import Attribution, Explanation, Importance
from pipelines.report.figures import Curve, roc
from pipelines.report.lending import Direction, PointsRow, Referral, ReferralGap, ReferredGroup
from pipelines.report.machine import Machine
from pipelines.report.oversight import Automated, DecidedClass, Oversight, OversightLead, Risk
from pipelines.report.privacy import GapChange, PrivacyPrice
from pipelines.report.tuning import Search, Tried, Tuning

NAN = math.nan
HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(2)>",
    "עברית \u202eهجوم\u202c",
    "w" * 180,
    "a\x00b\x1b[31m",
    "{{ 7 * 7 }}{% raw %}",
    "</style><style>*{display:none}",
    "&amp; & &#60;",
    "javascript:alert(3)",
)


def scorecard(name, kind, value=0.81, **parts):
    estimates = {
        "debiased_calibration_error": Estimate(0.02, 0.01, 0.03),
        "slope": Estimate(0.9, 0.8, 0.98),
        "observed_minus_predicted": Estimate(0.0, -0.01, 0.01),
        "brier": Estimate(0.14, 0.13, 0.15),
        "p_value": Estimate(0.01),
    }
    return Scorecard(
        name,
        kind,
        {"auroc": Estimate(value, value - 0.03, value + 0.03), "f1": Estimate(NAN)},
        Cost(1.5, 1000.0, parameters=12),
        0.4,
        calibration=estimates,
        decisions={"sensitivity": Estimate(0.7, 0.6, 0.8), "cost_per_1000": Estimate(400.0, 300.0, 500.0)},
        membership={"auc": Estimate(0.71, 0.66, 0.75), "tpr_at_1_percent_fpr": Estimate(0.03, 0.01, 0.05)},
        directions=(
            Direction("Debt", 1, 200, Estimate(0.1, 0.05, 0.2), 0.07),
            Direction("Age", -1, 200, Estimate(0.0), 0),
        ),
        **parts,
    )


def oversight(share=0.4):
    """What may be automated; of a share of 0 nothing."""
    some = (Estimate(share, share / 2, share), Estimate(0.03 if share else NAN, 0.01, 0.08))
    rest = (Estimate(600.0, 500.0, 700.0), Estimate(0.9, 0.8, 0.95), Estimate(12.0, 5.0, 20.0))
    levels = tuple(Automated(at, *some, *rest) for at in (0.05, 0.1))
    known = (DecidedClass("bad", 40, *some, Estimate(0.1, 0.05, 0.2)),) if share else ()
    groups = (ReferredGroup("sex", "F", 40, Estimate(0.6, 0.5, 0.7), Estimate(0.95, 0.9, 0.99)),) if share else ()
    gaps = (ReferralGap("sex", 0.1, 0.05, 0.15, ("M", "F"), 0.01),) if share else ()
    curve = (Risk(0.1, Estimate(0.02, 0.01, 0.05)), Risk(1.0, Estimate(0.2, 0.18, 0.23)))
    return Oversight(0.05, 300, Estimate(0.2, 0.18, 0.23), levels, known, groups, gaps, (share,), curve)


def explanation(network=True):
    """What answers hang on; of no network, no pushes."""
    importances = (
        Importance("Income", Estimate(0.05, 0.03, 0.07), 0.0004, 200),
        Importance("Debt", Estimate(0.01), NAN, 200),
    )
    if not network:
        return Explanation(200, "auroc", importances)
    pushes = (Attribution("Income", Estimate(0.5, 0.4, 0.6), -0.2, 200),)
    maps = {"integrated gradients": ((0.1, 0.2), (0.3, 0.4))}
    return Explanation(
        200, "auroc", importances, "", "the class bad", "log-odds", pushes, 200, 0.0099, Estimate(0.1, -0.2, 0.3), maps
    )


def whole_report():
    """Every part that a report can have."""
    group = [
        GroupRow("sex", name, n, n // 3, {"tpr": Estimate(0.5, 0.4, 0.6), "auroc": Estimate(NAN)}, small)
        for name, n, small in (("F", 40, ()), ("M", 60, ("tpr",)))
    ]
    crossed = GroupRow("sex x age", "F, <25", 3, 0, {"tpr": Estimate(NAN), "auroc": Estimate(NAN)}, ("tpr",), True)
    gaps = (
        Gap("sex", "equalized_odds", 0.2, NAN, 0.1, 0.3, ("M", "F"), (40, 60), 0.01),
        Gap("sex", "disparate_impact", 0.3, 0.7, 0.1, 0.5, ("M", "F"), (40, 60), 0.5),
        Gap("sex x age", "equal_opportunity", 0.4, NAN, 0.0, 0.9, ("M, <25", "F, <25"), (12, 13), 0.03, True),
    )
    referral = Referral(
        "right:0.9",
        0.2,
        0.7,
        Estimate(0.4, 0.3, 0.5),
        {"right": Estimate(0.9, 0.8, 0.95)},
        (ReferredGroup("sex", "F", 40, Estimate(0.5, 0.4, 0.6), Estimate(NAN)),),
        (ReferralGap("sex", 0.1, 0.0, NAN, ("M", "F"), NAN),),
    )
    settings = {
        "plan": "resident",
        "gradients": "dead units in dense_1",
        "privacy": "epsilon 6.5 at delta 1e-05",
        "privacy_does_not_cover": "validation rows",
    }
    mlp = scorecard(
        "mlp", "network", bias=(*group, crossed), gaps=gaps, referral=referral, settings=settings,
        oversight=oversight(), explanation=explanation(),
    )  # fmt: skip
    card = scorecard(
        "scorecard",
        "classical",
        0.8,
        points=(PointsRow("Debt", "missing", 3.0, NAN, 0.0, 41.5),),
        settings={"logisticregression__C": "0.5"},
        oversight=oversight(0.0),
        explanation=explanation(network=False),
    )
    change = Change("equalized_odds", Estimate(0.2, 0.1, 0.3), Estimate(0.1, 0.0, 0.2), Estimate(-0.1, -0.2, -0.01))
    paid = Change("auroc", Estimate(0.8, 0.7, 0.9), Estimate(0.79, 0.7, 0.9), Estimate(-0.01, -0.02, 0.01))
    measured = {name: Estimate(0.5, 0.4, 0.6) for name in ("saved_per_day", "recall", "precision")}
    both = {"mlp": measured, "scorecard": measured}
    tried = tuple(Tried(n, {"recipe__width": 64}, 0.8, 2.0) for n in (1, 2))
    return Report(
        "finance/credit-default",
        3,
        12.5,
        DataCard(
            "sample credit_data/1.0.0",
            True,
            1234,
            "0f" * 32,
            {"train": 800, "valid": 200, "test": 234},
            (Check("no duplicate rows", False, "2 rows repeat an earlier one"), Check("rows", True, "100 rows")),
            "5-fold cross-validation",
            "status",
            {"age": "number"},
            ("2 rows skipped",),
        ),
        (
            mlp,
            card,
            scorecard("prior", "classical", 0.5),
            replace(mlp, name="mlp+penalty", kind="mitigated", bias=()),
            replace(mlp, name="mlp-eps3", kind="private", bias=(), explanation=None),
        ),
        (
            Comparison("mlp", "prior", "auroc", 0.31, 0.2, 0.4, 0.0001, "t"),
            Comparison(
                "mlp", "scorecard", "auroc", 0.01, -0.02, 0.04, 0.4, "t", effect_size=0.05, rows_to_decide=4000.0
            ),
        ),
        Verdict(
            "mlp",
            "inconclusive",
            (LimitResult("primary_at_least", 0.81, 0.9, False),),
            False,
            "mlp",
            "scorecard",
            "Inconclusive: on 1234 tested rows mlp and scorecard cannot be told apart.",
        ),
        "auroc",
        "ab" * 16,
        versions={"keras": "3.15"},
        points="20:600:50",
        decided_by="cost:1:5",
        net_benefit=NetBenefit("mlp", "scorecard", 0.2, *[Estimate(0.1, 0.0, 0.2)] * 4),
        tuning=Tuning(2, NAN, (Search("mlp", 1, 2, tried),)),
        oversight=OversightLead("mlp", "scorecard", 0.05, Estimate(0.4, 0.2, 0.6)),
        privacy_price=(
            PrivacyPrice(
                "mlp-eps3",
                "mlp",
                3.0,
                Estimate(-0.02, -0.04, 0.0),
                0.04,
                "t",
                (GapChange("sex", "equalized_odds", *[Estimate(0.2, 0.1, 0.3)] * 3, (40, 60)),),
            ),
        ),
        machine=Machine("A processor", 2, 16.0, (), 100.0, 12.5, "2026-11-28"),
        energy_by="its thermal design power",
        mitigations=(
            Mitigation(
                "mlp+penalty",
                "mlp",
                "penalty",
                "sex",
                (change,),
                (
                    paid,
                    replace(paid, name="accuracy"),
                    replace(paid, name="balanced_accuracy"),
                    replace(paid, name="cost_per_1000"),
                ),
            ),
        ),
        alerts=AlertReport(0.01, 5.0, 20, 60, 9, both, "mlp", "scorecard", measured, (AtBudget(3, both),), 6000),
        blend=(Comparison("blend", "mlp", "auroc", 0.01, -0.02, 0.04, 0.4, "t"),),
        obeying=(Comparison("boosting-monotone", "boosting", "auroc", 0.01, NAN, 0.02, NAN, "t"),),
        command="tapeline run finance/credit-default --data sample --seed 3",
        left_out={"gru": "too few rows"},
    )


def hostile_report():
    """Names of a user's data that attack the page, 200 groups, 40 contenders, and no number that is known."""
    report, nothing = whole_report(), Estimate(NAN)
    names = [*HOSTILE, *(f"group {n}" for n in range(200 - len(HOSTILE)))]
    rows = tuple(GroupRow(HOSTILE[0], name, 3 + n, 0, {"tpr": nothing}) for n, name in enumerate(names))
    gaps = tuple(
        Gap(HOSTILE[1], "equalized_odds", 0.2, NAN, 0.1, 0.3, (name, names[3]), p_value=0.001) for name in HOSTILE
    )
    unknown = {"auroc": nothing, "f1": nothing}
    first = replace(
        report.contenders[0],
        scores=unknown,
        bias=rows,
        gaps=gaps,
        membership={},
        calibration={},
        referral=None,
        directions=(Direction(HOSTILE[4], 1, 9, nothing, NAN),),
        explanation=replace(
            explanation(),
            importances=tuple(Importance(name, nothing, NAN, 9) for name in HOSTILE),
            attributions=tuple(Attribution(name, nothing, NAN, 9) for name in HOSTILE),
            answer=HOSTILE[0],
        ),
        decisions={"sensitivity": nothing},
    )
    points = tuple(PointsRow(name, name, NAN, NAN, NAN, NAN) for name in HOSTILE)
    others = [
        replace(report.contenders[1], name=f"model-{n}", scores=unknown, points=points, directions=first.directions)
        for n in range(38)
    ]
    data = replace(
        report.data,
        source=f"/home/{HOSTILE[0]}",
        notes=HOSTILE,
        target=HOSTILE[2],
        simulated=False,
        checks=tuple(Check(name, False, name) for name in HOSTILE),
    )
    tests = tuple(Comparison("mlp", f"model-{n}", "auroc", NAN, NAN, NAN, NAN, "t") for n in range(38))
    return replace(
        report,
        data=data,
        contenders=(first, replace(others[0], name="scorecard"), *others),
        comparisons=tests,
        mitigations=(),
        alerts=None,
        privacy_price=(),
        net_benefit=None,
        tuning=None,
        command=f"tapeline run x --data '{HOSTILE[6]}'",
    )


def card_of(report, declared=None, said=None):
    declared = declared or Card(
        "to show", "analysts", "a person decides", ("deciding alone",), ("it fails here",), {"credit_data": "a bank"}
    )
    return model_card(
        report,
        declared,
        said,
        "Who will default",
        "2026-01-02T03:04:05+00:00",
        "0.1.0+abc",
        {"protocol.folds": "5", "mlp recipe.epochs": "40"},
    )


def drawn(legend="mlp"):
    """A figure of ours, as SVG and as PNG."""
    figure, png = roc({legend: Curve([0, 0.2, 1], [0, 0.8, 1])}), io.BytesIO()
    figure.savefig(png, format="png")
    return as_svg(figure), png.getvalue()
