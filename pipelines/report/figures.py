"""Figures of a run, for MLflow, the HTML page and notebooks.

Every function returns a matplotlib Figure with a canvas of its own: no pyplot, so no state, no window and nothing to
close. Inputs are plain arrays and the report's own types. Titles say what is read and which way is better.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from textwrap import fill
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pipelines.report.document import Estimate, Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from pipelines.contenders.contender import History

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito (2008): told apart with any colour vision. Lines differ in dashes too."""
DASHES = ("-", "--", "-.", ":")
GREY = "#777777"
DOTS_PER_INCH = 100
MOST_BARS = 40
"""Groups shown in one figure; the largest are kept."""
MOST_POINTS = 5000
LOWER_IS_BETTER = (
    "rmse",
    "mae",
    "log_loss",
    "brier",
    "expected_calibration_error",
    "word_error_rate",
    "ranked_probability_score",
)


class Curve(NamedTuple):
    """One line of a figure: (k,) values across and up."""

    x: ArrayLike
    y: ArrayLike


class BiasBar(NamedTuple):
    """One group's value of one metric, with the rows behind it."""

    attribute: str
    group: str
    n: int
    estimate: Estimate


def roc(curves: Mapping[str, Curve], scores: Mapping[str, Estimate] | None = None) -> Figure:
    """ROC curves: (false positive rate, true positive rate) by contender, with the AUROC in the legend if given."""
    figure, axes = _figure(6.2, 5.4)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":", label="chance")
    _lines(axes, curves, scores or {})
    _unit_square(axes)
    axes.set_xlabel("false positive rate (share of negatives)")
    axes.set_ylabel("true positive rate (share of positives)")
    _title(figure, "ROC: how many positives are found at each false alarm rate\n(higher and further left is better)")
    axes.legend(loc="lower right")
    return figure


def precision_recall(
    curves: Mapping[str, Curve], prevalence: float = math.nan, scores: Mapping[str, Estimate] | None = None
) -> Figure:
    """Precision-recall curves: (recall, precision) by contender; `prevalence` is the precision of guessing."""
    figure, axes = _figure(6.2, 5.4)
    if not math.isnan(prevalence):
        axes.axhline(prevalence, color=GREY, linewidth=1, linestyle=":", label=f"chance ({prevalence:.2f})")
    _lines(axes, curves, scores or {})
    _unit_square(axes)
    axes.set_xlabel("recall (share of positives that are found)")
    axes.set_ylabel("precision (share of alarms that are right)")
    _title(figure, "Precision and recall over all thresholds\n(higher and further right is better)")
    axes.legend(loc="best")
    return figure


def learning_curves(histories: Mapping[str, History]) -> Figure:
    """Metrics per epoch, one panel for the losses and one for each other metric; validation is dashed.

    Args:
        histories: by contender or fold; what they hold of single layers (`health/`) has a figure of its own.
    """
    from matplotlib.ticker import MaxNLocator

    histories = {name: _without_layers(history) for name, history in histories.items()}
    found = {_panel(metric) for history in histories.values() for metric in history.metrics} or {"loss"}
    panels = sorted(found, key=lambda panel: (panel != "loss", panel))
    figure = _blank(7.6, 1 + 2.7 * len(panels))
    for axes, panel in zip(np.ravel(figure.subplots(len(panels), 1, sharex=True, squeeze=False)), panels, strict=True):
        for place, (name, history) in enumerate(histories.items()):
            colour, metrics = COLOURS[place % len(COLOURS)], history.metrics
            for metric in (metric for metric in metrics if _panel(metric) == panel):
                validated = metric.startswith("valid")
                label = None if validated and metric.removeprefix("valid_") in metrics else name
                _over_epochs(axes, metrics[metric], colour, "--" if validated else "-", label)
            axes.axvline(history.best_epoch + 1, color=colour, linewidth=0.8, alpha=0.5)
        axes.set_ylabel("loss per row" if panel == "loss" else panel.replace("_", " "))
        axes.grid(visible=True, alpha=0.3)
    figure.axes[-1].set_xlabel("epoch")
    figure.axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.axes[0].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8, frameon=False)
    _title(figure, "Learning curves: training solid, validation dashed\n(vertical: the epoch whose weights were kept)")
    return figure


