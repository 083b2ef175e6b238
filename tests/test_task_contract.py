"""What every task must do, shipped or not: the one test that a new task has to pass."""

import json
import math
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from diabetes import TASK as DIABETES

from pipelines import catalogue, run
from pipelines.contenders import saved
from pipelines.contenders.lineup import line_up
from pipelines.contenders.normal import NormalNetwork
from pipelines.data.sample_transactions import SampleTransactions
from pipelines.evaluation.sharpe import ledoit_wolf
from pipelines.task import DataRequest

ROOT = Path(__file__).resolve().parents[1]
NAMES = [*catalogue.names(), DIABETES.name]
SEED = 7


def declared(name):
    """As it competes unasked; other networks for tables are tried in `contenders/test_tabular_networks.py`.

    Nothing is compiled by XLA: that takes longer than these trainings, and is tried in `training/`.
    """
    task = (DIABETES if name == DIABETES.name else catalogue.find(name)).competing("")
    task = replace(task, recipe=replace(task.recipe, plan="resident"))
    if name == "medical_imaging/pneumonia":
        task = replace(task, recipe=replace(task.recipe, width=8))
    if name == "finance/card-fraud":  # the last 60 days of half a year
        sample = SampleTransactions(last=60.0)
        task = replace(task, sources=replace(task.sources, sample=sample), recipe=replace(task.recipe, width=32))
    return task


@pytest.fixture(scope="module", params=NAMES)
def whole(request):
    return declared(request.param)


@pytest.fixture(scope="module")
def prepared(whole):
    return run.prepare(whole, DataRequest(), SEED)


@pytest.fixture(scope="module")
def task(whole, prepared):
    """With the contenders for the kind of data that the sample is."""
    return whole.competing("", prepared.dataset.examples.columns)


TRIED = set()


def untried(contenders, objective, test):
    """The contenders without the baselines that another task has gone through this test with: tasks share them."""
    for contender in contenders:
        if (baseline := getattr(contender, "baseline", None)) is None:
            yield contender
            continue
        kind = (objective.kind, getattr(objective, "binary", False), getattr(objective, "ordered", False))
        if (key := (test, baseline.name, baseline.build, kind)) not in TRIED:
            TRIED.add(key)
            yield contender


def some(examples, n, seed=SEED):
    return np.sort(np.random.default_rng(seed).choice(len(examples), min(n, len(examples)), replace=False))


