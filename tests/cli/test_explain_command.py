"""`tapeline explain` on models of every kind of rows, saved and loaded again."""

import csv

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from rows_with_a_secret import pictures, table, texts

from pipelines.cli.rows_explained import explain_file
from pipelines.contenders import saved
from pipelines.contenders.acting import Acting, usual_of
from pipelines.contenders.classical import ClassicalContender
from pipelines.contenders.network import NetworkContender
from pipelines.contenders.pictures import BASELINES as PICTURES
from pipelines.contenders.tables import BASELINES as TABLES
from pipelines.data.personal_kinds import EMAIL
from pipelines.errors import BadInput
from pipelines.explanation.explain import keep_usual
from pipelines.models.tabular import mlp
from pipelines.models.text import bidirectional_lstm
from pipelines.models.vision import small_resnet
from pipelines.objectives.classification import Classification
from pipelines.task import Network, Recipe

RECIPE = Recipe(
    epochs=8, batch_size=64, learning_rate=5e-3, dropout=0.0, width=16, patience=12, trials=1, plan="resident"
)


def kept(folder, examples, declared, task, keep=True):
    """A trained contender as a run saves it."""
    objective = Classification().resolve(examples.target)
    made = (NetworkContender if isinstance(declared, Network) else ClassicalContender)(declared, objective, RECIPE)
    fitted = made.fit(examples, examples, 0)
    folder.mkdir()
    acting = Acting(None, None, usual_of(examples))
    saved.save(fitted, folder, task, declared.name, objective, examples, 0.5, acting=acting)
    if keep:
        keep_usual(fitted, examples, folder)
    return folder


def lines(folder):
    with (folder / "explained.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def first_parts(folder):
    found = {}
    for line in lines(folder):
        found.setdefault(line["row"], line["part"])
    return list(found.values())


def test_rows_of_a_table(tmp_path):
    examples = table()
    model = kept(tmp_path / "model", examples, Network("mlp", mlp), "finance/credit-default")
    rows = examples.take(np.argsort(-np.abs(examples.columns["secret"]))[:30])
    pd.DataFrame({**rows.columns}).to_csv(tmp_path / "rows.csv", index=False)
    notes = explain_file(str(model), tmp_path / "rows.csv", tmp_path / "out", None, 20)
    assert set(first_parts(tmp_path / "out")) == {"secret"}
    assert len(first_parts(tmp_path / "out")) == 20
    assert sorted(each.name for each in (tmp_path / "out").glob("*.png"))[:2] == ["row-1.png", "row-10.png"]
    assert Image.open(tmp_path / "out" / "row-1.png").size[0] > 400
    assert "the first 20 of 30 rows" in " ".join(notes)
    assert "integrated gradients" in " ".join(notes)
    heading = (tmp_path / "out" / "explained.csv").read_text().splitlines()[0]
    assert heading == "row,name,answer,part,push on the class low (log-odds)"


def test_a_classical_model_of_a_table_is_asked_column_by_column(tmp_path):
    examples = table()
    model = kept(tmp_path / "model", examples, TABLES[-1], "finance/credit-default")
    rows = examples.take(np.argsort(-np.abs(examples.columns["secret"]))[:3])
    pd.DataFrame({**rows.columns}).to_csv(tmp_path / "rows.csv", index=False)
    notes = explain_file(str(model), tmp_path / "rows.csv", tmp_path / "out", None, 20)
    assert first_parts(tmp_path / "out").count("secret") >= 2
    assert "need not add up" in " ".join(notes)


def test_words_of_a_text(tmp_path):
    examples = texts()
    model = kept(tmp_path / "model", examples, Network("lstm", bidirectional_lstm), "nlp/sentiment")
    asked = ["word1 word2 secret word3", "a Secret, plainly"]
    pd.DataFrame({"text": asked}).to_csv(tmp_path / "rows.csv", index=False)
    explain_file(str(model), tmp_path / "rows.csv", tmp_path / "out", None, 20)
    assert first_parts(tmp_path / "out") == ["secret", "secret"]
    assert {line["part"] for line in lines(tmp_path / "out") if line["row"] == "2"} == {"a", "secret", "plainly"}


def test_fields_of_a_picture_with_its_file(tmp_path):
    examples = pictures()
    model = kept(tmp_path / "model", examples, Network("resnet", small_resnet), "medical_imaging/lung-nodule")
    (tmp_path / "scans").mkdir()
    spotted = np.flatnonzero(examples.target == "yes")[:2]
    for number, row in enumerate(spotted):
        Image.fromarray(examples.columns["image"][row, ..., 0]).save(tmp_path / "scans" / f"{number}.png")
    explain_file(str(model), tmp_path / "scans", tmp_path / "out", None, 20)
    assert first_parts(tmp_path / "out") == ["rows 9-12, columns 5-8"] * 2
    assert {line["name"] for line in lines(tmp_path / "out")} == {str(tmp_path / "scans" / f"{n}.png") for n in (0, 1)}
    wide, tall = Image.open(tmp_path / "out" / "row-1.png").size
    assert wide > 2 * tall  # the picture, and two maps of it


@pytest.mark.parametrize(
    ("declared", "keep", "said"),
    [
        (
            Network("resnet", small_resnet),
            False,
            "was saved without what is usual; run medical_imaging/lung-nodule again",
        ),
        (PICTURES[-1], True, "is no single network and reads no table"),
    ],
)
def test_what_cannot_be_explained_says_what_can(tmp_path, declared, keep, said):
    examples = pictures(60)
    model = kept(tmp_path / "model", examples, declared, "medical_imaging/lung-nodule", keep)
    (tmp_path / "scans").mkdir()
    Image.fromarray(examples.columns["image"][0, ..., 0]).save(tmp_path / "scans" / "a.png")
    with pytest.raises(BadInput, match=said):
        explain_file(str(model), tmp_path / "scans", tmp_path / "out", None, 20)
    assert not (tmp_path / "out").exists()


def test_three_classes_of_a_classical_model_and_a_file_for_a_folder_are_refused(tmp_path):
    examples = table(200, classes=3)
    model = kept(tmp_path / "model", examples, TABLES[1], "finance/credit-default")
    pd.DataFrame({**examples.columns}).to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(BadInput, match="decides not between two classes"):
        explain_file(str(model), tmp_path / "rows.csv", tmp_path / "out", None, 20)
    with pytest.raises(BadInput, match="is a file; name a folder"):
        explain_file(str(model), tmp_path / "rows.csv", tmp_path / "rows.csv", None, 20)
    with pytest.raises(BadInput, match="holds other things; name a new folder"):
        explain_file(str(model), tmp_path / "rows.csv", tmp_path, None, 20)
    with pytest.raises(BadInput, match="cannot be written: Not a directory"):
        explain_file(str(kept_two(tmp_path)), tmp_path / "rows.csv", tmp_path / "rows.csv" / "out", None, 20)


def kept_two(tmp_path):
    return kept(tmp_path / "two classes", table(200), TABLES[1], "finance/credit-default")


def test_earlier_explanations_are_replaced_whole(tmp_path):
    model, rows = kept_two(tmp_path), tmp_path / "rows.csv"
    pd.DataFrame({**table(20).columns}).to_csv(rows, index=False)
    explain_file(str(model), rows, tmp_path / "out", None, 5)
    explain_file(str(model), rows, tmp_path / "out", None, 2)
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == ["explained.csv", "row-1.png", "row-2.png"]
    assert {line["row"] for line in lines(tmp_path / "out")} == {"1", "2"}


def test_what_a_killed_command_left_is_written_over(tmp_path):
    model, rows = kept_two(tmp_path), tmp_path / "rows.csv"
    pd.DataFrame({**table(20).columns}).to_csv(rows, index=False)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "explained.csv.tmp").write_text("row,na")
    explain_file(str(model), rows, tmp_path / "out", None, 1)
    for name in ("explained.csv.tmp", "row-7.png.tmp"):
        (tmp_path / "out" / name).write_text("row,na")
    explain_file(str(model), rows, tmp_path / "out", None, 1)
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == ["explained.csv", "row-1.png"]


