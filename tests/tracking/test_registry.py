"""Models: logged from our own folder, read by MLflow's flavours and by us, without a pickle anywhere."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pipelines.errors import BadInput
from pipelines.objectives.objective import Predictions
from pipelines.tracking.record import pipeline_run
from pipelines.tracking.registry import download_model

from .conftest import TASK


@pytest.fixture
def logistic(examples, folder):
    """A saved scikit-learn pipeline on a table, and what it predicts."""
    import skops.io
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    columns = make_column_transformer((StandardScaler(), ["age"]), (OneHotEncoder(), ["job"]))
    model = make_pipeline(columns, LogisticRegression()).fit(examples.frame(), examples.target)
    saved = folder / "logistic"
    saved.mkdir()
    skops.io.dump(model, saved / "model.skops")
    (saved / "contender.json").write_text(json.dumps({"task": TASK}))
    return saved, Predictions(model.predict_proba(examples.frame()))


def log(store, saved, examples, outputs, winner="logistic", **more):
    with pipeline_run(store, TASK) as parent:
        with parent.child("prior", "classical"):
            pass
        with parent.child("logistic", "classical") as child:
            child.model(saved, examples, outputs, **more)
        parent.tag(winner=winner)
    return parent.run_id, child.run_id


def test_a_model_comes_back_as_the_folder_it_was_saved_into(store, examples, logistic, folder):
    saved, outputs = logistic
    run_id, child_id = log(store, saved, examples, outputs)
    for number, where in enumerate((run_id, run_id[:8], child_id, f"runs:/{child_id}/model", f"runs:/{run_id}/model")):
        destination = folder / f"download-{number}"
        destination.mkdir()
        found = download_model(where, destination)
        for name in ("model.skops", "contender.json"):
            assert (found / name).read_bytes() == (saved / name).read_bytes()
        assert destination in (found, *found.parents)
    assert (folder / "mlruns/artifacts").is_dir()
    logged = store.client.get_logged_model(store.client.get_run(child_id).outputs.model_outputs[0].model_id)
    assert (logged.name, logged.status.name, logged.source_run_id) == ("model", "READY", child_id)


def test_nothing_that_is_stored_is_a_pickle(store, examples, logistic, folder):
    log(store, *logistic[:1], examples, logistic[1])
    files = [path for path in (folder / "mlruns/artifacts").rglob("*") if path.is_file()]
    assert {path.name for path in files} == {
        "MLmodel", "conda.yaml", "contender.json", "model.skops", "python_env.yaml", "requirements.txt",
    }  # fmt: skip
    for path in files:
        assert not path.read_bytes().startswith(b"\x80")
        if zipfile.is_zipfile(path):
            assert {Path(name).suffix for name in zipfile.ZipFile(path).namelist()} <= {".json", ".npy", ".npz"}


def test_mlflows_own_flavours_read_the_same_file(store, examples, logistic):
    import mlflow

    saved, outputs = logistic
    _, child_id = log(store, saved, examples, outputs)
    where = location_of(store, child_id)
    model = mlflow.sklearn.load_model(where)
    np.testing.assert_array_equal(model.predict_proba(examples.frame()), outputs.values)
    served = mlflow.pyfunc.load_model(where)
    np.testing.assert_array_equal(served.predict(examples.frame()), outputs.values)
    assert served.metadata.signature.inputs.input_names() == ["age", "job"]
    assert served.metadata.signature.outputs.inputs[0].shape == (-1, 2)
    requirements = (Path(where) / "requirements.txt").read_text().split()
    assert all("==" in line for line in requirements)
    assert {"scikit-learn", "skops", "numpy"} <= {line.partition("==")[0] for line in requirements}
    stored = (Path(where) / "MLmodel").read_text()
    assert "clerk" not in stored  # kinds and shapes only, no row


def location_of(store, child_id):
    model_id = store.client.get_run(child_id).outputs.model_outputs[0].model_id
    return store.client.get_logged_model(model_id).artifact_location.removeprefix("file://")


def test_a_model_of_one_column_takes_an_array(store, examples, folder):
    import mlflow
    import skops.io
    from sklearn.linear_model import Ridge

    x = examples.columns["age"][:, None] * [[1.0, 2.0]]
    wide = type(examples)({"pixels": x}, examples.target, {"pixels": "wave"})
    model = Ridge().fit(x, examples.target)
    saved = folder / "ridge"
    saved.mkdir()
    skops.io.dump(model, saved / "model.skops")
    _, child_id = log(store, saved, wide, Predictions(model.predict(x)), column="pixels")
    served = mlflow.pyfunc.load_model(location_of(store, child_id))
    np.testing.assert_array_equal(served.predict(x), model.predict(x))
    assert served.metadata.signature.inputs.inputs[0].shape == (-1, 2)


def test_a_keras_file_is_a_model_of_mlflows_keras_flavour(store, folder, examples):
    import keras
    import mlflow

    age = keras.Input((), name="age")
    model = keras.Model({"age": age}, keras.layers.Dense(2, activation="softmax")(keras.layers.Reshape((1,))(age)))
    saved = folder / "network"
    saved.mkdir()
    model.save(saved / "model.keras")
    numbers = type(examples)({"age": examples.columns["age"]}, examples.target)
    values = model.predict(dict(numbers.columns), verbose=0)
    _, child_id = log(store, saved, numbers, Predictions(values))
    where = location_of(store, child_id)
    loaded = mlflow.keras.load_model(where)
    np.testing.assert_allclose(loaded.predict(dict(numbers.columns), verbose=0), values, rtol=1e-6)
    np.testing.assert_allclose(mlflow.pyfunc.load_model(where).predict(dict(numbers.columns)), values, rtol=1e-6)


def test_a_local_folder_or_its_file_is_taken_as_it_is(folder, logistic):
    saved, _ = logistic
    assert download_model(str(saved), folder) == saved
    assert download_model(str(saved / "model.skops"), folder) == saved


def test_a_pickle_is_no_model(folder):
    (folder / "old").mkdir()
    (folder / "old" / "model.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(BadInput, match=r"holds no model; a saved contender has one of model\.keras or model\.skops"):
        download_model(str(folder / "old"), folder)


def test_two_models_in_a_folder_are_refused(folder, logistic):
    saved, _ = logistic
    (saved / "model.keras").write_bytes(b"")
    with pytest.raises(BadInput, match="holds 2 models"):
        download_model(str(saved), folder)


def test_what_is_not_there_is_said_clearly(store, examples, logistic, folder):
    saved, outputs = logistic
    run_id, child_id = log(store, saved, examples, outputs, winner="prior")
    with pytest.raises(BadInput, match="there is no folder models/none"):
        download_model("models/none", folder)
    with pytest.raises(BadInput, match="no run abcd"):
        download_model("abcd" * 8, folder)
    with pytest.raises(BadInput, match="logged no model"):
        download_model(run_id, folder)
    with pytest.raises(BadInput, match="no contender 'forest'; it has prior, logistic"):
        download_model(run_id, folder, "forest")
    assert (download_model(run_id, folder, "logistic") / "model.skops").is_file()
    for path in (folder / "mlruns/artifacts").rglob("*"):
        if path.is_file():
            path.unlink()
    empty = folder / "empty"
    empty.mkdir()
    with pytest.raises(BadInput, match=r"(was moved or deleted|holds no model)"):
        download_model(child_id, empty)


def test_no_store_is_made_to_look_for_a_model(folder):
    with pytest.raises(BadInput, match="no run is recorded here"):
        download_model("abcdef12", folder)
    assert list(folder.iterdir()) == []
