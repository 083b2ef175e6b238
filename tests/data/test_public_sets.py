"""Public sets of the TFDS catalogue, read offline: from TFDS's mock data, and from a set prepared here."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow_datasets as tfds

from pipelines.data.public_set import PublicSet
from pipelines.errors import BadInput
from pipelines.task import DataRequest

PUBLIC = DataRequest(where="public")

GERMAN = PublicSet(
    "german_credit_numeric",
    vector="features",
    entries=("Checking", "Duration", *(f"entry{number}" for number in range(22))),
    positive="Bad",
)
DIGITS = PublicSet("spoken_digit", wave="audio", id="audio/filename", id_pattern=r"\d_(\w+)_\d+\.wav")
COMMANDS = PublicSet("speech_commands", wave="audio", splits=("train", "validation", "test"))
IMDB = PublicSet("imdb_reviews", text="text", positive="pos", splits=("train", "test"))
PNEUMONIA = PublicSet("pneumonia_mnist", image="image", positive="Pneumonia", splits=("train", "val", "test"))

WORDS = ("go", "stop", "_silence_")


class TinyWords(tfds.core.GeneratorBasedBuilder):
    """Tones at 16 kHz, 1.5 s long, of three speakers: what a set of recordings looks like, small enough for a test."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {
            "audio": tfds.features.Audio(file_format="wav", sample_rate=16000, dtype=np.int16),
            "label": tfds.features.ClassLabel(names=list(WORDS)),
            "file": tfds.features.Text(),
            "sex": tfds.features.ClassLabel(names=["female", "male"]),
            "age": np.float32,
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(60), "test": self._generate_examples(30)}

    def _generate_examples(self, rows):
        for row in range(rows):
            tone = 16000 * np.sin(2 * np.pi * 500 * np.arange(24000) / 16000)
            yield (
                row,
                {
                    "audio": tone.astype(np.int16),
                    "label": WORDS[row % 3],
                    "file": f"speaker{row % 5}_{row}.wav",
                    "sex": row % 2,
                    "age": float(row),
                },
            )


@pytest.fixture(scope="module")
def tiny_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("public")
    tfds.disable_progress_bar()
    TinyWords(data_dir=folder).download_and_prepare()
    return folder


@pytest.fixture
def tiny(tiny_folder, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tiny_folder))
    return tiny_folder


def mocked(source, rows=12, **settings):
    with tfds.testing.mock_data(num_examples=rows, **settings):
        return source.load(PUBLIC)


def test_a_vector_of_features_becomes_columns():
    dataset = mocked(GERMAN)
    examples = dataset.examples
    assert list(examples.columns)[:3] == ["Checking", "Duration", "entry0"]
    assert len(examples.columns) == 24
    assert set(examples.kinds.values()) == {"number"}
    assert all(values.dtype == np.float64 and values.shape == (12,) for values in examples.columns.values())
    assert set(examples.target) <= {"Bad", "Good"}
    assert (dataset.target, dataset.positive, dataset.official) == ("label", "Bad", None)
    assert dataset.source == "public german_credit_numeric/1.0.0"
    assert not dataset.simulated


def test_the_entries_of_a_vector_keep_their_order():
    import tensorflow as tf

    def rows(self, **settings):
        vectors = np.arange(48, dtype=np.int32).reshape(2, 24)
        return tf.data.Dataset.from_tensor_slices({"features": vectors, "label": [0, 1]})

    examples = mocked(GERMAN, as_dataset_fn=rows).examples
    assert examples.columns["Duration"].tolist() == [1, 25]
    assert examples.columns["entry21"].tolist() == [23, 47]
    assert examples.target.tolist() == ["Bad", "Good"]


def test_spoken_digits_have_speakers():
    import tensorflow as tf

    def rows(self, **settings):
        audio = tf.ragged.constant([[0, 16384, -32768], [0] * 9000], dtype=tf.int64)
        names = ["7_jackson_32.wav", "0_theo_1.wav"]
        dataset = tf.data.Dataset.from_tensor_slices({"audio": audio, "label": [7, 0], "audio/filename": names})
        return dataset.map(lambda row: {**row, "audio": row["audio"]})

    examples = mocked(DIGITS, as_dataset_fn=rows).examples
    assert examples.ids.tolist() == ["jackson", "theo"]
    assert examples.target.tolist() == ["7", "0"]
    assert examples.kinds == {"wave": "wave"}
    assert examples.columns["wave"].shape == (2, 8000)
    assert examples.columns["wave"].dtype == np.float32
    assert examples.columns["wave"][0, :4].tolist() == [0, 0.5, -1, 0]


def test_a_speaker_that_cannot_be_read_is_named():
    with pytest.raises(BadInput, match=r"spoken_digit: audio/filename of row 1 .* do not match"):
        mocked(DIGITS)  # the mock's file names are random letters


def test_reviews_are_text_with_official_splits():
    dataset = mocked(IMDB)
    examples = dataset.examples
    assert examples.kinds == {"text": "text"}
    assert all(isinstance(value, str) for value in examples.columns["text"])
    assert set(examples.target) == {"neg", "pos"}
    assert dataset.official.tolist() == ["train"] * 12 + ["test"] * 12


def test_pictures_keep_their_size_and_three_official_splits():
    dataset = mocked(PNEUMONIA)
    assert dataset.examples.kinds == {"image": "image"}
    assert dataset.examples.columns["image"].shape == (36, 28, 28, 1)
    assert dataset.examples.columns["image"].dtype == np.uint8
    assert set(dataset.examples.target) == {"Normal", "Pneumonia"}
    assert dataset.official.tolist() == ["train"] * 12 + ["valid"] * 12 + ["test"] * 12


