"""Worse pictures within a run: planted contenders, of which one sees through noise and another does not."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from rich.console import Console

from domains.medical_imaging.lung_nodule import TASK
from pipelines import robustness
from pipelines.cli import show_robustness
from pipelines.compete import compete, judge
from pipelines.contenders.contender import UNMEASURED, UNRECORDED, unwatched
from pipelines.evaluation.robustness import Drawn, leads, losses
from pipelines.journal import open_journal
from pipelines.objectives.calibration import Isotonic
from pipelines.objectives.objective import Predictions
from pipelines.objectives.regression import Regression
from pipelines.prepare import prepare
from pipelines.report import document
from pipelines.report.document import Estimate
from pipelines.report.figures_robustness import by_severity
from pipelines.report.readings_of_robustness import amount, falling_behind, losing
from pipelines.report.robustness import STATED_LOSS, WorsenedLead
from pipelines.task import DataRequest
from pipelines.tracking import metrics

from report.page_reports import whole_report  # isort: skip
from report.test_page_sections import cells, context, tables  # isort: skip
from pipelines.report.page.sections.robustness import robustness as section_of  # isort: skip

SIDE, ROWS = 16, 240
FAST = ("recipe.trials=1", "protocol.folds=3", "protocol.resamples=100")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Pictures of which the left half is brighter in one class; in a corner a single pixel says the same."""
    path, chance = tmp_path_factory.mktemp("worse") / "own.npz", np.random.default_rng(0)
    labels = chance.integers(0, 2, ROWS)
    pictures = chance.normal(110, 25, (ROWS, SIDE, SIDE))
    pictures[:, :, : SIDE // 2] += 12 * labels[:, None, None]
    pictures[:, 0, 0] = 100 + 20 * labels + chance.normal(0, 6, ROWS)
    np.savez(path, train_images=np.clip(pictures, 0, 255).astype(np.uint8), train_labels=labels)
    return path


class Knowing:
    """Says by how much the left half is brighter; learns nothing."""

    name, kind = "halves", "network"
    cost, history, settings = UNMEASURED, UNRECORDED, {}

    def fit(self, train, valid, seed, watch=unwatched):
        return self

    def seen(self, pictures):
        left, right = np.split(pictures, 2, axis=2)
        return left.mean(axis=(1, 2, 3)) - right.mean(axis=(1, 2, 3)) - 6

    def predict(self, examples):
        probability = 1 / (1 + np.exp(-self.seen(examples.columns["image"].astype(float)) / 3))
        return Predictions(np.stack([1 - probability, probability], 1))

    def flops(self, examples):
        return np.nan


class Pixel(Knowing):
    name, kind = "pixel", "classical"

    def seen(self, pictures):
        return pictures[:, 0, 0, 0] - 110


@pytest.fixture(scope="module")
def prepared(path):
    return prepare(TASK, DataRequest(str(path)), 0, FAST)


@pytest.fixture(scope="module")
def trials(prepared):
    return [compete(each, prepared, 0) for each in (Knowing(), Pixel())]


@pytest.fixture(scope="module")
def report(prepared, trials):
    first, second = (judge(trial, prepared, 0) for trial in trials)
    whole = whole_report()
    leads = robustness.leads_of(
        {trial.contender.name: (trial.folds[0].worse, trial.threshold) for trial in trials},
        "halves", "pixel", prepared, 0,
    )  # fmt: skip
    verdict = replace(whole.verdict, network="halves", best_baseline="pixel", winner="halves")
    return replace(whole, contenders=(first, second), verdict=verdict, robustness=leads)


def by_way(card):
    return {(each.corruption, each.severity): each for each in card.robustness.worsened}


def test_what_is_lost_is_what_can_no_longer_be_seen(report):
    halves, pixel = (by_way(card) for card in report.contenders)
    assert len(halves) == 12
    assert halves["noise", 3].lost.high < 0.15  # the mean of many pixels
    assert pixel["noise", 3].lost.low > 0.15
    assert halves["blur", 3].lost.high < 0.08
    assert pixel["noise", 3].lost.value > pixel["noise", 2].lost.value > pixel["noise", 1].lost.value > 0
    for card in report.contenders:
        found = card.robustness
        for each in found.worsened:
            assert each.lost.value == pytest.approx(found.clean.value - each.score.value)
            assert each.score.low <= each.score.value <= each.score.high


def test_both_are_asked_about_the_same_pictures_of_the_first_test(prepared, trials):
    first, second = (trial.folds[0].worse for trial in trials)
    np.testing.assert_array_equal(first.rows, second.rows)
    assert set(first.rows) <= set(prepared.folds[0].test)
    assert len(set(first.rows)) == len(first.rows)
    assert all(done.worse is None for trial in trials for done in trial.folds[1:])
    as_they_are = Knowing().predict(prepared.dataset.examples.take(first.rows)).values
    np.testing.assert_array_equal(first.clean, as_they_are)


def test_what_is_said_of_worse_pictures_is_calibrated_as_all_else(prepared, trials):
    by = Isotonic((((0.0, 1.0), (0.8, 0.9)),))
    done = replace(trials[0].folds[0], calibration=by)
    plain, mapped = (
        robustness.answered(Knowing(), Knowing(), each, prepared, prepared.folds[0], 0)
        for each in (trials[0].folds[0], done)
    )
    np.testing.assert_allclose(mapped.clean, by(plain.clean))
    np.testing.assert_allclose(mapped.said[0], by(plain.said[0]))
    assert np.abs(mapped.said[0] - plain.said[0]).max() > 0.1


def test_where_less_is_better_more_is_lost():
    before, after = (Drawn(value, value + np.array([-0.1, 0.0, 0.1]), 9) for value in (2.0, 3.5))
    objective = Regression()
    assert not objective.greater_is_better(objective.primary)
    (lost,) = losses(before, {("noise", 1): after}, [8.0], objective)
    assert lost.lost.value == pytest.approx(1.5)
    (lead,) = leads({("noise", 1): before}, {("noise", 1): after}, objective)
    assert lead.difference.value == pytest.approx(1.5)


def test_a_slow_contender_is_asked_about_the_first_of_them(prepared, trials):
    fold, done = prepared.folds[0], trials[0].folds[0]
    slow = replace(done, seconds=1000.0 * len(fold.test))
    few = robustness.answered(Knowing(), Knowing(), slow, prepared, fold, 0)
    all_ = robustness.answered(Knowing(), Knowing(), done, prepared, fold, 0)
    assert robustness.FEWEST_ROWS // 2 <= len(few.rows) < len(all_.rows)
    np.testing.assert_array_equal(few.rows, all_.rows[: len(few.rows)])
    found = {"a": (few, done.threshold), "b": (all_, done.threshold)}
    assert all(each.difference.value == 0 for each in robustness.leads_of(found, "a", "b", prepared, 0))


def test_whoever_asks_for_nothing_is_told_nothing_and_volumes_are_left_out(prepared, trials):
    fold, done = prepared.folds[0], trials[0].folds[0]
    quiet = replace(prepared, protocol=replace(prepared.protocol, robustness="no"))
    assert robustness.answered(Knowing(), Knowing(), done, quiet, fold, 0) is None
    assert robustness.robustness_of(None, done, quiet, 0) is None
    examples = prepared.dataset.examples
    volumes = replace(examples, columns={"image": np.zeros((len(examples), 4, 4, 4, 1), np.uint8)})
    deep = replace(prepared, dataset=replace(prepared.dataset, examples=volumes))
    assert robustness.answered(Knowing(), Knowing(), done, deep, fold, 0) is None
    assert "not volumes" in robustness.robustness_of(None, done, deep, 0).why_not


def test_the_lead_is_the_difference_of_both_scores(report):
    halves, pixel = (by_way(card) for card in report.contenders)
    for each in report.robustness:
        key = (each.corruption, each.severity)
        assert each.difference.value == pytest.approx(halves[key].score.value - pixel[key].score.value)


def test_what_is_said_names_the_corruptions_that_cost(report):
    halves, pixel = (card.robustness for card in report.contenders)
    assert "noise" not in losing("halves", halves)
    assert "noise (" in losing("pixel", pixel)
    assert f"loses more than {STATED_LOSS:g} AUROC from" in losing("pixel", pixel)
    behind = WorsenedLead("noise", 2, Estimate(-0.1, -0.2, -0.05)), WorsenedLead("jpeg", 3, Estimate(-0.1, -0.2, 0.01))
    assert falling_behind("a", "b", behind) == (
        "a is worse than b, the best baseline, on the same pictures with strong noise (-0.100, -0.200 to -0.050)."
    )
    assert falling_behind("a", "b", behind[1:]).startswith("Nowhere among these is a surely worse than b")
    assert falling_behind("a", "b", ()) == ""
    assert amount(halves.worsened[0]) == "standard deviation, 4 % of the range from black to white"


def test_the_journal_keeps_what_was_said(trials, tmp_path):
    journal = open_journal(tmp_path / "journal", {"task": "t"}, {}, False)
    entry, done = journal.entry("halves", 0), trials[0].folds[0]
    entry.finish(None, done, None)
    again = entry.finished().worse
    np.testing.assert_array_equal(again.said, done.worse.said)
    np.testing.assert_array_equal(again.rows, done.worse.rows)
    assert (again.ways, again.seconds) == (done.worse.ways, done.worse.seconds)
    journal.release()


def test_the_page_the_terminal_the_figure_and_mlflow_tell_the_same(report):
    table = tables(section_of(context(report)))[0]
    first = report.contenders[0].robustness
    assert cells(table)[0][2].startswith(f"{first.clean.value:.3f}")
    assert [row[0] for row in cells(table)][1:4] == ["mild noise", "strong noise", "severe noise"]
    console = Console(width=100)
    with console.capture() as captured:
        show_robustness.worse_pictures(console, report)
    assert "AUROC where pictures are at their worst" in captured.get()
    assert max(map(len, captured.get().splitlines())) <= 100
    figure = by_severity(report)
    assert [axes.get_title() for axes in figure.axes] == ["noise", "blur", "loss of contrast", "JPEG"]
    np.testing.assert_allclose(
        figure.axes[0].lines[0].get_ydata(),
        [first.clean.value, *(each.score.value for each in first.worsened[:3])],
    )
    found = metrics.of_scorecard(report.contenders[0])
    assert found["robustness/noise/3/lost"] == first.worsened[2].lost.value
    assert metrics.of_report(report)["robustness/lead/jpeg/1.low"] == report.robustness[9].difference.low


def test_a_report_of_it_is_the_same_after_json_and_follows_the_schema(report):
    told = json.loads(report.to_json())
    again = document.Report.from_dict(told)
    assert repr(again.robustness) == repr(report.robustness)
    assert repr(again.contenders[0].robustness) == repr(report.contenders[0].robustness)
    schema = json.loads(Path(document.__file__).with_name("schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(told, schema)
