"""A user's own table: every bad input is one clear line, every good value arrives."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.data.tables import OwnTable, read_rows, read_table
from pipelines.errors import BadInput
from pipelines.task import DataRequest, Dataset


def written(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def load(path: Path, target: str | None = "y", **flags) -> Dataset:
    return OwnTable().load(DataRequest(where=str(path), target=target, **flags))


def refusal(path: Path, target: str | None = "y", **flags) -> str:
    with pytest.raises(BadInput) as caught:
        load(path, target, **flags)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_numbers_categories_and_missing_values(tmp_path):
    path = written(tmp_path, "age, job ,y\n 31 ,clerk,1\nNA,?,0\n1.5e1, cook ,1\n")
    examples = load(path).examples
    assert examples.kinds == {"age": "number", "job": "category"}
    np.testing.assert_array_equal(examples.columns["age"], [31, np.nan, 15])
    assert examples.columns["job"].tolist() == ["clerk", None, "cook"]
    assert examples.target.tolist() == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("marker", ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?"])
def test_each_missing_marker(tmp_path, marker):
    examples = load(written(tmp_path, f"a,b,y\n{marker},{marker},0\n2,x,1\n")).examples
    assert math.isnan(examples.columns["a"][0])
    assert examples.columns["b"][0] is None


@pytest.mark.parametrize(("name", "separator"), [("t.csv", ","), ("t.csv", ";"), ("t.tsv", "\t"), ("t.txt", "\t")])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(tmp_path, name, separator, line_end):
    text = line_end.join(separator.join(row) for row in (["a", "b", "y"], ["1", "x", "0"], ["2", "z", "1"]))
    examples = load(written(tmp_path, text, name)).examples
    assert examples.columns["a"].tolist() == [1, 2]
    assert examples.columns["b"].tolist() == ["x", "z"]


def test_byte_order_mark_and_gzip(tmp_path):
    text = "\ufeffä,y\n1,0\n2,1\n".encode()
    assert list(load(written(tmp_path, text)).examples.columns) == ["ä"]
    assert list(load(written(tmp_path, gzip.compress(text), "t.csv.gz")).examples.columns) == ["ä"]


def test_quoted_newline_keeps_line_numbers(tmp_path):
    path = written(tmp_path, 'a,b,y\n"x\ny",1,0\nz,2,\n')
    assert "line 4" in refusal(path)


def test_blank_lines_are_skipped_and_counted(tmp_path):
    data = load(written(tmp_path, "\na,y\n\n1,0\n   \n2,1\n\n"))
    assert data.examples.columns["a"].tolist() == [1, 2]
    assert "4 blank lines were skipped" in data.notes


def test_a_row_of_delimiters_is_a_row(tmp_path):
    assert "line 3" in refusal(written(tmp_path, "a,b,y\n1,2,0\n,,\n"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b,y\n1,2,0\n1,2,0,9\n3,4,1\n", ["line 3", "4 cells", "has 3"]),
        ("a,b,y\n1,2,0\n1,2\n3,4,1\n", ["line 3", "2 cells", "has 3"]),
        ("a,b,y\n1,2,3,4\n1,2,3,4\n", ["line 2", "4"]),
        ("a,a,y\n1,2,0\n", ["'a'", "twice", "columns 1 and 2"]),
        (",a,y\n0,1,0\n", ["column 1", "no name"]),
        ("a,y\n", ["no rows", "'a'"]),
        ("", ["empty"]),
        (" \n\n", ["empty"]),
        ('a,y\n"x,1\nz,0\n', ["line 2", "never closed"]),
        ('a,y\n1,0\n"x" z,1\n', ["line 3", "quote"]),
        ("a,y\n" + "z" * 200_000 + ",1\n", ["line 2", "131,072"]),
        ("Dear reader,\nthis is prose, with commas, here and there.\nNo table.\nYours, truly, me\n", ["not a table"]),
        ("hello\nworld\n", ["one column only"]),
        ('{"a": 1,\n "y": 2}', ["JSON"]),
        ('{"a": 1, "y": 2}\n{"a": 2, "y": 3}\n', ["JSON"]),
        ("<!DOCTYPE html>\n<html><body>a,b</body></html>", ["HTML"]),
    ],
)
def test_text_that_is_no_table(tmp_path, text, words):
    path = written(tmp_path, text)
    message = refusal(path)
    assert str(path) in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("t.csv", b"a,y\n1,0\n2\x00,1\n", ["line 3", "NUL"]),
        ("t.csv", b"\x89PNG\r\n\x1a\n\x00\x00", ["binary"]),
        ("t.csv", "größe,y\n1,0\n".encode("latin-1"), ["line 1", "not UTF-8", "iconv"]),
        ("t.csv", "a,y\n1,0\n".encode("utf-16"), ["UTF-16"]),
        ("t.xlsx", b"PK\x03\x04rest", ["Excel"]),
        ("t.csv.gz", gzip.compress(b"a,y\n1,0\n", mtime=0)[:-6], ["damaged gzip"]),
        ("t.csv.gz", b"a,y\n1,0\n", ["not a gzip"]),
        ("t.parquet", b"a,y\n1,0\n", ["not a Parquet file"]),
        ("t.parquet", b"PAR1 broken PAR1", ["damaged Parquet"]),
    ],
)
def test_bytes_that_are_no_table(tmp_path, name, data, words):
    path = written(tmp_path, data, name)
    message = refusal(path)
    assert str(path) in message
    for word in words:
        assert word in message


def test_missing_file_suggests_the_nearest(tmp_path):
    written(tmp_path, "a,y\n1,0\n", "credit.csv")
    assert "did you mean 'credit.csv'?" in refusal(tmp_path / "credti.csv")
    assert "does not exist" in refusal(tmp_path / "nowhere" / "credit.csv")


def test_a_folder_is_no_table(tmp_path):
    assert "is a folder" in refusal(tmp_path)


def test_a_file_without_permission(tmp_path, monkeypatch):
    path = written(tmp_path, "a,y\n1,0\n")

    def denied(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    assert "no permission" in refusal(path)


def test_a_path_that_cannot_exist():
    with pytest.raises(BadInput, match=r"cannot be opened|no file"):
        OwnTable().load(DataRequest(where="a\0b", target="y"))


def test_unknown_and_missing_target(tmp_path):
    path = written(tmp_path, "income,default\n1,0\n2,1\n")
    message = refusal(path, "defualt")
    assert "did you mean 'default'?" in message
    assert "'income', 'default'" in message
    assert "--target is missing" in refusal(path, None)
    assert "'income', 'default'" in refusal(path, None)


@pytest.mark.parametrize("flag", ["sensitive", "id", "time", "exclude"])
def test_unknown_columns_of_other_flags(tmp_path, flag):
    path = written(tmp_path, "income,y\n1,0\n2,1\n")
    value = "incme" if flag in ("id", "time") else ("incme",)
    message = refusal(path, **{flag: value})
    assert f"--{flag}" in message
    assert "did you mean 'income'?" in message


def test_a_column_has_one_role(tmp_path):
    path = written(tmp_path, "a,b,y\n1,2,0\n2,3,1\n")
    message = refusal(path, sensitive=("y",))
    assert "--target" in message
    assert "--sensitive" in message


def test_missing_target_values(tmp_path):
    message = refusal(written(tmp_path, "a,y\n1,0\n2,\n3,NA\n4,1\n"))
    assert "2 rows" in message
    assert "lines 3, 4" in message


def test_missing_ids(tmp_path):
    assert "line 3" in refusal(written(tmp_path, "a,who,y\n1,p,0\n2,,1\n"), id="who")


def mostly_numbers(word: str, rows: int = 30) -> str:
    return "a,b,y\n" + "".join(f"{word if row == 10 else row * 1.5},x,{row % 2}\n" for row in range(rows))


def test_a_word_in_a_column_of_numbers(tmp_path):
    message = refusal(written(tmp_path, mostly_numbers("twelve")))
    for part in ("line 12", "'a'", "'twelve'", "--exclude 'a'"):
        assert part in message
    assert "1,500" in refusal(written(tmp_path, mostly_numbers('"1,500"')))
    assert "1_500" in refusal(written(tmp_path, mostly_numbers("1_500")))
    assert "a" not in load(written(tmp_path, mostly_numbers("twelve")), exclude=("a",)).examples.columns


def test_codes_may_mix_numbers_and_words(tmp_path):
    text = "children,y\n" + "".join(f"{'3+' if row % 12 == 0 else row % 3},{row % 2}\n" for row in range(120))
    data = load(written(tmp_path, text))
    assert data.examples.kinds["children"] == "category"
    assert any("'3+'" in note for note in data.notes)


@pytest.mark.parametrize("value", ["inf", "-Infinity", "1e999", "∞"])
def test_infinite_values(tmp_path, value):
    message = refusal(written(tmp_path, mostly_numbers(value)))
    for part in ("line 12", "'a'", "infinite"):
        assert part in message


def test_infinite_target(tmp_path):
    assert "line 3" in refusal(written(tmp_path, "a,y\n1,0.5\n2,inf\n"))


def test_names_are_left_out_with_a_note_but_categories_stay(tmp_path):
    text = "name,town,a,y\n" + "".join(f"person {row},town {row % 15},{row * row},{row % 2}\n" for row in range(60))
    data = load(written(tmp_path, text))
    assert list(data.examples.columns) == ["town", "a"]
    assert any("'name' is left out" in note for note in data.notes)
    assert "name" in load(written(tmp_path, text), sensitive=("name",)).examples.columns


def test_only_names_leave_nothing_to_learn_from(tmp_path):
    text = "name,y\n" + "".join(f"person {row},{row % 2}\n" for row in range(60))
    assert "no usable column" in refusal(written(tmp_path, text))


def test_roles_leave_the_inputs(tmp_path):
    text = "who,when,age,drop,a,y\np1,2024-01-31,30,1,5,no\np2,2024-02-01T00:00:01+00:00,40,2,6,yes\n"
    data = load(written(tmp_path, text), id="who", time="when", sensitive=("age",), exclude=("drop",), positive="yes")
    assert list(data.examples.columns) == ["age", "a"]
    assert data.examples.ids.tolist() == ["p1", "p2"]
    assert data.examples.time.tolist() == [1706659200, 1706745601]
    assert data.examples.target.tolist() == ["no", "yes"]
    assert data.positive == "yes"
    assert not data.simulated


def test_time_that_does_not_sort(tmp_path):
    message = refusal(written(tmp_path, "t,a,y\n2024-01-31,1,0\n31/1/2024,2,1\n"), time="t")
    assert "line 3" in message
    assert "2024-01-31" in message


@pytest.mark.parametrize("form", ["{}.3%", "{} kg", "−{}", "€{}.30", "$ {}", "{},345,678", "{}°C"])
def test_numbers_with_a_unit_or_sign_are_pointed_out(tmp_path, form):
    cells = [form.format(100 + row % 12) for row in range(60)]
    text = "m,a,y\n" + "".join(f'"{cell}",{row},{row % 2}\n' for row, cell in enumerate(cells))
    (note,) = [note for note in load(written(tmp_path, text)).notes if "'m'" in note]
    assert "looks like numbers with a unit or sign" in note
    assert "57.3" in note


def test_codes_are_no_numbers_with_a_unit(tmp_path):
    text = "m,a,y\n" + "".join(f"{'AB'[row % 2]}{row % 12}x,{row},{row % 2}\n" for row in range(60))
    assert not any("unit" in note for note in load(written(tmp_path, text)).notes)


def test_dates_with_dots_are_day_first(tmp_path):
    text = "t,a,y\n31.01.2024,1,0\n1.2.2024 00:00:01,2,1\n"
    assert load(written(tmp_path, text), time="t").examples.time.tolist() == [1706659200, 1706745601]
    assert "line 2" in refusal(written(tmp_path, "t,a,y\n01.31.2024,1,0\n1.2.2024,2,1\n"), time="t")


def test_dates_become_seconds_with_a_note(tmp_path):
    data = load(written(tmp_path, "day,y\n1970-01-02,0\n,1\n1970-01-01T00:01Z,1\n"))
    np.testing.assert_array_equal(data.examples.columns["day"], [86400, np.nan, 60])
    assert any("'day' holds dates" in note for note in data.notes)


@pytest.mark.parametrize("number", ["5,5", "1.234,5"])
def test_decimal_commas_are_refused_with_their_line(tmp_path, number):
    with pytest.raises(BadInput, match=r"line 2, column 'a' holds .*decimal comma"):
        load(written(tmp_path, "a;y\n" + "".join(f"{number}{row};{row % 2}\n" for row in range(10))))


def test_numbers_that_no_model_can_square_are_refused_with_their_line(tmp_path):
    with pytest.raises(BadInput, match=r"line 3, column 'a' is infinite or beyond 1e\+30"):
        load(written(tmp_path, "a,y\n1,0\n1e300,1\n" + "".join(f"{row},{row % 2}\n" for row in range(10))))


def test_truth_values_are_categories_in_csv_and_parquet(tmp_path):
    frame = pd.DataFrame({"a": [True, False, True], "y": [0, 1, 1]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    for name in ("t.csv", "t.parquet"):
        assert load(tmp_path / name).examples.columns["a"].tolist() == ["True", "False", "True"]


def test_parquet_types(tmp_path):
    frame = pd.DataFrame(
        {
            "whole": pd.array([1, None, 3], dtype="Int64"),
            "real": [0.1, np.nan, 0.3],
            "town": pd.Categorical(["x", None, "z"]),
            "day": pd.to_datetime(["1970-01-02", None, "1970-01-01"]),
            "list": [[1], [2], [3]],
            "long": [2**60, 2**60 + 1, 2**60 + 2],
            "y": ["a", "b", "a"],
        },
        index=[7, 8, 10],
    )
    frame.to_parquet(tmp_path / "t.parquet")
    data = load(tmp_path / "t.parquet", id="long")
    columns = data.examples.columns
    np.testing.assert_array_equal(columns["whole"], [1, np.nan, 3])
    np.testing.assert_array_equal(columns["real"], [0.1, np.nan, 0.3])
    np.testing.assert_array_equal(columns["day"], [86400, np.nan, 0])
    assert columns["town"].tolist() == ["x", None, "z"]
    assert len(set(data.examples.ids)) == 3
    assert any("'list' is left out" in note for note in data.notes)
    assert list(columns) == ["whole", "real", "town", "day"]


def test_parquet_errors_count_rows(tmp_path):
    pd.DataFrame({"a": [1.0, np.inf], "y": [0, 1]}).to_parquet(tmp_path / "t.parquet")
    assert "row 2" in refusal(tmp_path / "t.parquet")
    pd.DataFrame({"a": [], "y": []}).to_parquet(tmp_path / "t.parquet")
    assert "no rows" in refusal(tmp_path / "t.parquet")


def test_text_flag_does_not_belong_to_tables(tmp_path):
    assert "--text" in refusal(written(tmp_path, "a,y\n1,0\n"), text="a")


def test_rows_to_predict_follow_the_model(tmp_path):
    path = written(tmp_path, "zip,extra,age\n007,1,30\n,2,NA\n")
    examples, notes = read_rows(path, {"age": "number", "zip": "category"})
    assert list(examples.columns) == ["age", "zip"]
    np.testing.assert_array_equal(examples.columns["age"], [30, np.nan])
    assert examples.columns["zip"].tolist() == ["007", None]
    assert len(examples) == 2
    assert any("'extra'" in note for note in notes)


def test_rows_to_predict_that_do_not_fit(tmp_path):
    path = written(tmp_path, "aeg,town\n30,x\nold,y\n")
    with pytest.raises(BadInput, match=r"no column 'age'.*did you mean 'aeg'\?"):
        read_rows(path, {"age": "number"})
    with pytest.raises(BadInput, match=r"line 3, column 'aeg' holds 'old'"):
        read_rows(path, {"aeg": "number"})
    with pytest.raises(BadInput, match="image"):
        read_rows(path, {"aeg": "image"})


def test_rows_to_predict_read_dates_as_training_did(tmp_path):
    examples, _ = read_rows(written(tmp_path, "day\n1970-01-02\n"), {"day": "number"})
    assert examples.columns["day"].tolist() == [86400]


def test_esol_keeps_every_row():
    path = Path(__file__).resolve().parents[2] / "../shared/data/molecules/esol.csv"
    if not path.exists():
        pytest.skip("shared/data/molecules/esol.csv is absent")
    data = load(path, "measured log solubility in mols per litre")
    assert len(data.examples) == 1128
    frame = pd.read_csv(path)
    for name, values in data.examples.columns.items():
        np.testing.assert_allclose(values, frame[name], rtol=1e-15)
    assert len(read_table(path)) == 1128
