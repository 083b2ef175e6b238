"""What every section may ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipelines.evaluation.scores import GREATER_IS_BETTER
from pipelines.report.card import ModelCard
from pipelines.report.document import Estimate, Report, Scorecard
from pipelines.report.page.captions import caption
from pipelines.report.page.parts import UNKNOWN, Column, Picture, Plot, Value, shown
from pipelines.report.page.pictures import Pictures
from pipelines.report.page.scales import Scale, scale_of
from pipelines.report.wording import interval, number, signed


@dataclass(frozen=True)
class Context:
    """The card of the run, its report, and its figures."""

    card: ModelCard
    pictures: Pictures

    @property
    def report(self) -> Report:
        """The report of the run."""
        return self.card.report

    @property
    def network(self) -> Scorecard:
        """The network that the verdict is on."""
        return self.report.scorecard(self.report.verdict.network)

    @property
    def baseline(self) -> Scorecard:
        """The best baseline."""
        return self.report.scorecard(self.report.verdict.best_baseline)

    @property
    def higher(self) -> bool:
        """Whether more of the deciding score is better."""
        return GREATER_IS_BETTER.get(self.report.primary, True)

    def side(self, name: str) -> Literal["network", "baseline", "other"]:
        """Which of the two that are compared this is."""
        verdict = self.report.verdict
        return "network" if name == verdict.network else "baseline" if name == verdict.best_baseline else "other"

    def figures(self, *names: str) -> list[Picture]:
        """Those of these figures that the run has, with their captions."""
        found = []
        for name in names:
            drawn = self.pictures.take(name)
            if drawn is not None:
                found.append(Picture(drawn, *caption(name, self.report)))
        return found


def value(estimate: Estimate, digits: int = 3, sign: bool = False, note: str = "") -> Value:
    """An estimate as a cell of a table."""
    if estimate.value != estimate.value:
        return Value(UNKNOWN, note=note)
    ends = interval(estimate.low, estimate.high, digits, signed if sign else number)
    return Value(shown(estimate.value, digits, sign), "" if ends == "-" else ends, note)


def plot(estimate: Estimate, side: Literal["network", "baseline", "other"] = "other") -> Plot:
    """An estimate as a point with a line."""
    return Plot(estimate.value, estimate.low, estimate.high, side)


def plotted(
    heading: str, estimates: list[Estimate], mark: float = float("nan"), meaning: str = "", hold: bool = False
) -> tuple[Column, ...]:
    """The column of the plots of these estimates; none where none of them is known."""
    scale: Scale | None = scale_of(estimates, mark, meaning, hold)
    return () if scale is None else (Column(heading, "plot", scale),)
