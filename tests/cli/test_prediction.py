"""`tapeline predict`: every row once, in order, as the model in this process says; clear words where it cannot."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines import catalogue
from pipelines.cli.prediction import _require_reasons
from pipelines.contenders import saved
from pipelines.contenders.lineup import line_up
from pipelines.data.images import OwnImages
from pipelines.data.tables import read_rows
from pipelines.errors import BadInput
from pipelines.objectives.classification import Classification
from pipelines.task import DataRequest
from pipelines.tracking.registry import download_model

from .tables import loans


@pytest.fixture
def model(recorded, folder, monkeypatch):
    """The id of the recorded run, and its inputs in a folder of this test's own."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{recorded.folder / 'mlruns' / 'mlflow.db'}")
    loans().to_csv("new.csv", index=False)
    return recorded.document["mlflow_run_id"]


def in_this_process(model, contender, file):
    with_that = saved.load(download_model(model, Path.cwd(), contender))
    examples, _ = read_rows(file, with_that.kinds)
    return with_that, with_that.predict(examples)


@pytest.mark.parametrize("contender", ["mlp", "boosting"])
@pytest.mark.parametrize("output", ["out.csv", "out.parquet"])
def test_predictions_are_those_of_the_model_in_the_order_of_the_rows(contender, output, model, tapeline, folder):
    loans(60, seed=3).assign(job="astronaut", extra=1).to_csv("new.csv", index=False)
    ended = tapeline("predict", model, "--contender", contender, "--input", "new.csv", "--output", output)
    assert (ended.code, ended.out) == (0, "")
    assert "'extra'" in ended.err
    assert "60 predictions" in ended.err
    written = pd.read_csv(output) if output.endswith("csv") else pd.read_parquet(output)
    loaded, expected = in_this_process(model, contender, "new.csv")
    assert list(written.columns) == ["decision", "probability_no", "probability_yes", "points"]
    np.testing.assert_allclose(written[["probability_no", "probability_yes"]], expected.values, atol=1e-6)
    decided = [loaded.objective.classes[label] for label in expected.labels()]
    risk, zone = expected.values[:, 1], loaded.acting.zone
    sent = (risk >= zone.low) & (risk < zone.high)
    assert list(written.decision) == list(np.where(sent, "refer", decided))
    np.testing.assert_allclose(written.points, 600 - 20 * np.log2(50 * risk / (1 - risk)), atol=0.01)


@pytest.mark.parametrize("contender", ["mlp", "scorecard"])
def test_reasons_are_columns_that_the_model_sees_in_words(contender, model, tapeline, folder):
    rows = loans(40, seed=5)
    rows.to_csv("new.csv", index=False)
    where = ("--contender", contender, "--input", "new.csv", "--output", "out.csv")
    ended = tapeline("predict", model, *where, "--reasons", "2")
    assert ended.code == 0, ended.err
    assert "reasons say what pushed a row towards yes" in " ".join(ended.err.split())
    written = pd.read_csv("out.csv")
    assert list(written.columns[-4:]) == ["reason_1", "reason_1_points", "reason_2", "reason_2_points"]
    loaded, _ = in_this_process(model, contender, "new.csv")
    named = {told.split(":")[0] for told in written.reason_1.dropna()}
    assert named <= set(loaded.kinds)
    assert not named & {"sex", "age", "name", "defaulted"}
    both = written.dropna(subset=["reason_2_points"])
    assert len(both) > 10
    assert (both.reason_1_points <= both.reason_2_points).all()
    assert (both.reason_2_points <= 0).all()
    assert written.reason_1.str.startswith("income: ").sum() > 10


def test_reasons_of_a_text_or_of_three_classes_are_refused():
    def saved_for(kinds, labels):
        objective = Classification().resolve(np.array(labels * 10, object))
        return saved.Saved("nlp/sentiment", "bilstm", None, objective, kinds, 0.5)

    with pytest.raises(BadInput, match="--reasons is for columns of numbers and categories; bilstm reads text"):
        _require_reasons(saved_for({"text": "text"}, ["a", "b"]), 4)
    with pytest.raises(BadInput, match="--reasons is for decisions between two classes"):
        _require_reasons(saved_for({"x": "number"}, ["a", "b", "c"]), 4)
    with pytest.raises(BadInput, match="was saved without what is usual; run nlp/sentiment again"):
        _require_reasons(saved_for({"x": "number"}, ["a", "b"]), 4)


def test_the_rows_may_come_in_any_order(model, tapeline, folder):
    rows = loans(50, seed=4)
    turned = rows.iloc[::-1]
    rows.to_parquet("rows.parquet")
    turned.to_csv("turned.csv", index=False)
    tapeline("predict", model, "--input", "rows.parquet", "--output", "a.csv", "--quiet")
    tapeline("predict", model, "--input", "turned.csv", "--output", "b.csv", "--quiet")
    pd.testing.assert_frame_equal(
        pd.read_csv("a.csv"), pd.read_csv("b.csv").iloc[::-1].reset_index(drop=True), atol=1e-6
    )


