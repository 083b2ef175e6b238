"""Several trainings in a run: each from a seed of its own, kept as it ends, in the same order in every process."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest

from domains.finance.credit_default import TASK
from pipelines import assist
from pipelines.compete import compete, judge
from pipelines.contenders.contender import UNMEASURED, UNRECORDED, seed_of, seed_of_training, unwatched
from pipelines.errors import BadInput
from pipelines.journal import open_journal
from pipelines.objectives.objective import Predictions
from pipelines.prepare import prepare
from pipelines.report import document
from pipelines.report.document import Report
from pipelines.run import run
from pipelines.task import DataRequest, Recipe
from pipelines.tracking import query
from pipelines.tracking.store import VARIABLE, open_store

FAST = ("recipe.epochs=1", "recipe.trials=1", "protocol.folds=2", "protocol.resamples=100")
SEVERAL = (*FAST, "protocol.seeds=3")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trainings")
    rng = np.random.default_rng(0)
    income = rng.normal(size=160)
    pd.DataFrame({
        "Income": income, "Day": np.arange(160), "Sex": rng.choice(["F", "M"], 160),
        "Status": np.where(income + rng.normal(size=160) > 0, "good", "bad"),
    }).to_csv(folder / "own.csv", index=False)  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv(VARIABLE, raising=False)
        yield folder


@pytest.fixture
def request_(folder):
    return DataRequest(str(folder / "own.csv"), target="Status", positive="good", sensitive=("Sex",))


class Lottery:
    """Says what its seed says, and may die after some trainings."""

    name, kind = "lottery", "classical"
    cost, history, settings = replace(UNMEASURED, train_seconds=2.0), UNRECORDED, {}

    def __init__(self, lives=1000):
        self.seeds, self.trained, self.lives = [], [], lives

    def fit(self, train, valid, seed, watch=unwatched, checkpoints=None):
        if len(self.seeds) == self.lives:
            raise KeyboardInterrupt
        self.seeds.append(seed)
        self.trained.append(train.columns["Income"])
        return Drawn(seed)


class Drawn:
    cost, history, settings = Lottery.cost, UNRECORDED, {}

    def __init__(self, seed):
        self.seed = seed

    def predict(self, examples):
        probability = np.random.default_rng(self.seed).random(len(examples))
        return Predictions(np.stack([1 - probability, probability], 1))

    def flops(self, examples):
        return 7.0


def test_no_two_trainings_share_a_seed_and_the_first_has_the_runs_own(request_):
    """Nor has any that of a member of an ensemble; and a run from the next seed shares none either."""
    found = [prepare(TASK, request_, seed, SEVERAL).trainings(seed) for seed in (4, 5)]
    seeds = [each.seed for run_ in found for each in run_]
    assert found[0][0].seed == 4
    assert len(set(seeds)) == len(seeds) == 12
    assert not {seed_of(4, member) for member in range(1, 50)} & set(seeds)
    assert [(each.number, each.fold_number, each.training) for each in found[0]] == [
        (0, 0, 0), (1, 0, 1), (2, 0, 2), (3, 1, 0), (4, 1, 1), (5, 1, 2),
    ]  # fmt: skip
    alone = prepare(TASK, request_, 4, FAST).trainings(4)
    assert [each.seed for each in alone] == [seed_of_training(4, fold, 0) for fold in (0, 1)]
    assert {each.seed for each in alone} <= {each.seed for each in found[0]}


def test_every_fold_is_trained_for_from_each_seed_on_the_same_rows(request_):
    prepared, lottery = prepare(TASK, request_, 0, SEVERAL), Lottery()
    said = []
    trial = compete(lottery, prepared, 0, lambda done, total: said.append((done, total)))
    assert lottery.seeds == [each.seed for each in prepared.trainings(0)]
    for first in (0, 3):
        for other in (1, 2):
            np.testing.assert_array_equal(lottery.trained[first], lottery.trained[first + other])
    assert trial.model.seed == 0
    assert trial.threshold == trial.folds[0].threshold
    assert (trial.outcome.trainings, len(trial.outcome.parts)) == (3, 2)
    assert trial.cost.train_seconds == 2 * 2.0, "of one training on each fold"
    assert said[-1] == (6, 6)
    card = judge(trial, prepared, 0)
    assert card.training_sd > 0.01
    scores = [fold["auroc"] for fold in trial.outcome.fold_scores(prepared.objective)]
    assert card.scores["auroc"].value == pytest.approx(np.mean(scores))
    once = prepare(TASK, request_, 0, FAST)
    assert np.isnan(judge(compete(Lottery(), once, 0), once, 0).training_sd)


@pytest.mark.parametrize("died_after", [1, 2, 4])
def test_a_run_that_died_finds_each_training_again(request_, tmp_path, monkeypatch, died_after):
    monkeypatch.setattr("pipelines.journal.saved.save", lambda fitted, place, *told: (place / "seed").write_text(
        str(fitted.seed)))  # fmt: skip
    monkeypatch.setattr("pipelines.journal.Entry.model", lambda entry: Drawn(0))
    prepared = prepare(TASK, request_, 0, SEVERAL)
    whole = compete(Lottery(), prepared, 0)
    journal = open_journal(tmp_path, {"seed": 0}, {}, False)
    journal.begin("r", {})
    with pytest.raises(KeyboardInterrupt):
        compete(Lottery(died_after), prepared, 0, journal=journal)
    journal.release()
    again, journal = Lottery(), open_journal(tmp_path, {"seed": 0}, {}, False)
    found = compete(again, prepared, 0, journal=journal)
    assert again.seeds == [each.seed for each in prepared.trainings(0)][died_after:]
    np.testing.assert_array_equal(found.outcome.predictions.values, whole.outcome.predictions.values)
    assert found.outcome.rounds == whole.outcome.rounds
    folders = {path.name for path in journal.folder.iterdir() if path.is_dir()}
    assert folders == {"lottery-1", "lottery-1.2", "lottery-1.3", "lottery-2", "lottery-2.2", "lottery-2.3"}
    assert [path.parent.parent.name for path in journal.folder.glob("*/model/seed")] == ["lottery-1"]


def test_another_worker_makes_the_same_trainings_in_the_same_order(request_, monkeypatch):
    """The chief says of each training whether it is still to be made."""
    lottery = Lottery()
    lottery.kind = "network"
    said = iter([assist.DONE, assist.TRAIN, assist.TRAIN, assist.DONE, assist.TRAIN, assist.DONE])
    for name, stands_in in {
        "meet": lambda progress: None, "agree": lambda *asked: None, "from_chief": lambda mine: next(said),
        "line_up": lambda *asked: [lottery],
    }.items():  # fmt: skip
        monkeypatch.setattr(assist, name, stands_in)
    assist.assist(TASK, request_, 0, SEVERAL)
    seeds = [each.seed for each in prepare(TASK, request_, 0, SEVERAL).trainings(0)]
    assert lottery.seeds == [seeds[1], seeds[2], seeds[4]]


@pytest.mark.parametrize(
    ("settings", "time", "said"),
    [
        (("protocol.block=5",), None, r"protocol\.block=5: it does nothing .* --time COLUMN"),
        (("protocol.block=20",), "Day", "only 32 moments are tested, .* set at most 8"),
        (("protocol.margin=1",), None, "auroc lies between 0 and 1"),
        (("protocol.margin=-0.1",), None, "must not be negative"),
        (("protocol.seeds=0",), None, "must be at least 1"),
        (("protocol.seeds=1000000",), None, "must be at most 100"),
        (("protocol.seeds=2", "recipe.dp_noise=1"), None, "each of which would spend"),
    ],
)
def test_what_would_do_nothing_or_too_much_is_refused(request_, settings, time, said):
    with pytest.raises(BadInput, match=said) as refused:
        prepare(TASK, replace(request_, time=time), 0, [*FAST, *settings])
    assert f"--set {settings[0]}" in str(refused.value)


@pytest.fixture(scope="module")
def report(folder):
    small = replace(TASK, baselines=tuple(each for each in TASK.baselines if each.name in ("prior", "linear")))
    asked = DataRequest(str(folder / "own.csv"), target="Status", sensitive=("Sex",), time="Day")
    return run(small, asked, 3, (*FAST, "protocol.seeds=2", "protocol.margin=0.02", "protocol.block=3"))


def test_a_run_in_time_with_several_trainings_and_a_margin_says_all_of_it(report):
    schema = Path(document.__file__).with_name("schema.json").read_text(encoding="utf-8")
    jsonschema.validate(report.to_dict(), json.loads(schema))
    assert Report.from_dict(report.to_dict()).to_json() == report.to_json()
    assert report.data.protocol == "holdout of 32 rows (the last rows in time), 2 trainings each"
    (against_prior, against_linear) = report.comparisons
    assert against_linear.test == "paired block bootstrap t, 2 trainings"
    assert (against_linear.margin, against_linear.units) == (0.02, 11)
    assert 0 <= against_linear.p_non_inferior <= 1
    assert report.verdict.non_inferior in ("yes", "no", "inconclusive")
    assert "margin of 0.02 AUROC" in report.verdict.sentence
    network, prior = report.scorecard("mlp"), report.scorecard("prior")
    assert network.training_sd > 0
    assert prior.training_sd == 0
    assert against_prior.difference == pytest.approx(network.scores["auroc"].value - 0.5)


def test_histories_of_trainings_and_what_decides_are_in_mlflow(report):
    client = open_store().client
    parent = client.get_run(report.mlflow_run_id).data.metrics
    (decides,) = (each for each in report.comparisons if each.baseline == report.verdict.best_baseline)
    assert parent["p_non_inferior"] == pytest.approx(decides.p_non_inferior)
    assert {"effect_size", "training_sd", "test_sd"} <= set(parent)
    network = client.get_run(report.scorecard("mlp").mlflow_run_id).data.metrics
    assert network["training_sd"] == pytest.approx(report.scorecard("mlp").training_sd)
    assert {name for name in network if name.endswith("/loss")} >= {
        "history/training-1/loss", "history/training-2/loss",
    }  # fmt: skip
    assert query.report(report.mlflow_run_id).to_json() == report.to_json()


def test_a_network_is_another_after_each_training(request_):
    from pipelines.contenders.lineup import line_up

    prepared = prepare(TASK, request_, 0, (*FAST, "protocol.seeds=2"))
    network = line_up(TASK, prepared.objective, Recipe(epochs=1))[0]
    trial = compete(network, prepared, 0)
    first, second = (each.predictions.values for each in trial.folds[:2])
    assert np.abs(first - second).max() > 1e-3
