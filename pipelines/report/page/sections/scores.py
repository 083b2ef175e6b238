"""What every contender achieved, and the network's lead over each."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pipelines.report.document import Comparison, Estimate, Report, Scorecard
from pipelines.report.page.context import Context, plot, plotted, value
from pipelines.report.page.parts import UNKNOWN, Block, Cell, Column, Prose, Row, Section, Table, shown
from pipelines.report.page.sections.answer import GUESSING
from pipelines.report.readings import few_folds, is_better, more_rows, p_value
from pipelines.report.wording import explained, in_full, together

SCORES = ("quadratic_kappa", "referable_auroc", "average_precision",
          "auroc", "accuracy", "balanced_accuracy", "f1", "log_loss", "rmse", "mae", "r2",
          "annual_return", "volatility", "max_drawdown", "turnover", "tail_loss")  # fmt: skip
MOST_SCORES = 3
"""Beside the one that decides; the report has all."""
GUESSES = "prior"
"""The baseline that looks at nothing: it would stretch the scale of every plot."""
POWER = "more rows: how many would decide with 80 % power if the lead stays as it is"
EFFECT = (
    "effect: the lead over the standard deviation of what one row (or id, or stretch of time) adds to it; 0.2 is "
    "small, 0.5 medium, 0.8 large (Cohen)"
)


def scores(page: Context) -> Section:
    """Every contender's scores, the best first."""
    report, primary = page.report, page.report.primary
    cards = sorted(report.contenders, key=lambda card: _rank(card.scores[primary].value, page.higher))
    first = [card.scores[primary] for card in cards if card.name != GUESSES]
    others = [name for name in SCORES if name in cards[0].scores and name != primary]
    others = others if primary == "sharpe" else others[:MOST_SCORES]  # a portfolio's all have a price in the others
    mark = GUESSING.get(primary, math.nan)
    plots = plotted("95 % interval", first, mark, "guessing")
    columns = (
        Column("contender", "name"),
        Column(in_full(primary)),
        *plots,
        *(Column(in_full(name)) for name in others),
    )
    rows = tuple(_scored(page, card, primary, bool(plots), others) for card in cards)
    better = "higher" if page.higher else "lower"
    notes = [f"{in_full(primary)} decides; {better} is better. Under each value stands its 95 % interval."]
    notes += [text for text in (explained([primary, *others]), few_folds(report)) if text]
    blocks: list[Block] = [Table("All contenders, the best first", columns, rows, tuple(notes))]
    blocks += page.figures("roc", "precision_recall", "grades", "residuals", "equity")
    page.pictures.take("scores")  # the table draws the same
    lead = f"{len(cards)} contenders learned from the same rows and were tested on the same others."
    return Section("scores", "Scores of all contenders", lead, blocks)


def comparison(page: Context) -> Section | None:
    """Paired tests: by how much, how surely, and what it would take to know."""
    report = page.report
    if not report.comparisons:
        return None
    blocks: list[Block] = [_leads(page, report.comparisons, "The lead of each network over each classical model", True)]
    if spread := _spread(report):
        blocks.append(spread)
    if report.blend:
        blocks.append(_leads(page, report.blend, "The lead of a blend of all contenders", False))
    if report.verdict.non_inferior:
        blocks.append(Prose((f"Not worse by more than {report.verdict.margin:g}: {report.verdict.non_inferior}.",)))
    networks = together(list(dict.fromkeys(each.contender for each in report.comparisons)))
    lead = f"{networks} against each classical model on the same rows, in {in_full(report.primary)}."
    return Section("comparison", "Is the difference more than chance?", lead, blocks)


def _scored(page: Context, card: Scorecard, primary: str, drawn: bool, others: Sequence[str]) -> Row:
    side = page.side(card.name)
    cells: list[Cell] = [card.name, value(card.scores[primary])]
    cells += [plot(card.scores[primary], side)] if drawn else []
    cells += [value(card.scores.get(name, Estimate(math.nan))) for name in others]
    kind = {"network": "network of the verdict", "baseline": "best classical model"}.get(side, card.kind)
    return Row(tuple(cells), side, kind)


def _rank(score: float, higher: bool) -> float:
    return math.inf if math.isnan(score) else -score if higher else score


def _leads(page: Context, tested: Sequence[Comparison], title: str, full: bool) -> Table:
    pair = (page.report.verdict.network, page.report.verdict.best_baseline)
    tested = sorted(tested, key=lambda each: (each.contender, each.baseline) != pair)
    leads = [Estimate(each.difference, each.low, each.high) for each in tested]
    drawn = [lead for each, lead in zip(tested, leads, strict=True) if each.baseline != GUESSES]
    plots = plotted("95 % interval", drawn or leads, 0.0, "no difference", hold=True)
    margin = any(each.margin for each in tested)
    columns = [Column("pair", "name"), Column("lead"), *plots, Column("p"), Column("effect"), Column("more rows")]
    columns += [*([Column("p (margin)")] if margin else []), Column("better?", "words")]
    rows = []
    for each, lead in zip(tested, leads, strict=True):
        ours = (each.contender, each.baseline) == pair
        cells: list[Cell] = [f"{each.contender} over {each.baseline}", value(lead, 4, sign=True)]
        cells += [plot(lead, "network" if ours else "other")] if plots else []
        effect = UNKNOWN if math.isnan(each.effect_size) else shown(each.effect_size, 2, sign=True)
        cells += [p_value(each.p_value), effect, more_rows(each.rows_to_decide)]
        cells += [p_value(each.p_non_inferior)] if margin else []
        rows.append(Row((*cells, is_better(each)), "network" if ours else "other"))
    tests = together(list(dict.fromkeys(each.test for each in tested)))
    notes = [f"Test: {tests}; p is corrected for the number of comparisons (Holm), intervals are not.", f"{EFFECT}."]
    return Table(title, tuple(columns), tuple(rows), (*notes, f"{POWER}.") if full else ())


def _spread(report: Report) -> Table | None:
    """What trainings differ by, where there were several."""
    cards = [card for card in report.contenders if not math.isnan(card.training_sd)]
    if not cards:
        return None
    rows = (Row((card.name, shown(card.training_sd, 4), shown(card.test_sd, 4))) for card in cards)
    columns = (Column("contender", "name"), Column("one training to another"), Column("one test to another"))
    return Table(f"What {in_full(report.primary)} varies by (standard deviation)", columns, tuple(rows))