@pytest.mark.parametrize(
    ("drop", "arguments", "expected"),
    [
        ("income", ("--output", "out.csv"), "no column 'income'"),
        (None, ("--output", "new.csv"), "is the input itself"),
        (None, ("--output", "nowhere/out.csv"), "there is no folder nowhere"),
        (None, ("--output", "taken.csv"), "cannot be written"),
        (None, ("--output", "out.csv", "--contender", "best"), "it has mlp, prior, linear, forest, boosting"),
    ],
)  # fmt: skip
def test_what_cannot_be_predicted_is_one_clear_line_and_writes_nothing(
    drop, arguments, expected, model, tapeline, folder
):
    (folder / "taken.csv").mkdir()
    loans().drop(columns=[drop] if drop else []).to_csv("new.csv", index=False)
    before = (folder / "new.csv").read_bytes()
    ended = tapeline("predict", model, "--input", "new.csv", *arguments)
    assert (ended.code, ended.out, ended.err.count("error ")) == (2, "", 1)
    assert expected in ended.err
    assert sorted(each.name for each in folder.iterdir()) == ["new.csv", "taken.csv"]
    assert (folder / "new.csv").read_bytes() == before


def shapes(path, rows=60):
    """Small pictures of a light square whose size is its class."""
    chance = np.random.default_rng(0)
    labels = np.arange(rows) % 2
    pictures = chance.integers(0, 60, (rows, 32, 32)).astype(np.uint8)
    for picture, label in zip(pictures, labels, strict=True):
        picture[4 : 10 + 14 * label, 4 : 10 + 14 * label] = 230
    np.savez(path, train_images=pictures, train_labels=labels[:, None])


def tones(folder, rows=24):
    """Half-second tones, one pitch a word."""
    import wave

    for number in range(rows):
        word, place = f"word{number % 2}", folder / f"word{number % 2}"
        place.mkdir(parents=True, exist_ok=True)
        pitch = 300 if word == "word0" else 900
        samples = (np.sin(np.arange(8000) / 16000 * 2 * np.pi * (pitch + number)) * 20000).astype("<i2")
        with wave.open(str(place / f"{number}.wav"), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            file.writeframes(samples.tobytes())


@pytest.mark.parametrize(
    ("task", "source", "make"),
    [("medical_imaging/lung-nodule", "pictures.npz", shapes), ("speech/voice-command", "clips", tones)],
)
def test_a_model_of_pictures_or_sound_predicts_files_of_its_kind(task, source, make, tapeline, folder):
    make(folder / source)
    declared = catalogue.find(task)
    dataset = declared.sources.own.load(DataRequest(source))
    objective, examples = declared.objective.resolve(dataset.examples.target), dataset.examples
    contender = next(
        each
        for each in line_up(declared, objective, declared.recipe)
        if each.kind == "classical" and each.name != "prior"
    )
    fitted = contender.fit(examples, examples, 0)
    (folder / "model").mkdir()
    saved.save(fitted, folder / "model", task, contender.name, objective, examples, float("nan"))
    ended = tapeline("predict", "model", "--input", source, "--output", "out.csv")
    assert ended.code == 0, ended.err
    written = pd.read_csv("out.csv", dtype={"decision": str})
    expected = fitted.predict(examples)
    probabilities = [name for name in written.columns if name.startswith("probability_")]
    np.testing.assert_allclose(written[probabilities], expected.values, atol=1e-6)
    assert list(written.decision) == [objective.classes[label] for label in expected.labels()]
    scatter(folder / source, examples, folder / "new")
    ended = tapeline("predict", "model", "--input", "new", "--output", "again.csv")
    assert ended.code == 0, ended.err
    again = pd.read_csv("again.csv")
    assert list(again.file) == sorted(str(path) for path in Path("new").rglob("*.*"))
    rows = [int(Path(name).stem) for name in again.file]
    np.testing.assert_allclose(again[probabilities], expected.values[rows], atol=0.02)
    ended = tapeline("predict", "model", "--input", again.file[0], "--output", "one.csv")
    assert ended.code == 0, ended.err
    assert list(pd.read_csv("one.csv").file) == [again.file[0]]


def scatter(source, examples, folder):
    """The rows as files whose names say their place and nothing else, some of them a folder deeper."""
    from PIL import Image

    (folder / "deeper").mkdir(parents=True)
    sounds = sorted(source.rglob("*.wav"))
    for row in range(len(examples)):
        place = folder / "deeper" if row % 5 == 0 else folder
        if sounds:
            shutil.copy(sounds[row], place / f"{row:03}.wav")
        else:  # twice as large: it is made to fit what the model was trained on
            picture = Image.fromarray(examples.columns["image"][row, ..., 0])
            picture.resize((64, 64), Image.Resampling.NEAREST).save(place / f"{row:03}.png")


@pytest.mark.parametrize(
    ("content", "words"),
    [({}, "holds no .png or .jpg or .jpeg file"), ({"a.png": b"no picture"}, "a.png is a damaged picture")],
)
def test_a_folder_that_cannot_be_predicted(content, words, tmp_path):
    for name, data in content.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(BadInput, match=words):
        OwnImages().unlabelled(str(tmp_path), {"image": (28, 28, 1)})


def test_an_npz_of_another_size_is_refused(tmp_path):
    shapes(tmp_path / "pictures.npz")
    with pytest.raises(BadInput, match=r"holds pictures of \(32, 32, 1\); the model was trained on \(28, 28, 1\)"):
        OwnImages().unlabelled(str(tmp_path / "pictures.npz"), {"image": (28, 28, 1)})
