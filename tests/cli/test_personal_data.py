"""Personal data that was planted in a user's data is nowhere in what a run leaves behind: a search proves it."""

import json
import zipfile

import numpy as np
import pandas as pd
import pytest

from .conftest import FAST, TASK, finish, start
from .tables import loans

PLANTED = {
    "anna.smith@left-out.example", "4111111111111111", "DE89370400440532013000", "+49 171 7654321", "536-90-4399",
    "Ottilie", "carl@path.example", "id7@ids.example",
}  # fmt: skip
KEPT = "asked.for@kept.example"


def traces(folder, words):
    """Which of the words are in any file under a folder, those in archives such as saved models included."""
    found = set()
    for path in (each for each in folder.rglob("*") if each.is_file()):
        parts = [path.read_bytes(), str(path.relative_to(folder)).encode()]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                parts += [archive.read(name) for name in archive.namelist()]
        found |= {word for word in words for part in parts if word.encode() in part or word.encode("utf-16-le") in part}
    return found


def table():
    rows = 200
    names = [f"{'Ottilie' if row % 11 == 3 else 'Name' + chr(65 + row % 20)}" for row in range(rows)]
    return loans(rows).drop(columns=["name", "day", "grade", "customer"]).assign(
        first_name=names,
        contact=np.resize(["anna.smith@left-out.example", "b@left-out.example"], rows),
        card=np.resize([4111111111111111, 5555555555554444], rows),
        bank=np.resize(["DE89370400440532013000", "NO9386011117947"], rows),
        remark=np.resize(["ok", "call +49 171 7654321", "ssn 536-90-4399", "late", "new"], rows),
        asked=np.resize([KEPT, "c@kept.example"], rows),
        who=[f"id{row // 2}@ids.example" for row in range(rows)],
    )  # fmt: skip


def test_a_run_leaves_no_trace_of_what_was_planted(tmp_path):
    place = tmp_path / "of carl@path.example"
    place.mkdir()
    table().to_csv(place / "loans.csv", index=False)
    flags = ("--target", "defaulted", "--sensitive", "sex", "--id", "who", "--keep-personal", "asked")
    ended = finish(start(tmp_path, "run", TASK, "--data", place / "loans.csv", *flags, *FAST))
    assert ended.code == 0, ended.err
    for told in (
        "column 'first_name': names of people in 200 of 200, left out", "column 'contact': e-mail addresses in 200",
        "column 'card': card numbers in 200", "column 'bank': IBANs in 200",
        "column 'remark': national identity numbers and phone numbers in 40 of 200, masked",
        "ids 'who': e-mail addresses",
        "column 'asked': e-mail addresses in 200 of 200, kept as --keep-personal asks", "the path of the data",
    ):  # fmt: skip
        assert told in ended.err, told
    assert traces(tmp_path / "mlruns", {*PLANTED, KEPT}) == {KEPT}, "a column that was asked for is in the vocabulary"
    assert not [word for word in PLANTED if word in ended.out + ended.err.replace(str(place), "")]


def test_strict_refuses_before_anything_is_recorded(folder, tapeline):
    table().to_csv("loans.csv", index=False)
    ended = tapeline("run", TASK, "--data", "loans.csv", "--target", "defaulted", "--strict", *FAST)
    assert ended.code == 2
    assert (
        "--strict: there is personal data in column 'first_name': names of people in 200 of 200; column 'contact'"
        in ended.err
    )
    assert "--exclude" in ended.err
    assert not [word for word in PLANTED if word in ended.err]
    assert not (folder / "mlruns" / "mlflow.db").exists()


def test_an_error_that_quotes_a_cell_or_a_name_masks_it(folder, tapeline):
    loans(60).assign(income=lambda t: t["income"].astype(object).where(t.index != 7, "anna@example.org")).to_csv(
        "loans.csv", index=False
    )
    ended = tapeline("run", TASK, "--data", "loans.csv", "--target", "defaulted", *FAST)
    assert (ended.code, "'[email]'" in ended.err, "anna@" in ended.err) == (2, True, False), ended.err
    loans(60).rename(columns={"job": "b@example.org"}).to_csv("loans.csv", index=False)
    ended = tapeline("run", TASK, "--data", "loans.csv", "--target", "defaulted", "--id", "b@example.orgs", *FAST)
    assert (ended.code, "[email]" in ended.err, "b@example" in ended.err) == (2, True, False), ended.err


@pytest.fixture
def reviews(folder):
    """Texts whose e-mail address is so common that a vocabulary would hold it, and means one of the classes."""
    random = np.random.default_rng(0)
    good, words = random.random(120) < 0.5, np.array(["tea", "coffee", "taste", "box", "price", "cup"])
    texts = [" ".join(random.choice(words, 12)) + (" thanks, fan@text.example" if kind else " refund") for kind in good]
    pd.DataFrame({"review": texts, "label": np.where(good, "good", "bad")}).to_csv("reviews.csv", index=False)
    return folder


def test_a_model_of_texts_learns_marks_and_reads_them_where_it_predicts(reviews, tapeline):
    flags = ("--data", "reviews.csv", "--text", "review", "--target", "label")
    short = ("--set", "recipe.epochs=1", "--set", "recipe.trials=1", "--set", "recipe.plan=resident")
    ended = tapeline("run", "nlp/sentiment", *flags, *short, "--json")
    assert ended.code == 0, ended.err
    assert "column 'text': e-mail addresses in" in ended.err
    assert traces(reviews / "mlruns", {"fan@text.example", "text.example", "fan"}) == set()
    run = json.loads(ended.out)["mlflow_run_id"]
    pd.DataFrame({"text": ["tea, thanks, fan@text.example", "tea, thanks, [email]", "tea"]}).to_csv(
        "new.csv", index=False
    )
    said = tapeline("predict", run, "--input", "new.csv", "--output", "out.csv", "--contender", "tfidf-logistic")
    assert said.code == 0, said.err
    written = pd.read_csv("out.csv")["probability_good"]
    assert written[0] == written[1] != written[2]