def _without_layers(history: History) -> History:
    kept = {name: values for name, values in history.metrics.items() if not name.startswith("health/")}
    return replace(history, metrics=kept)


def bias_bars(bars: Report | Iterable[BiasBar], metric: str, contender: str | None = None) -> Figure:
    """One metric by group, with 95 % intervals and the n behind each bar.

    Args:
        bars: a report, of which `contender` (None: the winner) is shown, or the bars themselves.
        metric: which metric of the bias table: `tpr`, `selection_rate`, ...
    """
    rows = _bars_of(bars, metric, contender) if isinstance(bars, Report) else list(bars)
    shown, left_out = _largest(rows)
    name = contender or (bars.verdict.winner if isinstance(bars, Report) else "")
    figure, axes = _figure(6.8, 1.5 + 0.36 * max(2, len(shown)))
    attributes = list(dict.fromkeys(bar.attribute for bar in shown))
    for place, bar in enumerate(shown):
        _bar(axes, place, bar, COLOURS[attributes.index(bar.attribute) % len(COLOURS)])
    axes.set_yticks(range(len(shown)), [fill(f"{bar.attribute} {bar.group} (n={bar.n})", 34) for bar in shown])
    axes.set_ylim(max(len(shown), 1) - 0.4, -0.6)
    if all(0 <= end <= 1 for bar in shown for end in _ends(bar.estimate)):
        axes.set_xlim(0, 1)
    axes.set_xlabel(
        _spoken(metric) + " (line: 95 % interval)" + (f"; {left_out} small groups left out" if left_out else "")
    )
    _title(figure, f"{_spoken(metric)} by group" + (f": {name}" if name else ""))
    axes.grid(visible=True, axis="x", alpha=0.3)
    return figure


def scores_with_intervals(report: Report, score: str | None = None) -> Figure:
    """Forest plot: each contender's score (None: the primary one) with its 95 % interval, the best on top."""
    score = score or report.primary
    cards = [card for card in report.contenders if score in card.scores]
    cards.sort(key=lambda card: _rank(card.scores[score].value, _is_merit(score)))
    figure, axes = _figure(6.8, 1.6 + 0.4 * max(2, len(cards)))
    for place, card in enumerate(cards):
        estimate, colour = card.scores[score], COLOURS[1] if card.kind == "network" else COLOURS[0]
        _whisker(axes, place, estimate, colour)
        axes.annotate(str(estimate), (1.02, place), xycoords=("axes fraction", "data"), va="center", fontsize=9)
    axes.set_yticks(range(len(cards)), [f"{card.name} ({card.kind})" for card in cards])
    axes.set_ylim(max(len(cards), 1) - 0.4, -0.6)
    axes.set_xlabel(f"{_spoken(score)} ({'higher' if _is_merit(score) else 'lower'} is better; line: 95 % interval)")
    _title(figure, f"{report.task}: {_spoken(score)} on test rows")
    axes.grid(visible=True, axis="x", alpha=0.3)
    return figure


def residuals(predicted: Mapping[str, ArrayLike], observed: ArrayLike, unit: str = "") -> Figure:
    """Errors of a regression against its predictions: `predicted` holds (n,) numbers by contender.

    Of very many rows an even sample is drawn, in the order of the rows.
    """
    truth = np.asarray(observed, float)
    rows = np.linspace(0, len(truth) - 1, min(len(truth), MOST_POINTS)).astype(int)
    figure = _blank(max(5.4, 3.6 * len(predicted)), 4.2)
    suffix = f" ({unit})" if unit else ""
    panels = np.ravel(figure.subplots(1, max(1, len(predicted)), sharey=True, squeeze=False))
    for place, (axes, (name, values)) in enumerate(zip(panels, predicted.items(), strict=False)):
        guess = np.asarray(values, float)
        error = guess - truth
        axes.axhline(0, color=GREY, linewidth=1)
        look = {"color": COLOURS[place % len(COLOURS)], "alpha": 0.5, "markersize": 4}
        axes.plot(guess[rows], error[rows], ".", **look, rasterized=True)  # so many marks are pixels in an SVG too
        axes.set_xlabel(f"predicted{suffix}")
        axes.set_title(f"{name}\nbias {error.mean():.3g}, RMSE {math.sqrt(float((error**2).mean())):.3g}", fontsize=10)
        axes.grid(visible=True, alpha=0.3)
    panels[0].set_ylabel(f"predicted - observed{suffix}")
    _title(figure, "Residuals (a trend or a funnel is something not learned)")
    return figure


