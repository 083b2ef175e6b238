"""Folders of shards: the same rows as in memory, read only where they are asked for, and damage that is named."""

import json
import platform

import numpy as np
import pytest
import shard_sets
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image

from pipelines.data.checks import constant_columns, row_hashes
from pipelines.data.examples import OnDemand
from pipelines.data.images import OwnImages
from pipelines.data.schema import describe
from pipelines.data.shards import files, own, stored
from pipelines.data.shards.frugal import return_large_blocks
from pipelines.data.tables import OwnTable
from pipelines.data.texts import OwnTexts
from pipelines.data.waves import OwnWaves, fit_length, resample
from pipelines.errors import BadInput
from pipelines.task import DataRequest

FORMATS = ("tfrecord", "array_record")
KINDS = {"image": OwnImages(channels=0), "wave": OwnWaves(rate=8000, seconds=0.25), "text": OwnTexts()}
TRAIN, TEST = shard_sets.rows(30), shard_sets.rows(9, seed=1)
ROWS = TRAIN + TEST


@pytest.fixture(scope="module", params=FORMATS)
def folder(request, tmp_path_factory):
    return shard_sets.write(
        tmp_path_factory.mktemp("set") / request.param, {"train": TRAIN, "test": TEST}, request.param
    )


@pytest.fixture
def on_demand(monkeypatch):
    monkeypatch.setattr(own, "KEPT_BYTES", 0)


def load(folder, kind, **asked):
    return KINDS[kind].load(DataRequest(str(folder), **({"text": "words"} if kind == "text" else {}), **asked))


