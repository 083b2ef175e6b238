"""A run with soft labels: who learns from them, who cannot, and that nobody is tested by them."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from pipelines import catalogue
from pipelines.compete import compete
from pipelines.contenders import classical
from pipelines.contenders.classical import ClassicalContender
from pipelines.data.examples import Examples
from pipelines.errors import BadInput
from pipelines.prepare import prepare
from pipelines.task import DataRequest, Dataset, Sources

NODULES = catalogue.find("medical_imaging/lung-nodule")
AREA, SHAPE = (next(each for each in NODULES.baselines if each.name == name) for name in ("area", "shape"))


@dataclass(frozen=True)
class Judged:
    """240 pictures of squares of 60 patients, judged by several or by one."""

    several: bool = True

    def load(self, request):
        chance = np.random.default_rng(0)
        sides = chance.integers(2, 8, 240)
        pictures = (np.arange(8) < sides[:, None])[:, :, None] & (np.arange(8) < sides[:, None])[:, None]
        share = np.clip((sides - 2) / 5, 0, 1)
        target = np.where(chance.random(240) < share, "malignant", "benign").astype(object)
        examples = Examples(
            {"image": (pictures * 255).astype(np.uint8)[..., None]}, target,
            ids=np.arange(240) // 4, opinion=share if self.several else None,
        )  # fmt: skip
        return Dataset(examples, "sample squares", True, "malignancy", positive="malignant")


def prepared(several=True, *settings):
    task = replace(NODULES, sources=Sources(sample=Judged(several), own=Judged(several)))
    return prepare(task, DataRequest(), 0, ("protocol.folds=2", *settings))


def test_the_task_learns_from_all_readers_where_there_are_several():
    assert prepared().recipe.soft_labels == "yes"
    assert prepared(False).recipe.soft_labels == "no"
    assert prepared(True, "recipe.soft_labels=no").recipe.soft_labels == "no"
    assert prepared(True, "recipe.dp_noise=1", "recipe.batch_size=16").recipe.soft_labels == "no"


@pytest.mark.parametrize(
    ("several", "settings", "said"),
    [
        (False, (), "these data hold one label a row"),
        (True, ("recipe.dp_noise=1", "recipe.batch_size=16"), "which private training cannot bound"),
        (True, ("protocol.private=3",), "which private training cannot bound"),
    ],
)
def test_soft_labels_that_cannot_be_are_refused_before_anything_is_trained(several, settings, said):
    with pytest.raises(BadInput, match=f"--set recipe.soft_labels=yes .*{said}"):
        prepared(several, "recipe.soft_labels=yes", *settings)


def test_training_rows_are_soft_and_validation_and_tested_rows_are_not(monkeypatch):
    asked, searched = [], []
    kept, search = classical.softened, classical.search
    monkeypatch.setattr(classical, "softened", lambda *given: asked.append((given, kept(*given))) or asked[-1][1])
    monkeypatch.setattr(classical, "search", lambda *given: searched.append(given[2]) or search(*given))
    ready = prepared()
    examples, truth = ready.dataset.examples, ready.objective.encode(ready.dataset.examples.target)
    trial = compete(ClassicalContender(SHAPE, ready.objective, replace(ready.recipe, trials=2)), ready, 0)
    for ((share, classes, _), (rows, _, weight)), labels, fold in zip(asked, searched, ready.folds, strict=True):
        np.testing.assert_array_equal(share, examples.opinion[fold.train])
        np.testing.assert_array_equal(classes, truth[fold.train])
        np.testing.assert_array_equal(labels, truth[fold.train])
        assert weight.sum() == pytest.approx(len(fold.train))
        assert len(rows) > len(fold.train)
    tested = np.concatenate([fold.test for fold in ready.folds])
    assert len(tested) == 240
    np.testing.assert_array_equal(trial.outcome.target, truth[tested])


def test_hard_labels_are_learned_as_they_are(monkeypatch):
    monkeypatch.setattr(classical, "softened", None)
    ready = prepared(True, "recipe.soft_labels=no")
    compete(ClassicalContender(AREA, ready.objective, ready.recipe), ready, 0)
