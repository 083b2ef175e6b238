"""Inputs unlike the training rows within a run, on the page, and in `tapeline predict`."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from domains.medical_imaging.lung_nodule import TASK
from pipelines import strangers
from pipelines.cli import show_strangers
from pipelines.cli.prediction import UNLIKE, predict_file
from pipelines.contenders import saved
from pipelines.contenders.network import NetworkContender
from pipelines.errors import BadInput
from pipelines.explanation import familiar
from pipelines.explanation.opened import opened
from pipelines.models.vision import small_resnet
from pipelines.prepare import prepare
from pipelines.report import document
from pipelines.report.document import Estimate
from pipelines.report.page.sections.strangers import strangers as section_of
from pipelines.report.readings_of_strangers import passing, usual
from pipelines.report.strangers import strangers as read_back
from pipelines.task import DataRequest, Network
from pipelines.tracking import metrics

from report.page_reports import whole_report  # isort: skip
from report.test_page_sections import cells, context, tables  # isort: skip

SIDE, ROWS = 16, 400
FAST = (
    "recipe.epochs=3", "recipe.batch_size=32", "protocol.folds=2", "protocol.resamples=100", "protocol.valid=0.4",
    "protocol.strange=noise,blank,photographs",
)  # fmt: skip


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Faint discs, bright or dark, of which every fourth pair is of one patient."""
    path, chance = tmp_path_factory.mktemp("strange") / "own.npz", np.random.default_rng(0)
    labels = chance.integers(0, 2, ROWS)
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    disc = np.hypot(y, x)[None] < chance.uniform(3, 6, ROWS)[:, None, None]
    pictures = 120 + np.where(labels, 40, -40)[:, None, None] * disc + chance.normal(0, 8, (ROWS, SIDE, SIDE))
    np.savez(path, train_images=np.clip(pictures, 0, 255).astype(np.uint8), train_labels=labels)
    return prepare(TASK, DataRequest(str(path)), 0, FAST)


@pytest.fixture(scope="module")
def contender(prepared):
    return NetworkContender(Network("small", small_resnet), prepared.objective, prepared.recipe)


@pytest.fixture(scope="module")
def fitted(prepared, contender):
    fold, examples = prepared.folds[0], prepared.dataset.examples
    return contender.fit(examples.take(fold.train), examples.take(fold.valid), 0)


@pytest.fixture(scope="module")
def found(prepared, contender, fitted):
    return strangers.measured(contender, fitted, prepared, prepared.folds[0], 0)


def test_noise_is_told_from_discs_and_discs_are_not_told_from_each_other(prepared, found):
    told = {each.kind: each for each in found.kinds}
    assert set(told) == {"noise", "blank", "photographs"}
    assert told["noise"].by_distance.low > 0.9
    assert told["noise"].flagged.value > 0.9
    assert found.flagged.low < 0.05 < found.flagged.high
    assert found.rows == len(prepared.folds[0].test)
    assert found.left_out == ()


def test_other_rows_of_the_same_kind_are_at_a_half(prepared, contender, fitted, monkeypatch):
    valid = prepared.dataset.examples.take(prepared.folds[0].valid).columns["image"]
    monkeypatch.setattr(strangers, "strange", lambda kind, most, shape, seed: valid[:most])
    (same, *_) = strangers.measured(contender, fitted, prepared, prepared.folds[0], 0).kinds
    assert same.by_distance.low < 0.5 < same.by_distance.high
    assert same.flagged.value < 0.2


def test_rows_of_one_patient_do_not_make_it_surer(prepared, contender, fitted, found):
    fold, examples = prepared.folds[0], prepared.dataset.examples
    ids = np.array([str(row) for row in range(len(examples))], object)
    ids[fold.test] = [f"p{place // 8}" for place in range(len(fold.test))]
    of_patients = replace(prepared, dataset=replace(prepared.dataset, examples=replace(examples, ids=ids)))
    told = strangers.measured(contender, fitted, of_patients, fold, 0)
    assert told.flagged.value == found.flagged.value
    assert told.flagged != found.flagged
    assert [each.by_distance.value for each in told.kinds] == [each.by_distance.value for each in found.kinds]
    assert told.kinds[1].by_energy != found.kinds[1].by_energy


def test_nothing_is_fitted_on_validation_or_tested_rows(prepared, fitted, contender):
    fold, examples = prepared.folds[0], prepared.dataset.examples
    network = opened(fitted)
    changed = np.array(examples.columns["image"])
    changed[np.concatenate([fold.valid, fold.test])] = 0
    other = replace(prepared, dataset=replace(prepared.dataset, examples=replace(examples, columns={"image": changed})))
    mine, theirs = (strangers._learned(network, each, fold) for each in (prepared, other))
    np.testing.assert_array_equal(mine.means, theirs.means)
    np.testing.assert_array_equal(mine.whiten, theirs.whiten)
    assert mine.threshold != theirs.threshold
    distances = mine.distance(familiar.seen(network, examples.take(fold.valid)).features)
    assert 0.02 < (distances > mine.threshold).mean() <= 0.05