def test_nothing_of_others_is_lost(tmp_path):
    model, rows = kept_two(tmp_path), tmp_path / "rows.csv"
    pd.DataFrame({**table(20).columns}).to_csv(rows, index=False)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "explained.csv").write_text("my,own,table\n")
    with pytest.raises(BadInput, match="holds other things"):
        explain_file(str(model), rows, tmp_path / "mine", None, 1)
    explain_file(str(model), rows, tmp_path / "out", None, 2)
    for name in ("row-holiday.png", "row-1.png.png"):
        (tmp_path / "out" / name).write_text("mine")
    explain_file(str(model), rows, tmp_path / "out", None, 1)
    there = ["explained.csv", "row-1.png", "row-1.png.png", "row-holiday.png"]
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == there


def test_of_a_full_disk_no_half_file_is_left(tmp_path, monkeypatch):
    def full(file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saved.os, "fsync", full)
    with pytest.raises(OSError, match="No space"), saved.whole(tmp_path / "page.html") as file:
        file.write(b"half")
    assert not list(tmp_path.iterdir())


def test_personal_data_is_masked_before_it_is_explained(tmp_path):
    examples = texts()
    model = kept(tmp_path / "model", examples, Network("lstm", bidirectional_lstm), "nlp/sentiment")
    description = model / saved.DESCRIPTION
    description.write_text(description.read_text().replace('"masked": {}', f'"masked": {{"text": ["{EMAIL}"]}}'))
    assert saved.load(model).masked == {"text": (EMAIL,)}
    pd.DataFrame({"text": ["write to ann@example.org secret"]}).to_csv(tmp_path / "rows.csv", index=False)
    explain_file(str(model), tmp_path / "rows.csv", tmp_path / "out", None, 20)
    assert not any("ann" in line["part"] for line in lines(tmp_path / "out"))
    assert any(line["part"] == "email" for line in lines(tmp_path / "out"))


def test_no_row_is_refused(tmp_path):
    examples = table(200)
    model = kept(tmp_path / "model", examples, Network("mlp", mlp), "finance/credit-default")
    pd.DataFrame({**examples.columns}).head(0).to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(BadInput, match="no row"):
        explain_file(str(model), tmp_path / "rows.csv", tmp_path / "out", None, 20)
