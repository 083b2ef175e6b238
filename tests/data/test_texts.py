"""A user's own texts."""

from __future__ import annotations

import pytest

from pipelines.data.tables import read_rows
from pipelines.data.texts import OwnTexts
from pipelines.errors import BadInput
from pipelines.task import DataRequest

TABLE = (
    "id,review,stars,sex,when,label\n"
    'p1," good, ""very"" good\nindeed ",5,f,2024-01-01,pos\n'
    "p2,,1,m,2024-01-02,neg\n"
    "p2,NA,1,,2024-01-03,neg\n"
)


def load(tmp_path, text=TABLE, **flags):
    path = tmp_path / "reviews.csv"
    path.write_text(text)
    return OwnTexts().load(DataRequest(where=str(path), **{"target": "label", **flags}))


def test_the_longest_column_is_the_text_character_for_character(tmp_path):
    data = load(tmp_path, id="id", time="when", sensitive=("sex",))
    examples = data.examples
    assert examples.columns["text"].tolist() == [' good, "very" good\nindeed ', "", "NA"]
    assert examples.kinds == {"text": "text", "sex": "category"}
    assert examples.columns["sex"].tolist() == ["f", "m", None]
    assert examples.ids.tolist() == ["p1", "p2", "p2"]
    assert examples.time[1] - examples.time[0] == 86400
    assert examples.target.tolist() == ["pos", "neg", "neg"]
    told = " ".join(data.notes)
    assert "'review'" in told
    assert "1 text is empty" in told
    assert "'stars'" in told


def test_named_text(tmp_path):
    path = tmp_path / "two.csv"
    path.write_text("short,much longer,label\nab,a long text,1\ncd,another one,0\n")
    data = OwnTexts().load(DataRequest(where=str(path), target="label", text="short"))
    assert data.examples.columns["text"].tolist() == ["ab", "cd"]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"text": "reviw"}, "did you mean 'review'"),
        ({"text": "label"}, "one role only"),
        ({"target": None}, "--target is missing"),
        ({"text": "review", "exclude": ("review",)}, "one role only"),
        ({"exclude": ("nothing",)}, "--exclude"),
    ],
)
def test_flags_that_do_not_fit(tmp_path, flags, words):
    path = tmp_path / "reviews.csv"
    path.write_text(TABLE)
    with pytest.raises(BadInput) as caught:
        OwnTexts().load(DataRequest(where=str(path), **{"target": "label", **flags}))
    assert words in str(caught.value)


def test_missing_labels_name_their_line(tmp_path):
    path = tmp_path / "reviews.csv"
    path.write_text("text,label\ngood,1\nbad,\n")
    with pytest.raises(BadInput, match="line 3"):
        OwnTexts().load(DataRequest(where=str(path), target="label"))


def test_rows_to_predict_have_the_text_where_it_was_learned_from_or_in_a_column_called_text(tmp_path):
    data = load(tmp_path, time="when")
    rows, (ignored,) = read_rows(tmp_path / "reviews.csv", {"text": "text"}, data.reading)
    assert rows.columns["text"].tolist() == data.examples.columns["text"].tolist()
    assert "'review'" not in ignored  # it is the text
    path = tmp_path / "new.csv"
    path.write_text("text\nfine\n")
    assert read_rows(path, {"text": "text"}, data.reading)[0].columns["text"].tolist() == ["fine"]
    path.write_text("text,review\nfine,dull\n")
    assert read_rows(path, {"text": "text"}, data.reading)[0].columns["text"].tolist() == ["dull"]
    path.write_text("words\nfine\n")
    with pytest.raises(BadInput, match="has no column 'review', which the model was trained on"):
        read_rows(path, {"text": "text"}, data.reading)
