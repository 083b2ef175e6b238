"""Single cases of a run, and a whole run of a folder of pictures whose names appear nowhere."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from domains.medical_imaging.lung_nodule import TASK
from pipelines import cases
from pipelines.compete import Trial
from pipelines.contenders.network import NetworkContender
from pipelines.explanation.cam import grad_cam
from pipelines.explanation.opened import opened
from pipelines.models.vision import small_resnet
from pipelines.objectives.automation import Automation
from pipelines.prepare import prepare
from pipelines.report import figures_cases
from pipelines.report.drawing import as_svg
from pipelines.report.page.sections.cases import cases as section_of
from pipelines.task import DataRequest, Network

from cli.conftest import folder, tapeline  # noqa: F401  isort: skip
from report.test_page_sections import context  # isort: skip

SIDE = 16
NAMES = ("MUSTERFRAU", "Kowalczyk")
QUICK = ("recipe.epochs=2", "recipe.batch_size=32", "recipe.trials=1", "protocol.folds=2", "protocol.resamples=100")


def pictures(n, seed=0):
    """Bright or dark discs, and which of both each is."""
    chance = np.random.default_rng(seed)
    labels = chance.integers(0, 2, n)
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    disc = np.hypot(y, x)[None] < chance.uniform(3, 6, n)[:, None, None]
    drawn = 120 + np.where(labels, 15, -15)[:, None, None] * disc + chance.normal(0, 30, (n, SIDE, SIDE))
    return np.clip(drawn, 0, 255).astype(np.uint8), labels


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A folder in which patients have names, two pictures each."""
    place = tmp_path_factory.mktemp("private") / "own"
    drawn, labels = pictures(160)
    place.mkdir()
    rows = []
    for number, (picture, label) in enumerate(zip(drawn, labels, strict=True)):
        name = f"{NAMES[number % 2]}_{number}.png"
        Image.fromarray(picture).save(place / name)
        rows.append((name, ["benign", "malignant"][label], f"{NAMES[number // 2 % 2]} {number // 2}"))
    pd.DataFrame(rows, columns=["path", "label", "patient"]).to_csv(place / "labels.csv", index=False)
    return place


@pytest.fixture(scope="module")
def prepared(path):
    return prepare(TASK, DataRequest(str(path)), 0, QUICK)


@pytest.fixture(scope="module")
def trial(prepared):
    from pipelines.journal import Finished

    contender = NetworkContender(Network("small", small_resnet), prepared.objective, prepared.recipe)
    fold, examples = prepared.folds[0], prepared.dataset.examples
    fitted = contender.fit(examples.take(fold.train), examples.take(fold.valid), 0)
    said = fitted.predict(examples.take(fold.test)).decide(0.5)
    done = Finished(said, 0.5, 1.0, fitted.cost, fitted.history, {}, automation=Automation(0.05, {0.05: 0.9}, 10))
    return Trial(contender, None, fitted, (done,), fitted.cost)


def test_pictures_of_ones_own_are_shown_to_who_asks_alone(prepared, trial):
    assert prepared.own
    assert cases.figure_of(trial, prepared, "small") is None
    for asked, own, shown in (("yes", True, True), ("sets", True, False), ("sets", False, True), ("no", False, False)):
        told = replace(prepared, own=own, protocol=replace(prepared.protocol, show_cases=asked))
        assert cases.shown(told) is shown


def test_cases_are_the_surest_right_the_surest_wrong_and_the_least_sure_of_different_patients(
    prepared, trial, monkeypatch
):
    asked = replace(prepared, protocol=replace(prepared.protocol, show_cases="yes"))
    drawn = {}
    monkeypatch.setattr(figures_cases, "cases", lambda name, groups: drawn.update(groups=groups) or "figure")
    assert cases.figure_of(trial, asked, "small") == "figure"
    right, wrong, least = (group.cases for group in drawn["groups"])
    tested = prepared.dataset.examples.take(prepared.folds[0].test)
    said = trial.folds[0].predictions
    sure, labels = said.values.max(axis=1), said.labels()
    correct = labels == prepared.objective.encode(tested.target)
    assert right[0].confidence == sure[correct].max()
    assert wrong[0].confidence == sure[~correct].max()
    assert least[0].confidence == sure.min()
    assert all(case.decided == case.truth for case in right)
    assert all(case.decided != case.truth for case in wrong)
    known = {picture.tobytes(): str(one) for picture, one in zip(tested.columns["image"], tested.ids, strict=True)}
    for group in (right, wrong, least):
        of = [known[case.picture.tobytes()] for case in group]
        assert 0 < len(of) <= cases.MOST
        assert len(set(of)) == len(of)
    assert all(case.looked.shape == case.picture.shape[:2] and (case.looked >= 0).all() for case in right)


