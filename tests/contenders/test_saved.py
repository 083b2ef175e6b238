"""A saved contender predicts the same in a new process; damaged and crafted files are refused, and run nothing."""

import builtins
import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import skops.io
from contender_cases import DATA, RATE, objective_of
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from pipelines.contenders import saved, tables
from pipelines.contenders.classical import ClassicalContender
from pipelines.contenders.network import NetworkContender
from pipelines.errors import BadInput
from pipelines.models import audio, tabular, text, vision
from pipelines.objectives.calibration import Isotonic
from pipelines.task import Network, Recipe

RECIPE = Recipe(epochs=1, batch_size=32, width=8, trials=1, plan="resident")
NETWORKS = {
    "table": tabular.mlp, "pictures": vision.small_resnet, "waves": audio.separable_cnn(RATE),
    "texts": text.bidirectional_lstm,
}  # fmt: skip
CLASSES = {"table": (2, 3, 0), "pictures": (2,), "waves": (2,), "texts": (2,)}
CASES = [
    *((kind, classes, "network") for kind in DATA for classes in CLASSES[kind]),
    *(("table", classes, each.name) for classes in CLASSES["table"] for each in tables.BASELINES),
]
"""Baselines of pictures, sounds and texts are those of tasks, and tried in their contract."""
THRESHOLD = 0.3

IN_A_NEW_PROCESS = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from contender_cases import DATA
from pipelines.contenders import saved
root, found = Path(sys.argv[1]), {}
for folder in sorted(path for path in root.iterdir() if path.is_dir()):
    kind, classes, _ = folder.name.split("+")
    predictions = saved.load(folder).predict(DATA[kind](int(classes), seed=1))
    decisions = None if predictions.decisions is None else predictions.decisions.tolist()
    found[folder.name] = [predictions.values.tolist(), decisions]
(root / "found.json").write_text(json.dumps(found))
"""


def trained(kind, classes, name):
    examples = DATA[kind](classes)
    objective = objective_of(examples)
    if name == "network":
        contender = NetworkContender(Network("network", NETWORKS[kind]), objective, RECIPE)
    else:
        baseline = next(each for each in tables.BASELINES if each.name == name)
        contender = ClassicalContender(baseline, objective, RECIPE)
    return contender.fit(examples, examples, 0), objective, examples


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Every contender on every kind of data, in a folder of its own, and what each predicted before it was saved."""
    root, expected = tmp_path_factory.mktemp("saved"), {}
    for kind, classes, name in CASES:
        fitted, objective, examples = trained(kind, classes, name)
        folder = root / f"{kind}+{classes}+{name}"
        folder.mkdir()
        threshold = THRESHOLD if classes == 2 else float("nan")
        saved.save(fitted, folder, "tests/case", name, objective, examples, threshold)
        expected[folder.name] = fitted.predict(DATA[kind](classes, seed=1)).values
    return root, expected