def of_each_class(prepared, n):
    """Rows of which, of two classes, an eighth at least is of the positive one, which may be rare."""
    examples = prepared.dataset.examples
    rows = some(examples, n)
    if not getattr(prepared.objective, "binary", False):
        return rows
    positive = np.flatnonzero(prepared.objective.encode(examples.target) == 1)
    if len(np.intersect1d(rows, positive)) >= n // 8:
        return rows
    return np.sort(np.concatenate([np.setdiff1d(rows, positive)[n // 8 :], positive[: n // 8]]))


def test_the_network_overfits_32_rows(task, prepared):
    """A network that cannot learn 32 rows by heart has a broken loss, gradient or encoding.

    One that learns from normal rows alone knows them by heart when their errors are a small part of what they were.
    """
    rows = prepared.dataset.examples.take(of_each_class(prepared, 32))
    recipe = replace(
        prepared.recipe, epochs=150, patience=150, batch_size=8, dropout=0.0, weight_decay=0.0, learning_rate=3e-3,
        schedule="constant", monitor="loss", augment=0.0, mixup=0.0, average=0.0, soft_labels="no",
    )  # fmt: skip
    if prepared.objective.kind == "allocation":
        recipe = replace(recipe, epochs=40, patience=40, learning_rate=2e-2)
    for contender in line_up(task, prepared.objective, recipe)[: len(task.networks)]:
        if prepared.objective.kind == "classification" and not isinstance(contender, NormalNetwork):
            early = contender.having({"epochs": 40, "patience": 40}).fit(rows, rows, SEED)
            if (early.predict(rows).labels() == prepared.objective.encode(rows.target)).all():
                continue
        fitted = contender.fit(rows, rows, SEED)
        if isinstance(contender, NormalNetwork):
            assert min(fitted.history.metrics["loss"]) < 0.1 * fitted.history.metrics["loss"][0], contender.name
            continue
        if prepared.objective.kind == "allocation":
            # 32 windows of 61 days hold more noise than so small a network can learn by heart; it must learn from it.
            first, last = (fitted.history.metrics["loss"][at] for at in (0, -1))
            assert last < (2 * first if first < 0 else 0.97 * first), contender.name
            continue
        predictions = fitted.predict(rows)
        if prepared.objective.kind == "regression":
            assert prepared.objective.scores(prepared.objective.encode(rows.target), predictions)["r2"] > 0.98
        else:
            assert (predictions.labels() == prepared.objective.encode(rows.target)).mean() == 1.0


def test_shuffled_labels_give_chance(task, prepared):
    """Whoever finds something in labels that mean nothing has seen the test rows."""
    examples, objective = prepared.dataset.examples, prepared.objective
    order = np.random.default_rng(SEED).permutation(len(examples))
    examples = replace(examples, target=examples.target[order])
    fold = prepared.folds[0]
    train, valid, test = (part[some(part, n)] for part, n in ((fold.train, 400), (fold.valid, 100), (fold.test, 600)))
    recipe = replace(prepared.recipe, epochs=5, trials=1)
    truth = objective.encode(examples.take(test).target)
    for contender in untried(line_up(task, objective, recipe), objective, "chance"):
        predictions = contender.fit(examples.take(train), examples.take(valid), SEED).predict(examples.take(test))
        assert_chance(objective, truth, predictions, contender.name)


def assert_chance(objective, truth, predictions, name):
    """Within 4.5 standard errors of chance: one false alarm in 150 000 tests."""
    if objective.kind == "allocation":
        equal = objective.predict(np.ones_like(truth))
        ours, theirs = (objective.path(truth, each).net for each in (predictions, equal))
        found = ledoit_wolf(ours, theirs, 1)
        assert not found.difference > 4.5 * found.error, name  # who trades on what means nothing loses the costs
        return
    if objective.kind == "regression":
        if np.ptp(predictions.values) > 0:
            assert abs(np.corrcoef(truth, predictions.values)[0, 1]) < 4.5 / math.sqrt(len(truth)), name
        return
    if objective.binary:
        positives = int(truth.sum())
        negatives = len(truth) - positives
        error = math.sqrt((len(truth) + 1) / (12 * positives * negatives))  # Mann and Whitney 1947
        assert abs(objective.scores(truth, predictions)["auroc"] - 0.5) < 4.5 * error, name
        return
    if objective.ordered and np.ptp(predictions.labels()) > 0:
        kappa = objective.scores(truth, predictions)["quadratic_kappa"]
        assert abs(kappa) < 4.5 / math.sqrt(len(truth)), name  # no larger than a correlation's error
    hits = (predictions.labels() == truth).mean()
    shares, said = (
        np.bincount(each, minlength=len(objective.classes)) / len(truth) for each in (truth, predictions.labels())
    )
    chance = float(shares @ said)
    assert abs(hits - chance) < 4.5 * math.sqrt(max(chance, 1e-3) * (1 - chance) / len(truth)), name


def test_no_row_and_no_id_crosses_a_split(prepared):
    examples = prepared.dataset.examples
    for fold in prepared.folds:
        parts = (fold.train, fold.valid, fold.test)
        assert all(len(part) for part in parts)
        assert len(np.unique(np.concatenate(parts))) == sum(map(len, parts))
        if examples.ids is not None:
            ids = [set(examples.ids[part].astype(str)) for part in parts]
            assert not (ids[0] & ids[1] | ids[0] & ids[2] | ids[1] & ids[2])


def test_sensitive_attributes_are_measured_and_not_seen(task, prepared):
    for attribute in task.sensitive:
        assert attribute.column in prepared.dataset.examples.groups
        assert (attribute.column in prepared.dataset.examples.columns) == attribute.keep


READER = """
import json, pickle, sys
from pathlib import Path
from pipelines.contenders import saved
for line in sys.stdin:
    folder = Path(line.strip())
    rows = pickle.loads((folder / "rows.pickle").read_bytes())
    names = [path.name for path in folder.iterdir() if path.is_dir()]
    found = {name: saved.load(folder / name).predict(rows).values.tolist() for name in names}
    (folder / "found.json").write_text(json.dumps(found))
    print(folder, flush=True)
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """(rows, folder) -> what the contenders saved there say of them, in one process that never saw a training."""
    complaints = tmp_path_factory.mktemp("reader") / "stderr"
    with complaints.open("w") as told, subprocess.Popen(
        [sys.executable, "-c", READER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=told, text=True
    ) as process:  # fmt: skip

        def predicted(rows, folder):
            (folder / "rows.pickle").write_bytes(pickle.dumps(rows))
            process.stdin.write(f"{folder}\n")
            process.stdin.flush()
            assert process.stdout.readline().strip() == str(folder), complaints.read_text()[-2000:]
            return json.loads((folder / "found.json").read_text())

        yield predicted
        process.stdin.close()


def test_saved_contenders_predict_the_same_in_a_new_process(task, prepared, elsewhere, tmp_path):
    examples, fold = prepared.dataset.examples, prepared.folds[0]
    train, valid = (examples.take(part[some(part, 300)]) for part in (fold.train, fold.valid))
    rows = examples.take(fold.test[:40])
    recipe = replace(prepared.recipe, epochs=2, trials=1)
    expected = {}
    for contender in untried(line_up(task, prepared.objective, recipe), prepared.objective, "saved"):
        fitted = contender.fit(train, valid, SEED)
        folder = tmp_path / contender.name
        folder.mkdir()
        saved.save(fitted, folder, task.name, contender.name, prepared.objective, rows, float("nan"))
        expected[contender.name] = fitted.predict(rows).values
    found = elsewhere(rows, tmp_path)
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, atol=1e-5, err_msg=name)