def in_memory(kind):
    if kind == "image":
        return np.stack([row["picture"] for row in ROWS])
    if kind == "text":
        return np.array([row["words"] for row in ROWS], dtype=object)
    heard = [row["sound"].astype(np.float32) / 32768 for row in ROWS]
    return np.stack([fit_length(wave, 2000) for wave in heard])


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_those_that_were_written(folder, kind, on_demand):
    column, wanted = load(folder, kind).examples.columns[kind], in_memory(kind)
    assert isinstance(column, OnDemand)
    assert (column.shape, column.dtype) == (wanted.shape, wanted.dtype)
    np.testing.assert_array_equal(column[:], wanted)
    order = np.array([38, 0, 7, 6, 30, 29, 7])
    np.testing.assert_array_equal(column[order], wanted[order])
    np.testing.assert_array_equal(column.only(order)[2:5], wanted[order][2:5])
    np.testing.assert_array_equal(column[3], wanted[3])
    np.testing.assert_array_equal(column[np.arange(39) % 5 == 0], wanted[::5])
    np.testing.assert_array_equal(np.concatenate(list(column.blocks(1))), wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_a_small_set_is_in_memory(folder, kind):
    column = load(folder, kind).examples.columns[kind]
    assert isinstance(column, np.ndarray)
    np.testing.assert_array_equal(column, in_memory(kind))


def test_target_ids_groups_and_official_split(folder, on_demand):
    dataset = load(folder, "image", id="person", sensitive=("sex",), time="age")
    examples = dataset.examples
    assert examples.target.tolist() == [("bad", "good")[row["label"]] for row in ROWS]
    assert examples.ids.tolist() == [row["person"] for row in ROWS]
    assert examples.columns["sex"].tolist() == [row["sex"] for row in ROWS]
    assert examples.time.tolist() == [row["age"] for row in ROWS]
    assert dataset.official.tolist() == ["train"] * 30 + ["test"] * 9
    assert any("'label', as the set says" in note for note in dataset.notes)
    assert any("2 features" in note and "'sound', 'words'" in note for note in dataset.notes)


def test_where_people_are_learned_from_the_feature_that_names_them_is_asked_for(folder):
    source = OwnImages(channels=0, ids_required=True)
    with pytest.raises(BadInput, match="name the feature that says whose each picture is with --id"):
        source.load(DataRequest(str(folder)))
    assert source.load(DataRequest(str(folder), id="person")).examples.ids is not None


def test_a_table_of_shards_has_its_single_values_as_columns(folder):
    dataset = OwnTable().load(DataRequest(str(folder), target="label", exclude=("person",), sensitive=("sex",)))
    assert dataset.examples.kinds == {"age": "number", "sex": "category"}
    assert dataset.examples.columns["age"].tolist() == [row["age"] for row in ROWS]
    assert any("'words' is left out" in note for note in dataset.notes)


def test_only_the_rows_that_are_asked_for_are_read(folder, on_demand, monkeypatch):
    column = load(folder, "image").examples.columns["image"]
    read = []
    kind = files.TFRecordFile if folder.name == "tfrecord" else files.ArrayRecordFile
    original = kind.read
    monkeypatch.setattr(
        kind, "read", lambda self, positions: read.extend((self.path.name, each) for each in positions)
        or original(self, positions)
    )  # fmt: skip
    some = column.only(np.array([31, 8, 2]))
    assert (len(some), some.shape, len(some.hashes())) == (3, (3, 12, 10, 3), 3)
    assert not read
    assert some[1:].shape == (2, 12, 10, 3)
    shard = f"simulated-train.{folder.name}-0000"
    assert sorted(read) == [(f"{shard}0", 2), (f"{shard}1", 1)]


def test_memory_goes_back_to_the_system_where_rows_are_read_on_demand(folder, monkeypatch):
    asked = []
    monkeypatch.setattr(own, "return_large_blocks", lambda: asked.append(True))
    load(folder, "image")
    assert not asked
    monkeypatch.setattr(own, "KEPT_BYTES", 0)
    load(folder, "image")
    assert asked == [True]
    if platform.libc_ver()[0] == "glibc":
        assert return_large_blocks()


def test_of_many_shards_none_stays_open(tmp_path, on_demand, monkeypatch):
    monkeypatch.setattr(stored, "MOST_OPEN", 3)
    folder = shard_sets.write(tmp_path / "set", {"train": TRAIN}, "array_record")
    opened, original = [], files.ArrayRecordFile._opened

    def counted(self):
        opened.append(self)
        return original(self)

    monkeypatch.setattr(files.ArrayRecordFile, "_opened", counted)
    column = load(folder, "image").examples.columns["image"]
    np.testing.assert_array_equal(column[::6], in_memory("image")[:30:6])
    assert len({id(each) for each in opened}) == 5
    assert not any(each._reader for each in opened)


def test_checks_and_summaries_read_no_row_again(folder, on_demand, monkeypatch):
    dataset = load(folder, "wave")
    for kind in (files.TFRecordFile, files.ArrayRecordFile):
        monkeypatch.setattr(kind, "read", lambda self, positions: pytest.fail("a record was read"))
    assert len(np.unique(row_hashes(dataset.examples))) == 39
    assert constant_columns(dataset.examples) == []
    assert describe(dataset.examples.take(np.arange(0)))[0].kind == "wave"
    assert len(dataset.examples.sha256()) == 64


def test_equal_rows_have_equal_hashes_and_changed_ones_another_sum(tmp_path, on_demand):
    first = load(shard_sets.write(tmp_path / "a", {"train": [*TRAIN, TRAIN[3]]}), "image").examples
    again = load(shard_sets.write(tmp_path / "b", {"train": [*TRAIN, TRAIN[3]]}, a_shard=50), "image").examples
    other = [{**TRAIN[0], "picture": TRAIN[1]["picture"]}, *TRAIN[1:], TRAIN[3]]
    changed = load(shard_sets.write(tmp_path / "c", {"train": other}), "image").examples
    assert len(np.unique(row_hashes(first))) == 30
    assert first.sha256() == again.sha256() != changed.sha256()


def test_pictures_of_differing_sizes_are_resized_and_made_grey(tmp_path, on_demand):
    chance = np.random.default_rng(0)
    held = [
        {"picture": chance.integers(0, 256, (8 + 3 * row, 9, 3)).astype(np.uint8), "label": row % 2}
        for row in range(22)
    ]
    held[5]["picture"] = np.full((40, 40, 3), (255, 0, 0), np.uint8)
    described = tfds.features.FeaturesDict(
        {"picture": tfds.features.Image(shape=(None, None, 3)), "label": tfds.features.ClassLabel(num_classes=2)}
    )
    folder = shard_sets.write(tmp_path / "set", {"train": held}, described=described)
    column = OwnImages(size=16, channels=1).load(DataRequest(str(folder))).examples.columns["image"]
    assert column.shape == (22, 16, 16, 1)
    assert np.unique(column[5]).tolist() == [76]  # .299 of 255
    assert column[:].shape == column.shape
    by_pillow = Image.fromarray(held[21]["picture"]).resize((16, 16), Image.Resampling.BILINEAR)
    luma = np.asarray(by_pillow) @ np.array([0.299, 0.587, 0.114])
    assert np.abs(column[21][..., 0] - luma).max() < 2


def test_sounds_of_another_rate_are_resampled(folder, on_demand):
    column = OwnWaves(rate=4000, seconds=0.25).load(DataRequest(str(folder))).examples.columns["wave"]
    wanted = fit_length(resample(ROWS[2]["sound"].astype(np.float32) / 32768, 8000, 4000), 1000)
    np.testing.assert_array_equal(column[2], wanted)


def damage(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 255
    path.write_bytes(content)


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_damaged_record_is_named(tmp_path, file_format):
    shard_sets.write(tmp_path / "set", {"train": TRAIN}, file_format)
    path = tmp_path / "set" / f"simulated-train.{file_format}-00002"
    damage(path, path.stat().st_size // 2 if file_format == "tfrecord" else 5000)
    with pytest.raises(BadInput, match=rf"{path.name} is damaged at record \d") as told:
        load(tmp_path / "set", "image")
    place = int(str(told.value).split("at record ")[1].split(" ")[0])
    if file_format == "tfrecord":  # seven records of nearly equal size: its middle lies in the fourth
        assert place == 4
    assert 1 <= place <= 7


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_shard_that_is_cut_short_is_named(tmp_path, file_format):
    shard_sets.write(tmp_path / "set", {"train": TRAIN}, file_format)
    path = tmp_path / "set" / f"simulated-train.{file_format}-00001"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(BadInput, match=rf"{path.name} is (damaged at record 4 \(truncated\)|a damaged Arr.*cut short)"):
        load(tmp_path / "set", "image")


def test_a_shard_that_lacks_whole_records_is_named(tmp_path):
    shard_sets.write(tmp_path / "set", {"train": TRAIN})
    shards = sorted((tmp_path / "set").glob("*tfrecord*"))
    shards[1].write_bytes(shards[4].read_bytes())
    with pytest.raises(BadInput, match=r"00001 holds 2 records; dataset_info.json says 7"):
        load(tmp_path / "set", "image")
    shards[1].unlink()
    with pytest.raises(BadInput, match=r"00001 is missing, though dataset_info\.json names it"):
        load(tmp_path / "set", "image")


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_shard_that_changes_after_it_was_checked_is_named(tmp_path, on_demand, file_format):
    shard_sets.write(tmp_path / "set", {"train": TRAIN}, file_format)
    column = load(tmp_path / "set", "image").examples.columns["image"]
    path = tmp_path / "set" / f"simulated-train.{file_format}-00000"
    damage(path, path.stat().st_size // 2 if file_format == "tfrecord" else 5000)
    with pytest.raises(BadInput, match=rf"{path.name} is damaged at record \d"):
        column[:7]
    np.testing.assert_array_equal(column[7:], in_memory("image")[7:30])


def test_a_picture_that_cannot_be_decoded_is_named(tmp_path, on_demand):
    import io

    broken = io.BytesIO(b"no picture")
    held = [*TRAIN[:10], {**TRAIN[10], "picture": broken}, *TRAIN[11:]]
    column = load(shard_sets.write(tmp_path / "set", {"train": held}), "image").examples.columns["image"]
    assert column[:10].shape == (10, 12, 10, 3)
    with pytest.raises(BadInput, match=r"record 4 of .*00001 cannot be decoded"):
        column[8:12]


def test_what_a_folder_lacks_is_said(tmp_path):
    whole = shard_sets.write(tmp_path / "set", {"train": TRAIN})
    (whole / "features.json").rename(tmp_path / "kept.json")
    with pytest.raises(BadInput, match=r"no features.json, which says what the records hold.*write_metadata"):
        load(whole, "image")
    (tmp_path / "kept.json").rename(whole / "features.json")
    (whole / "dataset_info.json").unlink()
    with pytest.raises(BadInput, match=r"shards such as simulated-train\.tfrecord-00000 but no dataset_info\.json"):
        load(whole, "image")


def test_the_folder_above_a_set_leads_to_it(tmp_path):
    shard_sets.write(tmp_path / "scans" / "1.0.0", {"train": TRAIN})
    with pytest.raises(BadInput, match=r"'1\.0\.0' in it is; give that to --data"):
        load(tmp_path / "scans", "image")
    with pytest.raises(BadInput, match=r"'scans/1\.0\.0' in it is"):
        load(tmp_path, "image")


def test_a_feature_of_another_package_is_not_imported(tmp_path):
    folder = shard_sets.write(tmp_path / "set", {"train": TRAIN})
    described = json.loads((folder / "features.json").read_text())
    described["featuresDict"]["features"]["age"]["pythonClassName"] = "antigravity.Feature"
    (folder / "features.json").write_text(json.dumps(described))
    with pytest.raises(BadInput, match=r"another package, 'antigravity.Feature'"):
        load(folder, "image")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"target": "lable"}, "no feature 'lable' .--target.; did you mean 'label'"),
        ({"target": "picture"}, "--target 'picture' of .* is no single number, label or text"),
        ({"target": "label", "id": "label"}, "given to both --target and --id"),
        ({"exclude": ("picture",)}, "no feature that is a picture"),
        ({"text": "words"}, "--text is for tasks that learn from text"),
        ({"time": "sex"}, "'sex' .--time. holds 'm'|'sex' .--time. holds 'f'"),
    ],
)
def test_flags_that_do_not_fit_are_told(folder, asked, told):
    with pytest.raises(BadInput, match=told):
        KINDS["image"].load(DataRequest(str(folder), **asked))


