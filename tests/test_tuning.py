"""A tuned run: the same budget for all, no say for tested rows, all of it recorded, and kill -9 changes nothing."""

import csv
import json
import math
import os
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest

from domains.finance.credit_default import TASK
from pipelines.compete import compete
from pipelines.contenders.lineup import line_up
from pipelines.contenders.tuned import Budget
from pipelines.errors import BadInput
from pipelines.prepare import Silent, prepare
from pipelines.report import document
from pipelines.report.document import Report
from pipelines.run import commanded, resumed, run
from pipelines.space import OneOf
from pipelines.task import DataRequest, Network
from pipelines.tracking import query
from pipelines.tracking.store import VARIABLE, open_store
from pipelines.tuning import followed, searches_of, tuned

FAST = ("recipe.epochs=1", "recipe.plan=resident", "protocol.folds=2", "protocol.resamples=100")
SMALL = replace(TASK, baselines=tuple(each for each in TASK.baselines if each.name in ("prior", "linear")))


pytestmark = pytest.mark.timeout(1800)  # four runs one after the other: on a busy machine they take a while


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tuning")
    chance = np.random.default_rng(0)
    income = chance.normal(size=120)
    status = np.where(income + chance.normal(size=120) > 0, "good", "bad")
    pd.DataFrame({"Income": income, "Other": chance.normal(size=120), "Status": status}).to_csv(
        folder / "own.csv", index=False
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv(VARIABLE, raising=False)
        yield folder


@pytest.fixture
def request_(folder):
    return DataRequest(str(folder / "own.csv"), target="Status")


@dataclass(frozen=True)
class Ended:
    """What a tuning in another process left."""

    folder: Path
    report: Report
    said: list[str]
    shown: list[str]

    @classmethod
    def of(cls, folder):
        told = json.loads((folder / "told.json").read_text())
        return cls(folder, Report.from_dict(told["report"]), told["said"], told["shown"])

    @property
    def trials(self):
        """What was tried, without how long it took."""
        return [
            (search.contender, search.fold, search.best, [repr(replace(each, seconds=0.0)) for each in search.tried])
            for search in self.report.tuning.searches
        ]


@pytest.fixture(scope="module")
def deaths(tmp_path_factory):
    """One tuning that nobody stopped and one that was killed twice (`tuning_deaths.py`)."""
    folder = tmp_path_factory.mktemp("deaths")
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    environment["PYTHONPATH"] = str(Path(__file__).parents[1])
    command = [sys.executable, Path(__file__).with_name("tuning_deaths.py"), folder]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return folder, json.loads((folder / "deaths.json").read_text())


@pytest.fixture
def whole(deaths, monkeypatch):
    """In its folder, where it was recorded."""
    folder = deaths[0] / "whole"
    monkeypatch.chdir(folder)
    monkeypatch.delenv(VARIABLE, raising=False)
    return Ended.of(folder)


def test_a_killed_tuning_ends_as_one_that_nobody_stopped(deaths):
    """kill -9 within an epoch of the network, and within a trial of a baseline; given again, and again."""
    folder, told = deaths
    assert told["ends"] == [0, -9, -9, 0]
    whole, killed = (Ended.of(folder / name) for name in ("whole", "killed"))
    assert killed.trials == whole.trials
    scores = [{card.name: repr(card.scores) for card in each.report.contenders} for each in (whole, killed)]
    assert scores[0] == scores[1]
    assert killed.report.verdict == whole.report.verdict
    assert not list((folder / "killed").glob("mlruns/unfinished/*"))


def test_trials_that_had_ended_were_not_made_again(deaths):
    """Their seconds are those that the killed process measured."""
    folder, told = deaths
    killed = Ended.of(folder / "killed").report.tuning
    for seen, count, (contender, fold) in zip(told["seen"], (2, 1), (("mlp", 1), ("linear", 2)), strict=True):
        assert len(seen) == count
        made = killed.of(contender)[fold - 1].tried
        assert [each["tried"]["seconds"] for each in seen] == [each.seconds for each in made[:count]]


def test_each_contender_gets_the_same_trials_on_each_fold(whole):
    report = whole.report
    made = {(each.contender, each.fold): len(each.tried) for each in report.tuning.searches}
    assert made == {
        ("mlp", 1): 3, ("mlp", 2): 3, ("linear", 1): 3, ("linear", 2): 3, ("prior", 1): 1, ("prior", 2): 1
    }  # fmt: skip
    assert (report.tuning.trials, report.tuning.budget) == (3, "3 trials")
    assert math.isnan(report.tuning.seconds)
    for search in report.tuning.searches:
        assert search.chosen.score == max(each.score for each in search.tried)


def test_what_the_user_sets_is_not_searched(whole):
    report = whole.report
    assert set(report.tuning.pinned) == {"epochs", "batch_size", "plan", "width", "dropout"}
    assert set(report.tuning.of("mlp")[0].tried[0].settings) == {"learning_rate", "weight_decay"}
    chosen = report.tuning.of("mlp")[0].chosen.settings
    assert report.scorecard("mlp").settings["learning_rate"] == f"{chosen['learning_rate']:.4g}"


def test_the_report_survives_json_and_follows_its_schema(whole):
    report = whole.report
    found = json.loads(report.to_json())
    jsonschema.validate(found, json.loads(Path(document.__file__).with_name("schema.json").read_text()))
    assert Report.from_dict(found).to_json() == report.to_json()
    assert Report.from_dict(found).tuning == replace(report.tuning, seconds=Report.from_dict(found).tuning.seconds)
    del found["tuning"]
    assert Report.from_dict(found).tuning is None


def test_all_trials_are_recorded(whole):
    report = whole.report
    client = open_store().client
    assert client.get_run(report.mlflow_run_id).data.tags["tuned"] == "3 trials"
    figures = {each.path for each in client.list_artifacts(report.mlflow_run_id, "figures")}
    assert "figures/tuning.png" in figures
    run_id = report.scorecard("linear").mlflow_run_id
    assert client.get_run(run_id).data.params["tuning/budget"] == "3 trials"
    for search in report.tuning.of("linear"):
        scores = client.get_metric_history(run_id, f"tuning/fold-{search.fold}/score")
        assert [(each.step, each.value) for each in scores] == [(each.number, each.score) for each in search.tried]
        best = [each.value for each in client.get_metric_history(run_id, f"tuning/fold-{search.fold}/best")]
        assert best == list(np.maximum.accumulate([each.score for each in search.tried]))
    rows = list(csv.DictReader(Path(client.download_artifacts(run_id, "trials.csv")).read_text().splitlines()))
    assert [(row["fold"], row["trial"]) for row in rows] == [(f, t) for f in "12" for t in "123"]
    for row, each in zip(rows, (each for search in report.tuning.of("linear") for each in search.tried), strict=True):
        assert float(row["logisticregression__C"]) == each.settings["logisticregression__C"]
        assert float(row["auroc"]) == each.score
    assert [row["kept"] for row in rows].count("1") == 2


def test_a_tuned_run_counts_as_a_run_and_is_told_apart(whole):
    report = whole.report
    assert query.latest(TASK.name) == report.mlflow_run_id
    assert query.runs(TASK.name).iloc[0]["tuned"] == "3 trials"


def test_whoever_looks_on_is_told_of_each_trial_and_of_the_end_of_each_fold(whole):
    assert [line.partition(" trials")[0] for line in whole.said if "linear" in line] == [
        "linear fold 1 of 2: 3 of 3", "linear fold 2 of 2: 3 of 3"
    ]  # fmt: skip
    assert sum("fold 1 of 2: 2 of 3 trials in" in words for words in whole.shown) == 2
    assert sum("fold 2 of 2: 3 of 3 trials in" in words for words in whole.shown) == 2
    assert all(re.search(r"best auroc \d\.\d{4} \(trial \d\)$", words) for words in whole.shown)


def linear_of(prepared, budget=None, seed=0):
    contenders = line_up(SMALL, prepared.objective, prepared.recipe)
    linear = next(each for each in contenders if each.name == "linear")
    (contender,) = tuned([linear], prepared, budget or Budget(trials=4), ())
    return compete(contender, prepared, seed)


def test_tested_rows_have_no_say(request_):
    """Other values and other labels on the tested rows of the only fold: the trials and the choice are the same."""
    prepared = prepare(SMALL, request_, 0, [*FAST, "protocol.kind=holdout"])
    rows = prepared.dataset.examples
    columns, target, test = {n: v.copy() for n, v in rows.columns.items()}, rows.target.copy(), prepared.folds[0].test
    columns["Income"][test] = -3 * columns["Income"][test]
    target[test] = np.where(target[test] == "good", "bad", "good")
    other = replace(prepared, dataset=replace(prepared.dataset, examples=replace(rows, columns=columns, target=target)))
    found = [linear_of(each) for each in (prepared, other)]
    tried = [[(each.settings, each.score) for each in trial.folds[0].tried] for trial in found]
    assert tried[0] == tried[1]
    assert found[0].folds[0].settings == found[1].folds[0].settings
    assert found[0].outcome.scores(prepared.objective) != found[1].outcome.scores(prepared.objective)


def test_folds_are_tuned_each_by_itself(request_):
    trial = linear_of(prepare(SMALL, request_, 0, FAST))
    (first, second) = (search.tried for search in searches_of(trial, prepare(SMALL, request_, 0, FAST).objective))
    assert [each.settings for each in first[1:]] != [each.settings for each in second[1:]]


@pytest.mark.parametrize(
    ("assignments", "said"),
    [
        (["recipe.trials=5"], r"--set recipe\.trials is for the search of `tapeline run`"),
        (["recipe.dp_epsilon=8", "recipe.batch_size=16"], "private training promises what one training spends"),
    ],
)
def test_what_does_not_go_together_with_tuning_is_refused(request_, assignments, said):
    prepared = prepare(SMALL, request_, 0, [*FAST, *assignments])
    with pytest.raises(BadInput, match=said):
        tuned(line_up(SMALL, prepared.objective, prepared.recipe), prepared, Budget(2), assignments)


def test_a_task_with_nothing_to_tune_is_refused(request_):
    bare = replace(SMALL, networks=(Network("mlp", TASK.networks[0].build, {}),), baselines=SMALL.baselines[:1])
    with pytest.raises(BadInput, match="nothing can be tuned"):
        run(bare, request_, 0, FAST, budget=Budget(2))
    pinned = replace(bare, networks=(replace(bare.networks[0], search={"width": OneOf(8)}),))
    with pytest.raises(BadInput, match="nothing can be tuned"):
        run(pinned, request_, 0, [*FAST, "recipe.width=8"], budget=Budget(2))


def test_what_cannot_be_tuned_is_refused(request_):
    class Other:
        name, kind = "mitigated", "network"

    prepared = prepare(SMALL, request_, 0, FAST)
    with pytest.raises(BadInput, match="mitigated cannot be tuned"):
        tuned([Other()], prepared, Budget(2), ())
    mending = replace(prepared, protocol=replace(prepared.protocol, mitigate="all"))
    with pytest.raises(BadInput, match="what is mended is not tuned"):
        tuned([], mending, Budget(2), ())


def test_several_workers_are_refused(request_, monkeypatch):
    monkeypatch.setattr("pipelines.tuning.workers", lambda: 2)
    with pytest.raises(BadInput, match="tuning runs in one process"):
        tuned([], prepare(SMALL, request_, 0, FAST), Budget(2), ())


def test_another_budget_is_another_command_and_run_does_not_resume_it(request_, monkeypatch):
    commands = [commanded(TASK, request_, 0, (), False, each) for each in (None, Budget(3), Budget(4), Budget(0, 3.0))]
    assert len({json.dumps(each, sort_keys=True) for each in commands}) == 4
    monkeypatch.setattr("pipelines.run.unfinished", lambda *given: commands[1])
    with pytest.raises(BadInput, match="--resume abc is a tuning of finance/credit-default; give its `tapeline tune`"):
        resumed("abc")


def test_a_contender_that_is_not_tuned_is_watched_as_before(request_):
    def watch(done, total):
        return None

    prepared = prepare(SMALL, request_, 0, FAST)
    contender = line_up(SMALL, prepared.objective, prepared.recipe)[0]
    assert followed(contender, prepared, watch, Silent()) is watch
