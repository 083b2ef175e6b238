"""What each figure of a run shows, in words: for who cannot see it, and for who does not know how to read it."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.report.document import Report
from pipelines.report.wording import in_full, together

KNOWN: Mapping[str, tuple[str, str]] = {
    "roc": (
        "Positives found against false alarms, over all thresholds (ROC)",
        "A line for each of {contenders}: the share of positives that are found against the share of negatives that "
        "raise a false alarm. Nearer to the upper left is better; the diagonal is guessing. The area under a line is "
        "its AUROC.",
    ),
    "precision_recall": (
        "Alarms that are right against positives found, over all thresholds",
        "A line for each of {contenders}: the share of alarms that are right (precision) against the share of "
        "positives that are found (recall). Nearer to the upper right is better; the level line is guessing.",
    ),
    "residuals": (
        "Errors of the predicted numbers",
        "A panel for each of {contenders}: prediction minus truth against the prediction. A trend or a funnel is "
        "something that was not learned.",
    ),
    "grades": (
        "Grades decided on against true grades",
        "A panel for the network and one for the best baseline: a row of the square for each true grade, a column for "
        "each grade decided on, with the number of tested rows; the darker, the larger its share of the true grade's "
        "rows. On the diagonal, decisions are right.",
    ),
    "equity": (
        "What each portfolio became, after costs",
        "Above: wealth day by day on a scale of ratios, beginning at 1. Below: how far each portfolio lies under "
        "its highest.",
    ),
    "calibration": (
        "Does a predicted probability come true?",
        "A line for each contender with probabilities: the share of positives that was observed in each bin of "
        "predicted probability, with bars for 95 % intervals. On the diagonal, probabilities come true. Below: how "
        "many rows were given each probability.",
    ),
    "decision_curve": (
        "Is acting on it worth it? (net benefit)",
        "Net benefit per row of acting on each of {contenders}, against the probability from which one acts, beside "
        "acting on everyone and on nobody. Higher is better; the band is the network's 95 % interval.",
    ),
    "robustness": (
        "{score} where pictures are made worse",
        "A panel for each of noise, blur, loss of contrast and JPEG: the score of each contender on the same pictures "
        "as they are and at three severities, with 95 % bands of the network and the best baseline. Level lines are "
        "robust.",
    ),
    "cases": (
        "Cases of {of}",
        "Lines for the surest decisions that are right, the surest that are wrong, and the least sure: each tested "
        "picture with what it is, and the same with what was decided, how surely, and, the brighter the more, which "
        "places speak for that decision (Grad-CAM).",
    ),
    "predictive_values": (
        "How often alarms and all-clears are right, by prevalence",
        "A panel for each operating point of the network: the share of its alarms that are right (PPV) and of its "
        "all-clears (NPV), against the share of positives among those who are tested, with 95 % bands. Where few are "
        "positive, most alarms are wrong; the upright line is the prevalence that the tables are told for.",
    ),
    "gaps": (
        "All gaps between groups, for all contenders",
        "A point with its 95 % interval for each gap and contender; 0 is no gap. Filled points are more than chance "
        "after correction for all gaps.",
    ),
    "alerts_by_budget": (
        "What every number of alerts a day would have found and saved",
        "Money saved a day and the share of frauds found against alerts a day, a line for each contender; bands are "
        "95 % intervals of the network and the best baseline.",
    ),
    "scorecard": (
        "The points of each bin",
        "A panel for each column, the one that moves the score most first: bars for the points of each bin. More "
        "are safer.",
    ),
    "tuning": (
        "What tuning gained on validation rows",
        "The best score so far of each contender, against trials on the left and against seconds on the right.",
    ),
    "learning_curves": (
        "Learning curves of {of}",
        "The loss, and what else was watched, per epoch: training solid, validation dashed, a line for each fold; "
        "the upright line is the epoch whose weights were kept.",
    ),
    "gradient_health": (
        "Gradient health of {of}, by layer",
        "Panels over the epochs: the norm of each layer's gradient, how far an update moves its weights, and, where "
        "there are any, the share of units that let no gradient through.",
    ),
    "risk_coverage": (
        "How often the surest decisions are wrong",
        "The share of wrong decisions among the surest ones, against the share that is decided without a person, "
        "with the 95 % interval. Lower is better; where a line lies under the stated error, so many decisions need "
        "no person.",
    ),
    "explanation": (
        "What answers hang on",
        "A point with its 95 % interval for each part of a row, for the network and the best baseline: how much of the "
        "score is lost when every row has another row's part. Further right, answers hang more on the part.",
    ),
    "cost": (
        "{score} against cost",
        "A point for each contender: its score upwards, what its training took across. Up and to the left is better.",
    ),
    "privacy": (
        "What privacy costs",
        "Panels over epsilon, the bound of what is given away, with none on the right: the score, the widest gap "
        "between groups, and how well an attack tells who was learned from, each with 95 % intervals.",
    ),
    "scores": (
        "{score} of every contender",
        "A point with its 95 % interval for each contender, the best on top.",
    ),
}  # fmt: skip


def caption(name: str, report: Report) -> tuple[str, str]:
    """(caption, description) of the figure of this name; of one that is not known here, its name."""
    of, _, plain = name.rpartition("/")
    contenders = together([card.name for card in report.contenders if card.kind != "mitigated"])
    if plain.startswith("bias_"):
        metric = in_full(plain.removeprefix("bias_"))
        return f"{metric} by group", (
            f"A bar for each group of people with a line for its 95 % interval: {metric} of {report.verdict.network}, "
            "with the number of rows of the group."
        )
    if plain.startswith("attributions_"):
        name = plain.removeprefix("attributions_")
        return f"What pushes {name}'s answers", (
            "A bar for each part of a row, the strongest on top: how far it moves the answer from that to a usual "
            "row, the mean over rows, with a line for the 95 % interval; colours tell whether it raises the answer "
            "on the whole."
        )
    if plain.startswith("maps_"):
        name = plain.removeprefix("maps_")
        return f"Where {name}'s answers come from", (
            "A panel for each way of asking: the brighter a place of the picture, recording or series, the more "
            "answers come from there, the mean over tested rows."
        )
    if plain.startswith("mitigation_"):
        return f"What mitigation for {plain.removeprefix('mitigation_')} gains and what it costs", (
            "Arrows from each contender as it was to what a method made of it: the gap between groups across, the "
            "score upwards. To the left is fairer, up is better; lines are 95 % intervals."
        )
    title, description = KNOWN.get(plain, (plain.replace("_", " ").capitalize(), "A figure that the run recorded."))
    told = {"contenders": contenders, "of": of, "score": in_full(report.primary)}
    return title.format(**told), description.format(**told)
