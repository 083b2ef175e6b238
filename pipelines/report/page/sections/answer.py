"""The answer: the verdict in a word and a sentence, the pair of scores as a picture, and what it means."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipelines.report.document import Comparison, Estimate, Scorecard
from pipelines.report.page.context import Context, value
from pipelines.report.page.parts import Plot, Value
from pipelines.report.page.scales import Scale, scale_of
from pipelines.report.wording import EXPLAINED, in_full

WORDS: Mapping[str, tuple[str, str]] = {
    "yes": ("Yes", "the network is better than the best classical model"),
    "no": ("No", "the best classical model is better than the network"),
    "inconclusive": ("Inconclusive", "the network and the best classical model cannot be told apart"),
}
GUESSING: Mapping[str, float] = {"auroc": 0.5, "quadratic_kappa": 0.0}
"""Scores whose value of guessing is always the same."""
SLOWER = 1.5
"""From so many times the other's cost on, costs are said to differ."""


@dataclass(frozen=True)
class Side:
    """One of the two that are compared."""

    name: str
    role: str
    value: Value
    plot: Plot


@dataclass(frozen=True)
class Answer:
    """What stands at the top of the page.

    Args:
        kind: `yes`, `no` or `inconclusive`.
        score: the score that decides, in words, and what it is.
        scale, lead_scale: of the two scores, and of the difference; None where nothing is known.
        meaning: what follows, in plain words.
    """

    kind: str
    word: str
    headline: str
    sentence: str
    score: tuple[str, str]
    sides: tuple[Side, ...]
    scale: Scale | None
    lead: Side | None
    lead_scale: Scale | None
    meaning: tuple[str, ...]


def answer(page: Context) -> Answer:
    """The answer of this run."""
    report, verdict = page.report, page.report.verdict
    word, headline = WORDS[verdict.network_beats_best_baseline]
    pair = [(page.network, "network", "network"), (page.baseline, "best classical model", "baseline")]
    estimates = [card.scores[report.primary] for card, _, _ in pair]
    tested = next((each for each in report.comparisons if (each.contender, each.baseline) == _pair(page)), None)
    lead = Estimate(math.nan) if tested is None else Estimate(tested.difference, tested.low, tested.high)
    mark = GUESSING.get(report.primary, math.nan)
    return Answer(
        kind=verdict.network_beats_best_baseline,
        word=word,
        headline=headline,
        sentence=_without_the_word(verdict.sentence),
        score=(in_full(report.primary), EXPLAINED.get(report.primary, "")),
        sides=tuple(
            Side(card.name, role, value(each), Plot(each.value, each.low, each.high, side))  # type: ignore[arg-type]
            for (card, role, side), each in zip(pair, estimates, strict=True)
        ),
        scale=scale_of(estimates, mark, "guessing"),
        lead=None if tested is None else Side("lead", "network minus classical", value(lead, 4, True), _point(lead)),
        lead_scale=scale_of([lead], 0.0, "no difference", hold=True),
        meaning=tuple(_meaning(page, tested)),
    )


def _without_the_word(sentence: str) -> str:
    """The sentence of the verdict without the answer, which stands above it."""
    first, _, rest = sentence.partition(": ")
    return f"{rest[:1].upper()}{rest[1:]}" if first in {word for word, _ in WORDS.values()} and rest else sentence


def _pair(page: Context) -> tuple[str, str]:
    return page.report.verdict.network, page.report.verdict.best_baseline


def _point(lead: Estimate) -> Plot:
    return Plot(lead.value, lead.low, lead.high, "other")


def _meaning(page: Context, tested: Comparison | None) -> Iterator[str]:
    verdict, network, baseline = page.report.verdict, page.network, page.baseline
    kind = verdict.network_beats_best_baseline
    if page.report.data.simulated:
        yield "The data are simulated: this answer is about a simulation, and about nothing else."
    if kind == "yes":
        yield (
            f"On rows like these {network.name} is the better of the two. Whether that is worth what it costs, and "
            "for whom it is not better, is further down."
        )
    elif kind == "no":
        yield f"On rows like these there is no reason to use {network.name}. {baseline.name} is better and simpler."
    else:
        yield (
            "The difference between the two is within what chance does. It does not say that they are equal: the "
            "interval of the lead says how large a difference in either direction would still agree with these rows."
        )
        yield "Where nothing tells two models apart, the cheaper one, easier to explain, has the better claim."
    yield from _costs(network, baseline)


def _costs(network: Scorecard, baseline: Scorecard) -> Iterator[str]:
    """How many times as long it trains, where that is more than noise."""
    ours, theirs = network.cost.train_seconds, baseline.cost.train_seconds
    if not (ours > 0 and theirs > 0):
        return
    times = ours / theirs
    if times >= SLOWER:
        yield f"{network.name} trains {times:,.1f} times as long as {baseline.name}."
    elif times <= 1 / SLOWER:
        yield f"{baseline.name}, with its search, trains {1 / times:,.1f} times as long as {network.name}."
