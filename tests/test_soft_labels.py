"""A run with soft labels: who learns from them, who cannot, and that nobody is tested by them."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from pipelines import catalogue
from pipelines.compete import compete
from pipelines.contenders import classical
from pipelines.contenders.classical import ClassicalContender
from pipelines.contenders.opinions import softened
from pipelines.data.examples import Examples
from pipelines.errors import BadInput
from pipelines.prepare import prepare
from pipelines.task import DataRequest, Dataset, Sources

NODULES = catalogue.find("medical_imaging/lung-nodule")
AREA = next(each for each in NODULES.baselines if each.name == "area")


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
    seen, asked, softs = [], [], []
    original, answer = ClassicalContender.fit, {}

    def fit(self, train, valid, seed, *more):
        seen.append((train, valid))
        answer["model"] = original(self, train, valid, seed, *more)
        return answer["model"]

    monkeypatch.setattr(classical, "softened", lambda *given: softs.append(softened(*given)) or softs[-1])
    monkeypatch.setattr(ClassicalContender, "fit", fit)
    ready = prepared()
    trial = compete(ClassicalContender(AREA, ready.objective, ready.recipe), ready, 0)
    for train, (_, valid), fold in zip(softs, seen, ready.folds, strict=True):
        assert train.weight is not None
        assert train.weight.sum() == pytest.approx(len(fold.train))
        assert len(train) > len(fold.train)
        assert set(train.ids) == set(ready.dataset.examples.ids[fold.train])
        assert valid.weight is None
        assert valid.target.tolist() == ready.dataset.examples.target[fold.valid].tolist()
        asked.append(fold.test)
    assert trial.outcome.weight is None
    truth = ready.objective.encode(ready.dataset.examples.target[np.concatenate(asked)])
    np.testing.assert_array_equal(np.sort(trial.outcome.target), np.sort(truth))
    assert len(trial.outcome.target) == 240


def test_hard_labels_are_learned_as_they_are(monkeypatch):
    monkeypatch.setattr(classical, "softened", None)
    ready = prepared(True, "recipe.soft_labels=no")
    compete(ClassicalContender(AREA, ready.objective, ready.recipe), ready, 0)
