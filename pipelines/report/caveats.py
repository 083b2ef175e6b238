"""What a reader of a report must be told without asking: what it found to be wrong, and what it did not look at."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.evaluation.membership import worst
from pipelines.report.document import Report, Scorecard
from pipelines.report.readings import (
    few_folds,
    gap_digits,
    gap_is_real,
    gap_named,
    gap_sized,
    likeliest_chance,
    limit_named,
)
from pipelines.report.readings_of_operating import missed_target
from pipelines.report.readings_of_robustness import losing
from pipelines.report.readings_of_strangers import MOSTLY, passing
from pipelines.report.robustness import STATED_LOSS
from pipelines.report.wording import interval, number

MOST_GAPS = 5
"""Gaps that are told as failures; the table of gaps has all."""
GIVES_AWAY = 0.6
"""Low end of the AUC of the attack that tells most, from which a model is said to give away who it learned from."""


@dataclass(frozen=True)
class Unmeasured:
    """Something that the run does not say, and why."""

    what: str
    why: str


def failures(report: Report) -> tuple[str, ...]:
    """What the run itself found against the network and the data, worst first."""
    card = report.scorecard(report.verdict.network)
    found = [*_of_the_data(report), *_of_limits(report), *_of_gaps(card), *_of_privacy(card)]
    # What is unlike the training rows is asked of single networks: of an ensemble, of the one that is its first member.
    single = card.name.rpartition("-x")[0] if card.kind == "ensemble" else card.name
    found += _of_points_and_pictures(card, [each for each in report.contenders if each.name == single])
    if (gradients := card.settings.get("gradients", "")) and not gradients.startswith("healthy"):
        found.append(f"Gradients of {card.name}: {gradients}")
    found += [f"{name} could not be trained and is left out: {why}" for name, why in report.left_out.items()]
    return (*found, *([few_folds(report)] if few_folds(report) else []))


def _of_the_data(report: Report) -> Iterator[str]:
    if report.data.simulated:
        yield "The data are simulated. Nothing here says anything about real people, money or machines."
    for check in report.data.checks:
        if not check.passed:
            yield f'The check "{check.name}" of the data failed: {check.detail}'


def _of_limits(report: Report) -> Iterator[str]:
    for each in report.verdict.limits:
        if not each.passed:
            asked = "" if each.name == "beats_best_baseline" else f" {number(each.limit)}"
            what = limit_named(each.name, report.primary)
            yield f"A limit of the task fails: {what}{asked}; measured {number(each.value)}."


def _of_gaps(card: Scorecard) -> Iterator[str]:
    real = [gap for gap in card.gaps if gap.difference == gap.difference and gap_is_real(gap) and not gap.intersection]
    for gap in sorted(real, key=likeliest_chance)[:MOST_GAPS]:
        size, digits = gap_sized(gap), gap_digits(gap)
        between = " and ".join(
            f"{group} ({n:,} rows)" if n else group for group, n in zip(gap.groups, gap.n, strict=True)
        )
        ends = interval(size.low, size.high, digits)
        yield (
            f"{gap.attribute}: {gap_named(gap.metric)} of {card.name} differs between {between}: "
            f"{number(size.value, digits)} (95 % interval {ends}), which is more than chance."
        )


def _of_privacy(card: Scorecard) -> Iterator[str]:
    if worst(card.membership).low > GIVES_AWAY:
        yield (
            f"Who has {card.name} and a person's row can tell far better than by guessing whether that person was in "
            "the training data."
        )


def _of_points_and_pictures(card: Scorecard, members: Sequence[Scorecard]) -> Iterator[str]:
    for point in card.operating:
        if missed := missed_target(point):
            yield f"The threshold of {card.name} for {100 * point.share:g} % {point.side}: {missed}."
    worse = card.robustness
    if worse is not None and any(each.lost.low > STATED_LOSS for each in worse.worsened):
        yield losing(card.name, worse)
    for each in members:
        others = each.strangers
        if others is not None and any(kind.flagged.value < MOSTLY for kind in others.kinds):
            yield passing(each.name, others)


def not_measured(report: Report) -> tuple[Unmeasured, ...]:
    """What the report does not hold, and why not."""
    card = report.scorecard(report.verdict.network)
    told = [
        *_people(report, card),
        *_model(report, card),
        *_pictures(report, card),
        ("Other places and later times", "all rows come from one source; intervals know only rows like these, not how "
         "tomorrow's or another place's differ"),
        ("Causes", "models find what goes together; what would happen if somebody acted otherwise is not in the data"),
    ]  # fmt: skip
    return tuple(Unmeasured(*each) for each in told)


def _people(report: Report, card: Scorecard) -> Iterator[tuple[str, str]]:
    if not card.bias:
        yield "Groups of people", "no column of groups was named (--sensitive), or the data have none"
    if not card.membership:
        timed = "time" in report.data.protocol or "walk" in report.data.protocol
        why = "rows are split by time, and later rows differ by more than membership" if timed else (
            "it is not defined for this kind of model, or the report is from before it was measured"
        )  # fmt: skip
        yield "Whether an outsider can tell who was learned from", why
    if "privacy" not in card.settings:
        yield (
            "A guarantee of privacy",
            "training was not differentially private (--set recipe.dp_epsilon=8 makes it so)",
        )
    if card.oversight is None:
        yield (
            "What may be automated",
            "its answers decide between no classes, or the report is from before it was measured",
        )


def _model(report: Report, card: Scorecard) -> Iterator[tuple[str, str]]:
    if card.explanation is None or not card.explanation.importances:
        why = "" if card.explanation is None else card.explanation.why_not
        yield "What answers hang on", why or "the report is from before it was measured"
    if not card.calibration:
        yield "Whether probabilities come true", "its answers are no probabilities of classes"
    if card.decisions and not report.decided_by:
        yield "What decisions cost", "nobody said what errors cost (--set protocol.decide_by=cost:1:5)"
    if card.decisions and not card.directions:
        yield "Whether risk moves the right way with each column", "no directions were declared (protocol.monotone)"
    if math.isnan(card.training_sd):
        yield "What another training would say", "each contender was trained once a fold (--set protocol.seeds=3)"
    if math.isnan(card.cost.energy_wh):
        yield "Energy", "its estimate needs the extra energy (pip install 'tapeline[energy]')"


def _pictures(report: Report, card: Scorecard) -> Iterator[tuple[str, str]]:
    if "image" not in report.data.columns.values():
        return
    if card.robustness is None:  # what cannot be made worse says so in its own section
        yield (
            "What worse pictures cost",
            "it was left out (--set protocol.robustness=yes), or the report is from before it was measured",
        )
    if all(each.strangers is None for each in report.contenders):
        yield (
            "Whether pictures of something else are noticed",
            "it was left out (--set protocol.strange=noise,blank,photographs), cannot be asked of such pictures, or "
            "the report is from before it was measured",
        )