def test_speech_commands_are_waves_with_official_splits():
    dataset = mocked(COMMANDS)
    assert dataset.examples.kinds == {"wave": "wave"}
    assert dataset.examples.columns["wave"].shape == (36, 8000)
    words = {"down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes", "_silence_", "_unknown_"}
    assert set(dataset.examples.target) <= words
    assert set(dataset.official) == {"train", "valid", "test"}


def test_recordings_are_resampled_and_cut(tiny):
    dataset = PublicSet("tiny_words", wave="audio", numbers=("age",), groups=("sex",), id="file").load(PUBLIC)
    wave = dataset.examples.columns["wave"]
    assert wave.shape == (60, 8000)
    spectrum = np.abs(np.fft.rfft(wave[0]))
    assert spectrum.argmax() == 500  # hertz: 8000 samples are one second
    assert np.abs(wave).max() == pytest.approx(16000 / 32768, rel=0.02)
    assert sorted(dataset.examples.columns["age"]) == list(range(60))
    assert set(dataset.examples.groups["sex"]) == {"female", "male"}
    assert dataset.official is None


def test_no_row_is_lost_and_splits_stay_apart(tiny):
    source = PublicSet("tiny_words", wave="audio", id="file", id_pattern=r"(speaker\d)_", splits=("train", "test"))
    dataset = source.load(PUBLIC)
    assert (dataset.official == "train").sum() == 60
    assert (dataset.official == "test").sum() == 30
    assert set(dataset.examples.ids) == {f"speaker{number}" for number in range(5)}
    assert dataset.examples.sha256() == source.load(PUBLIC).examples.sha256()


def test_labels_left_out(tiny):
    dataset = PublicSet("tiny_words", wave="audio", without=("_silence_",), splits=("train", "test")).load(PUBLIC)
    assert set(dataset.examples.target) == {"go", "stop"}
    assert len(dataset.examples) == 60
    assert dataset.official.tolist() == ["train"] * 40 + ["test"] * 20
    assert dataset.notes == ("rows labelled _silence_ are left out; 60 remain",)


def test_a_limit_is_shared_by_the_splits(tiny):
    dataset = PublicSet("tiny_words", wave="audio", limit=45, splits=("train", "test")).load(PUBLIC)
    assert dataset.official.tolist() == ["train"] * 30 + ["test"] * 15
    assert dataset.notes == ("read 45 of 90 rows, of each split its share",)
    everything = PublicSet("tiny_words", wave="audio", limit=90, splits=("train", "test")).load(PUBLIC)
    assert len(everything.examples) == 90
    assert everything.notes == ()


def test_a_set_that_misses_its_files_is_named(tiny, monkeypatch, tmp_path):
    import shutil

    shutil.copytree(tiny, tmp_path / "copy")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "copy"))
    for shard in (tmp_path / "copy").rglob("*train*.tfrecord*"):
        shard.write_bytes(shard.read_bytes()[:100])
    with pytest.raises(BadInput, match=r"tiny_words in .* cannot be read .*delete that folder"):
        PublicSet("tiny_words", wave="audio").load(PUBLIC)


def test_without_a_network_one_line_says_what_to_do(monkeypatch, tmp_path, capfd):
    import requests

    def unplugged(*arguments, **settings):
        raise requests.ConnectionError("no route to host\nsecond line")

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(requests.Session, "get", unplugged)
    with pytest.raises(BadInput) as refused:
        PNEUMONIA.load(PUBLIC)
    message = str(refused.value)
    assert "\n" not in message
    assert "pneumonia_mnist" in message
    assert "no route to host" in message
    assert "--data sample works offline" in message
    assert capfd.readouterr().out == ""
    assert not list((tmp_path / "pneumonia_mnist").glob("*"))


def test_a_download_is_not_tried_for_minutes(monkeypatch, tmp_path):
    from tensorflow_datasets.core.download import downloader

    tried = []

    def unplugged(self, *arguments, **settings):
        tried.append(self.get_adapter("https://zenodo.org").max_retries.total)
        raise OSError("unplugged")

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("requests.Session.get", unplugged)
    with pytest.raises(BadInput, match="unplugged"):
        PNEUMONIA.load(PUBLIC)
    assert tried == [5]
    assert downloader.MAX_RETRIES == 10


def test_an_unknown_catalogue_name_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(BadInput, match="no_such_set"):
        PublicSet("no_such_set", text="text").load(PUBLIC)


def test_own_flags_are_refused():
    with pytest.raises(BadInput, match="--target goes with --data PATH; --data public already knows it"):
        GERMAN.load(DataRequest(where="public", target="label"))


def test_a_sensitive_column_must_be_there(tiny):
    source = PublicSet("tiny_words", wave="audio", groups=("sex",))
    assert len(source.load(DataRequest(where="public", sensitive=("sex",))).examples) == 60
    with pytest.raises(BadInput, match=r"--sensitive se: no such column .*did you mean 'sex'"):
        source.load(DataRequest(where="public", sensitive=("se",)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"vector": "features"}, "names of its entries"),
        ({"entries": ("a",)}, "names of its entries"),
        ({"text": "text", "splits": ("training",)}, "'training' is not one of"),
    ],
)
def test_a_declaration_that_cannot_work_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        PublicSet("anything", **settings)