def test_unlabelled_rows_and_unknown_splits(tmp_path):
    unlabelled = [{**row, "label": -1} for row in TEST]
    folder = shard_sets.write(tmp_path / "set", {"train": TRAIN, "unsupervised": unlabelled})
    dataset = load(folder, "image")
    assert (len(dataset.examples), dataset.official) == (30, None)
    assert any("1 split besides" in note and "'unsupervised'" in note for note in dataset.notes)
    folder = shard_sets.write(tmp_path / "other", {"train": TRAIN, "test": unlabelled})
    with pytest.raises(BadInput, match=r"'label' .--target. is missing or infinite in 9 rows .*31, 32, 33, 34, 35, …"):
        load(folder, "image")


def test_one_split_without_training_rows_is_split_anew(tmp_path):
    folder = shard_sets.write(tmp_path / "set", {"validation": TRAIN, "test": TEST})
    dataset = load(folder, "image")
    assert dataset.official is None
    assert any("validation, test only" in note for note in dataset.notes)


def changed_record(folder, change):
    """The set with its third record changed."""
    path = next(path for path in sorted(folder.iterdir()) if "tfrecord" in path.name)
    records = [record.numpy() for record in tf.data.TFRecordDataset(str(path))]
    example = tf.train.Example.FromString(records[2])
    change(example.features.feature)
    records[2] = example.SerializeToString()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)
    return DataRequest(str(folder), target="label")