@pytest.fixture(scope="module")
def reloaded(kept):
    root = kept[0]
    command = [sys.executable, "-c", IN_A_NEW_PROCESS, str(root), str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).resolve().parents[2])
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((root / "found.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: "+".join(map(str, case)))
def test_a_new_process_predicts_the_same(case, kept, reloaded):
    name = "+".join(map(str, case))
    values, decisions = reloaded[name]
    np.testing.assert_allclose(values, kept[1][name], rtol=1e-5, atol=1e-6)
    if case[1] == 2:
        np.testing.assert_array_equal(decisions, np.array(values)[:, 1] >= THRESHOLD)
    else:
        assert decisions is None
    if case[2] != "prior":
        assert np.ptp(values, axis=0).max() > 0, "the same for every row shows nothing"


def test_the_description_holds_no_row(kept):
    folder = kept[0] / "table+2+network"
    description = json.loads((folder / saved.DESCRIPTION).read_text())
    assert sorted(path.name for path in folder.iterdir()) == ["contender.json", "model.keras"]
    assert description["kinds"]["a/b"] == "number"
    assert description["kinds"]["größe ☺"] == "category"
    assert description["objective"]["classes"] == ["top", "low"]
    assert saved.load(folder).task == "tests/case"


def test_a_calibration_is_kept_and_comes_before_the_decision(tmp_path):
    fitted, objective, examples = trained("table", 2, "linear")
    by = Isotonic((((0.0, 1.0), (0.8, 0.9)),))
    saved.save(fitted, tmp_path, "tests/case", "linear", objective, examples, THRESHOLD, by)
    found = saved.load(tmp_path).predict(examples)
    np.testing.assert_allclose(found.values, by(fitted.predict(examples).values))
    assert THRESHOLD < 0.8
    assert found.labels().all()


def test_a_threshold_that_nobody_reaches_is_one(tmp_path):
    fitted, objective, examples = trained("table", 2, "prior")
    saved.save(fitted, tmp_path, "tests/case", "prior", objective, examples, float(np.nextafter(1, 2)))
    assert not saved.load(tmp_path).predict(examples).labels().any()


class Trap:
    """What a crafted file would do if it were run: leave a mark."""

    def __init__(self, folder):
        self.mark = folder / "mark"

    @property
    def code(self):
        return f"open({str(self.mark)!r}, 'w')"


@pytest.fixture
def victim(kept, tmp_path):
    """A well-described folder whose model the test replaces."""

    def copied(name):
        (tmp_path / saved.DESCRIPTION).write_bytes((kept[0] / name / saved.DESCRIPTION).read_bytes())
        return tmp_path

    return copied


@pytest.mark.parametrize(
    ("function", "named"),
    [
        (lambda code: functools.partial(exec, code), "builtins.exec"),
        (lambda code: builtins.eval, "builtins.eval"),
        (lambda code: os.system, "system"),
        (lambda code: np.load, "numpy.load"),
        (lambda code: functools.partial(functools.partial(os.system), "true"), "system"),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_a_crafted_skops_file_is_refused(function, named, nested, victim, tmp_path):
    trap, folder = Trap(tmp_path), victim("table+2+linear")
    model = FunctionTransformer(function(trap.code))
    skops.io.dump(make_pipeline(FunctionTransformer(), model) if nested else model, folder / "model.skops")
    with pytest.raises(BadInput, match=f"{named}, which no model of Tapeline's has; it is not loaded"):
        saved.load(folder)
    assert not trap.mark.exists()


def test_no_trusted_name_is_a_prefix_or_runs_code():
    names = saved.TRUSTED
    assert not [name for name in names if name.split(".")[0] in ("builtins", "os", "posix", "subprocess", "pickle")]
    assert not [name for name in names if name.endswith((".", "*"))]


def test_a_keras_file_with_a_lambda_is_refused(victim, tmp_path):
    trap, folder = Trap(tmp_path), victim("table+2+network")
    path = str(trap.mark)
    inputs = keras.Input((1,))
    model = keras.Model(inputs, keras.layers.Lambda(lambda x: (Path(path).touch(), x)[1], output_shape=(1,))(inputs))
    trap.mark.unlink(missing_ok=True)
    model.save(folder / "model.keras")
    with pytest.raises(BadInput, match=r"cannot be loaded as a Keras model: .*[Ll]ambda"):
        saved.load(folder)
    assert not trap.mark.exists()


@pytest.mark.parametrize("name", ["table+2+network", "table+2+linear"])
@pytest.mark.parametrize("damage", ["empty", "cut", "words", "flipped"])
def test_a_damaged_model_is_refused(name, damage, kept, victim):
    folder = victim(name)
    original = next(path for path in (kept[0] / name).iterdir() if path.name.startswith("model."))
    good = original.read_bytes()
    bad = {
        "empty": b"", "cut": good[: len(good) // 2], "words": b"not a model", "flipped": b"\0" * 2000 + good[2000:],
    }[damage]  # fmt: skip
    (folder / original.name).write_bytes(bad)
    with pytest.raises(BadInput, match=r"cannot be loaded as a (Keras|scikit-learn) model: ") as caught:
        saved.load(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 99}, {"objective": None}, {"objective": {"kind": "magic"}}, {"kinds": ["a"]}, {"threshold": "high"},
        {"objective": {"kind": "regression", "colour": 1}}, {"objective": {"kind": "classification", "classes": 5}},
        {"kinds": {"income": "integer"}}, {"kinds": {"income": ["number"]}},
    ],
)  # fmt: skip
def test_a_damaged_description_is_refused(change, victim):
    folder = victim("table+2+network")
    description = json.loads((folder / saved.DESCRIPTION).read_text())
    (folder / saved.DESCRIPTION).write_text(json.dumps({**description, **change}))
    with pytest.raises(BadInput):
        saved.load(folder)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"{", b"\xff\xfe", b"null"])
def test_a_description_that_is_none_is_refused(content, tmp_path):
    (tmp_path / saved.DESCRIPTION).write_bytes(content)
    with pytest.raises(BadInput, match="not written by Tapeline, or is damaged"):
        saved.load(tmp_path)


def test_a_folder_without_a_contender(tmp_path, victim):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(BadInput, match=r"holds no saved contender \(contender.json is missing\)"):
            saved.load(folder)
    with pytest.raises(BadInput, match=r"holds neither model.keras nor model.skops"):
        saved.load(victim("table+2+linear"))