def _blank(width: float, height: float) -> Figure:
    """An empty figure that saves itself through Agg, whatever backend a notebook has chosen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = _blank(width, height)
    axes = figure.add_subplot()
    return figure, axes


def _title(figure: Figure, text: str) -> None:
    """Over the whole figure, so that long labels beside the axes do not push it off the edge."""
    figure.suptitle(text, fontsize=11)


def _lines(axes: Axes, curves: Mapping[str, Curve], scores: Mapping[str, Estimate]) -> None:
    for place, (name, curve) in enumerate(curves.items()):
        label = f"{name}: {scores[name]}" if name in scores else name
        axes.plot(
            np.asarray(curve[0], float), np.asarray(curve[1], float), color=COLOURS[place % len(COLOURS)],
            linestyle=DASHES[place % len(DASHES)], linewidth=1.6, label=label,
        )  # fmt: skip


def _unit_square(axes: Axes) -> None:
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.grid(visible=True, alpha=0.3)


def _panel(metric: str) -> str:
    return "loss" if metric.endswith("loss") else metric.removeprefix("valid_")


def _over_epochs(axes: Axes, values: Sequence[float], colour: str, dashes: str, label: str | None) -> None:
    marker = "o" if len(values) == 1 else None
    axes.plot(range(1, len(values) + 1), values, dashes, color=colour, label=label, linewidth=1.4, marker=marker)


def _bars_of(report: Report, metric: str, contender: str | None) -> list[BiasBar]:
    card = report.scorecard(contender or report.verdict.winner)
    rows = [row for row in card.bias if metric in row.metrics and not row.intersection]
    return [BiasBar(row.attribute, row.group, row.n, row.metrics[metric]) for row in rows]


def _largest(bars: list[BiasBar]) -> tuple[list[BiasBar], int]:
    """The largest groups in their order, and how many were left out."""
    kept = sorted(range(len(bars)), key=lambda place: -bars[place].n)[:MOST_BARS]
    return [bars[place] for place in sorted(kept)], len(bars) - len(kept)


def _bar(axes: Axes, place: int, bar: BiasBar, colour: str) -> None:
    if math.isnan(bar.estimate.value):
        axes.annotate(" undefined", (0, place), xycoords=("axes fraction", "data"), va="center", color=GREY, fontsize=9)
        return
    axes.barh(place, bar.estimate.value, color=colour, alpha=0.45, height=0.65)
    _whisker(axes, place, bar.estimate, colour)


def _whisker(axes: Axes, place: float, estimate: Estimate, colour: str) -> None:
    axes.plot([estimate.low, estimate.high], [place, place], color=colour, linewidth=2, solid_capstyle="butt")
    axes.plot([estimate.value], [place], "o", color=colour, markersize=5)


def _ends(estimate: Estimate) -> tuple[float, ...]:
    return tuple(end for end in (estimate.value, estimate.low, estimate.high) if not math.isnan(end))


def _rank(value: float, merit: bool) -> float:
    """Smaller is better, and undefined is last."""
    return math.inf if math.isnan(value) else -value if merit else value


def _is_merit(score: str) -> bool:
    return score not in LOWER_IS_BETTER


SPOKEN: Mapping[str, str] = {
    "auroc": "AUROC", "tpr": "true positive rate", "fpr": "false positive rate", "ppv": "precision (PPV)",
    "f1": "F1", "rmse": "RMSE", "mae": "MAE", "r2": "R²", "brier": "Brier score",
    "sharpe": "Sharpe ratio",
}  # fmt: skip


def _spoken(metric: str) -> str:
    return SPOKEN.get(metric, metric.replace("_", " "))