@pytest.mark.parametrize(
    ("source", "name", "change", "told"),
    [
        (OwnWaves(), "sound", lambda held: held.pop("sound"), "record 3 of .*00000 has no 'sound'"),
        (OwnWaves(), "sound", lambda held: held["sound"].Clear(), "record 3 of .*00000 has no 'sound'"),
        (OwnImages(), "picture", lambda held: held.pop("picture"), "record 3 of .*00000 has no 'picture'"),
        (OwnImages(), "label", lambda held: held["label"].float_list.value.append(1),
         "record 3 of .*00000 holds a value of type float in 'label', where features.json promises one of type int64"),
        (OwnImages(), "label", lambda held: held["label"].int64_list.value.append(1), "holds 2 values in 'label'"),
        (OwnImages(), "label", lambda held: held["label"].int64_list.Clear(), "has no 'label'"),
    ],
)  # fmt: skip
def test_a_record_that_is_not_as_described_is_named(tmp_path, source, name, change, told):
    folder = shard_sets.write(tmp_path / "set", {"train": shard_sets.rows(7)})
    with pytest.raises(BadInput, match=told):
        source.load(changed_record(folder, change))


def test_what_tensorflow_says_is_told_without_where_it_was_made():
    made = 'Graph execution error:\n\nDetected at node A defined at:\n  File "x.py", line 3\n\nIt is no JPEG\n'
    assert files.brief(ValueError(f"{made}\t [[{{{{node A}}}}]] [Op:f]")) == "It is no JPEG"
    assert files.brief(ValueError("{{function_node f}} It is no PNG\n\t [[{{node A}}]]")) == "It is no PNG"
    assert (files.brief(ValueError("one\ntwo")), files.brief(ValueError())) == ("one", "ValueError")


def test_a_description_that_cannot_be_true_is_refused(tmp_path):
    folder = shard_sets.write(tmp_path / "set", {"train": shard_sets.rows(7), "test": shard_sets.rows(3)})
    info = folder / "dataset_info.json"
    kept = info.read_text()
    for lengths in (["999999999999"], ["-3"]):
        described = json.loads(kept)
        described["splits"][0]["shardLengths"] = lengths
        info.write_text(json.dumps(described))
        with pytest.raises(BadInput, match=r"says that the shard simulated-\w+.tfrecord-00000 of [\d,]+ bytes holds "):
            OwnImages().load(DataRequest(str(folder), target="label"))
    info.write_text(kept)
    (folder / "label.labels.txt").write_text("good\ngood\n")
    with pytest.raises(BadInput, match=r"'label' has two labels of the name 'good'"):
        OwnImages().load(DataRequest(str(folder), target="label"))