def test_others_of_more_energy_are_told_apart_by_it(prepared):
    tested = prepared.dataset.examples.take(prepared.folds[0].test)
    near, level = np.zeros((len(tested), 2)), np.linspace(-1, 1, len(tested))
    usual, others = familiar.Seen(near, level), familiar.Seen(near[:20], np.full(20, 3.0))
    told = strangers._told("noise", 20, usual, others, familiar.Familiar(near[:1], np.eye(2)), tested)
    assert (told.by_energy.value, told.by_distance.value) == (1.0, 0.5)


def test_what_is_kept_beside_the_model_is_of_the_rows_it_learned_from(prepared, contender, fitted, tmp_path):
    first = prepared.folds[0]
    second = replace(first, train=first.test, valid=first.train)
    strangers.keep(contender, fitted, replace(prepared, folds=(first, second)), tmp_path)
    kept, mine = familiar.kept(tmp_path), strangers._learned(opened(fitted), prepared, first)
    np.testing.assert_array_equal(kept.means, mine.means)
    assert kept.threshold == mine.threshold


def test_whoever_asks_for_nothing_or_is_no_network_is_told_nothing(prepared, contender, fitted):
    fold = prepared.folds[0]
    quiet = replace(prepared, protocol=replace(prepared.protocol, strange="none"))
    assert strangers.measured(contender, fitted, quiet, fold, 0) is None
    assert strangers.measured(contender, object(), prepared, fold, 0) is None
    with pytest.raises(BadInput, match=r"protocol\.strange names some of noise, blank"):
        prepare(TASK, DataRequest("sample"), 0, ("protocol.strange=noise,cats",))


def test_a_kind_whose_package_is_missing_is_named(prepared, contender, fitted, monkeypatch):
    monkeypatch.setattr(strangers, "strange", lambda kind, most, shape, seed: None)
    told = strangers.measured(contender, fitted, prepared, prepared.folds[0], 0)
    assert (told.kinds, told.left_out) == ((), ("noise", "blank", "photographs"))
    assert "Nothing was tried" in passing("small", told)


def test_the_page_the_terminal_and_mlflow_tell_the_same(found):
    whole = whole_report()
    first, *others = whole.contenders
    report = replace(whole, contenders=(replace(first, strangers=found), *others))
    (table,) = tables(section_of(context(report)))
    assert cells(table)[0][0] == "noise: pixels drawn at random"
    assert cells(table)[0][2].startswith(f"{found.kinds[0].by_distance.value:.3f}")
    console = Console(width=90)
    with console.capture() as captured:
        show_strangers.strangers(console, report)
    assert "can mlp tell what it is not for?" in captured.get()
    assert max(map(len, captured.get().splitlines())) <= 90
    assert metrics.of_scorecard(report.contenders[0])["unlike/noise/by_distance"] == found.kinds[0].by_distance.value
    told = json.loads(report.to_json())
    schema = json.loads(Path(document.__file__).with_name("schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(told, schema)
    assert repr(read_back(told["contenders"][0]["strangers"])) == repr(found)
    assert section_of(context(whole)) is None


def test_what_passes_and_tested_rows_that_are_strange_are_said(found):
    missed = replace(found, kinds=(replace(found.kinds[1], flagged=Estimate(0.2, 0.1, 0.4)),))
    assert passing("mlp", missed) == "What mlp mostly takes for its own: blank (20 % flagged)."
    shifted = replace(found, flagged=Estimate(0.2, 0.1, 0.3))
    assert usual("mlp", shifted).endswith("the tested rows themselves are unlike those that mlp learned from.")
    assert "unlike" not in usual("mlp", found)


def test_predict_warns_of_pictures_that_the_model_never_saw_the_like_of(prepared, contender, fitted, tmp_path):
    model, examples = tmp_path / "model", prepared.dataset.examples
    model.mkdir()
    first = examples.take(prepared.folds[0].test[:8])
    saved.save(fitted, model, TASK.name, "small", prepared.objective, first, 0.5)
    strangers.keep(contender, fitted, prepared, model)
    rows = np.concatenate(
        [first.columns["image"], np.random.default_rng(0).integers(0, 256, (4, SIDE, SIDE, 1), np.uint8)]
    )
    np.savez(tmp_path / "new.npz", test_images=rows[..., 0], test_labels=np.zeros(12, int))
    notes = predict_file(str(model), tmp_path / "new.npz", tmp_path / "out.csv", None)
    said = pd.read_csv(tmp_path / "out.csv")[UNLIKE]
    assert said[8:].tolist() == ["yes"] * 4
    assert (said[:8] == "no").sum() >= 6
    assert any(f"{(said == 'yes').sum()} of 12 rows are unlike those that small learned from" in note for note in notes)
    (model / familiar.FILE).unlink()
    predict_file(str(model), tmp_path / "new.npz", tmp_path / "out.csv", None)
    assert UNLIKE not in pd.read_csv(tmp_path / "out.csv")
    familiar.keep(familiar.Familiar(np.ones((2, 3), np.float32), np.eye(3, dtype=np.float32), 1.0), model)
    with pytest.raises(BadInput, match=r"familiar\.npz is not of small"):
        predict_file(str(model), tmp_path / "new.npz", tmp_path / "other.csv", None)