def test_a_negative_decision_comes_from_what_speaks_against_the_positive_class(prepared, trial):
    network = opened(trial.model)
    rows = prepared.dataset.examples.take(np.arange(6))
    positive, negative = (cases._looked(network, rows, np.full(6, label, np.int32), True) for label in (1, 0))
    assert (np.minimum(positive, negative) < 1e-6 + 0.5 * np.maximum(positive, negative)).mean() > 0.9
    assert not np.allclose(positive, negative)
    plain = grad_cam(network, network.numbers(network.encoded(rows)), np.ones(6, np.int32))
    np.testing.assert_allclose(positive, plain, rtol=1e-4, atol=1e-6)


def test_the_figure_says_classes_and_nothing_of_whose_a_picture_is(prepared, trial):
    asked = replace(prepared, protocol=replace(prepared.protocol, show_cases="yes"))
    drawn = as_svg(cases.figure_of(trial, asked, "small")).decode()
    assert "said benign" in drawn or "said malignant" in drawn
    assert "the surest of those that are wrong" in drawn
    assert not any(name in drawn for name in NAMES)


def test_where_there_is_nothing_wrong_that_line_is_left_out():
    case = figures_cases.Case(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4)), "a$", "b" * 40, 0.9)
    figure = figures_cases.cases("small", [figures_cases.Group("right", [case]), figures_cases.Group("wrong", [])])
    assert b"right" in as_svg(figure)
    assert b"wrong" not in as_svg(figure)
    assert figures_cases.cases("small", [figures_cases.Group("right", [])]) is None


def test_the_page_says_why_no_case_is_shown():
    from report.page_reports import explanation, whole_report

    whole = whole_report()
    first, *others = whole.contenders
    looks = replace(explanation(), maps={"grad-cam": ((0.1, 0.2),)})
    section = section_of(context(replace(whole, contenders=(replace(first, explanation=looks), *others))))
    assert "protocol.show_cases=yes" in section.blocks[0].lines[0]


def test_a_whole_run_of_named_pictures_names_nobody(path, tapeline, folder):  # noqa: F811
    """Operating points, worse and other pictures and cases are all on the page, and nobody's name in what is left."""
    flags = [part for each in (*QUICK, "protocol.show_cases=yes", "protocol.operate_at=sensitivity:0.8",
                               "protocol.strange=noise,blank") for part in ("--set", each)]  # fmt: skip
    ended = tapeline("run", TASK.name, "--data", path, "--json", *flags)
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    card = next(each for each in told["contenders"] if each["name"] == told["verdict"]["network"])
    assert card["operating"][0]["target"] == "sensitivity:0.8"
    assert len(card["robustness"]["worsened"]) == 12
    assert [each["kind"] for each in card["strangers"]["kinds"]] == ["noise", "blank"]
    assert told["robustness"]
    assert told["operating"]
    files = [file for file in Path("mlruns").rglob("*") if file.is_file()]
    page = next(file for file in files if file.suffix == ".html").read_text()
    for section in ("operating", "robustness", "strangers", "cases"):
        assert f'id="{section}"' in page
    assert "what is written in a picture itself is in it" in " ".join(page.split())
    assert any(file.name == "cases.svg" for file in files)
    assert any(file.name == "familiar.npz" for file in files)
    for name in NAMES:
        assert not [file for file in files if name.encode() in file.read_bytes()]
        assert name not in ended.out + ended.err
