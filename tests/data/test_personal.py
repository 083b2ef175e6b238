"""Personal data in a user's own data: found wherever it is, told by counts, kept from models, refused if asked."""

import numpy as np
import pandas as pd
import pytest
from PIL import ExifTags, Image, PngImagePlugin
from scipy.io import wavfile

from pipelines.data.checks import run_checks
from pipelines.data.examples import Examples, OnDemand
from pipelines.data.images import OwnImages
from pipelines.data.own_transactions import OwnTransactions
from pipelines.data.personal import look, masked_as, without_personal
from pipelines.data.personal_kinds import PERSON
from pipelines.data.tables import OwnTable
from pipelines.data.texts import OwnTexts
from pipelines.data.waves import OwnWaves
from pipelines.errors import BadInput
from pipelines.task import DataRequest, Dataset

ROWS = 60
MAIL, CARD, PHONE = "anna.smith@example.org", "4111111111111111", "+49 171 1234567"


def people(**columns):
    random = np.random.default_rng(0)
    plain = {"income": random.normal(40, 9, ROWS).round(1), "job": random.choice(["clerk", "nurse"], ROWS)}
    return pd.DataFrame({**plain, **columns, "late": random.choice(["yes", "no"], ROWS)})


def loaded(tmp_path, table, source=None, **asked):
    path = tmp_path / "people.csv"
    table.to_csv(path, index=False)
    request = DataRequest(str(path), target=asked.pop("target", "late"), **asked)
    return without_personal((source or OwnTable()).load(request), request)


def repeated(values):
    return [values[row % len(values)] for row in range(ROWS)]


@pytest.mark.parametrize(
    ("name", "values", "kind", "rows"),
    [
        ("contact", repeated([MAIL, "b.c@example.org", "d@example.org"]), "e-mail addresses", 60),
        ("account", repeated([CARD, "5555555555554444", "4012888888881881"]), "card numbers", 60),
        ("bank", repeated(["DE89370400440532013000", "NO9386011117947"]), "IBANs", 60),
        ("hotline", repeated([PHONE, "+44 20 7946 0958"]), "phone numbers", 60),
        ("number", repeated(["536-90-4399", "536-90-4398"]), "national identity numbers", 60),
        ("contact", repeated(["+491711234501", "+491711234502", None]), "phone numbers", 40),
        ("first_name", repeated(["Ottilie", "Karl"]), "names of people", 60),
        ("name", repeated(list("ABCDEFGHIJKLMNOP")), "names of people", 60),
        ("patientName", repeated([f"{letter}, Jo" for letter in "ABCDEFGHIJKLMNOP"]), "names of people", 60),
        ("mobile", repeated(["0171 5550101", "0171 5550102"]), "phone numbers", 60),
        ("SSN", repeated([123456789, 123456780, None]), "national identity numbers", 40),
    ],
)
def test_a_column_of_personal_data_is_left_out_and_told_by_its_count(tmp_path, name, values, kind, rows):
    found = loaded(tmp_path, people(**{name: values}))
    assert set(found.examples.columns) == {"income", "job"}
    assert found.personal == (f"column {name!r}: {kind} in {rows} of 60, left out",)
    check = next(each for each in run_checks(found) if each.name == "no personal data")
    assert not check.passed
    assert check.detail == found.personal[0]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("name", repeated(["savings", "loan", "card"])),  # kinds of things
        ("name", [f"Product {row}" for row in repeated(range(15))]),
        ("telephone", repeated(["yes", "no"])),
        ("mobile", repeated([f"iPhone-1000123{row}" for row in range(9)])),
        ("mobile", repeated([0, 1, 2])),
        ("mobile", repeated(["555 12", "1-2-3"])),
        ("order", [10**15 + 7919 * row * row * 10**6 for row in range(ROWS)]),
        ("visits", repeated([1, 2, 3])),
    ],
)
def test_other_columns_are_learned_from_as_before(tmp_path, name, values):
    found = loaded(tmp_path, people(**{name: values}))
    assert name in found.examples.columns
    assert found.personal == ()
    assert next(each for each in run_checks(found) if each.name == "no personal data").passed


def test_single_ones_among_words_are_masked_and_so_are_they_in_rows_to_predict(tmp_path):
    notes = [f"mail {MAIL}" if row < 3 else ["ok", "late", None][row % 3] for row in range(ROWS)]
    found = loaded(tmp_path, people(note=notes))
    assert found.personal == ("column 'note': e-mail addresses in 3 of 60, masked",)
    assert found.masked == {"note": ("e-mail address",)}
    assert list(found.examples.columns["note"][:5]) == ["mail [email]"] * 3 + ["ok", "late"]
    assert found.examples.columns["note"][5] is None
    rows = loaded(tmp_path, people(note=notes), keep_personal=("note",)).examples
    assert masked_as(rows, found.masked).columns["note"][0] == "mail [email]"
    assert rows.columns["note"][0] == f"mail {MAIL}"


def test_texts_are_masked_and_columns_beside_them_looked_at(tmp_path):
    texts = [f"great tea number {row}, write to me" + (f" at {MAIL}" * (row == 7)) for row in range(ROWS)]
    table = people(review=texts, agent=[f"agent{row}@example.org" for row in range(ROWS)])
    found = loaded(tmp_path, table, OwnTexts(), text="review")
    assert found.examples.columns["text"][7] == "great tea number 7, write to me at [email]"
    assert found.examples.columns["text"][8] == texts[8]
    assert found.personal == (
        "column 'text': e-mail addresses in 1 of 60, masked",
        "column 'agent': e-mail addresses in 60 of 60, which no model sees and nothing records",
    )
    without = loaded(tmp_path, table, OwnTexts(), text="review", exclude=("agent",))
    assert len(without.personal) == 1


def test_a_kept_column_stays_as_it_is(tmp_path):
    found = loaded(tmp_path, people(contact=repeated([MAIL, "x@example.org"])), keep_personal=("contact",), strict=True)
    assert found.examples.columns["contact"][0] == MAIL
    assert found.personal == ("column 'contact': e-mail addresses in 60 of 60, kept as --keep-personal asks",)
    with pytest.raises(BadInput, match="--keep-personal 'contcat': models do not see"):
        loaded(tmp_path, people(), keep_personal=("contcat",))


def test_strict_refuses_and_says_where_without_a_value(tmp_path):
    table = people(contact=repeated([MAIL]), ref=[f"P{row} {PHONE}" for row in range(ROWS)])
    with pytest.raises(BadInput, match="--strict: there is personal data in column 'contact'") as refused:
        loaded(tmp_path, table, strict=True)
    said = str(refused.value)
    assert "column 'ref': phone numbers in 60 of 60" in said, "a column that is left out as it names rows counts too"
    assert not any(part in said for part in (MAIL, "1234567"))
    assert loaded(tmp_path, table, strict=True, exclude=("contact", "ref")).personal == ()


def test_what_would_stand_in_the_report_by_name_is_refused(tmp_path):
    mails = repeated([MAIL, "x@example.org"])
    for flags, said in (
        ({"target": "contact"}, "the target 'contact' holds e-mail addresses"),
        ({"sensitive": ("contact",)}, "--sensitive 'contact' holds e-mail addresses"),
    ):
        with pytest.raises(BadInput, match=said) as refused:
            loaded(tmp_path, people(contact=mails), **flags)
        assert MAIL not in str(refused.value)
    with pytest.raises(BadInput, match="name of a column is itself personal data, an e-mail") as refused:
        loaded(tmp_path, people(**{MAIL: repeated([1, 2, 3])}))
    assert MAIL not in str(refused.value)


def test_ids_and_the_path_are_told_and_the_path_is_masked(tmp_path):
    folder = tmp_path / "for anna@example.org"
    folder.mkdir()
    found = loaded(folder, people(who=[f"p{row // 2}@example.org" for row in range(ROWS)]), id="who")
    assert found.personal == (
        "ids 'who': e-mail addresses in 60 of 60, which no model sees and nothing records",
        "the path of the data: e-mail addresses in 1 of 1, masked",
    )
    assert "anna" not in found.source


def photographed(folder, file, **written):
    """Noise as a picture, with what is written beside it."""
    file.parent.mkdir(exist_ok=True)
    noise = np.random.default_rng(len(list(folder.rglob("*")))).integers(0, 255, (8, 8), dtype=np.uint8)
    Image.fromarray(noise).save(file, **written)


def test_names_of_files_and_headers_of_pictures_are_looked_at(tmp_path):
    for row in range(24):
        header = PngImagePlugin.PngInfo()
        header.add_text("PatientName", f"Doe^Jane{row}")
        header.add_text("Comment", "taken at noon")
        if row == 5:
            header.add(b"tEXt", b"Reader\0b@example.org", after_idat=True)
        name = f"{row}{'_anna@example.org' * (row == 3)}.png"
        photographed(tmp_path, tmp_path / ("ill" if row % 2 else "well") / name, pnginfo=header)
    request = DataRequest(str(tmp_path))
    found = without_personal(OwnImages(size=8).load(request), request)
    assert found.personal == (
        "names of files: e-mail addresses in 1 of 24, which no model sees and nothing records",
        "header 'PatientName': names of people in 24 of 24, which no model sees and nothing records",
        "header 'Reader': e-mail addresses in 1 of 1, which no model sees and nothing records",
    )
    with pytest.raises(BadInput, match=r"--strict.*header 'PatientName'"):
        without_personal(OwnImages(size=8).load(request), DataRequest(str(tmp_path), strict=True))


def test_exif_and_comments_of_photographs_are_headers_too(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "artist@example.org"
    exif[ExifTags.Base.XPAuthor] = "author@example.org\0".encode("utf-16-le")
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = b"ASCII\0\0\0card 4111111111111111"
    for row in range(24):
        file = tmp_path / ("a" if row % 2 else "b") / f"{row}.jpg"
        photographed(tmp_path, file, exif=exif, comment=b"call +49 171 1234567")
    request = DataRequest(str(tmp_path))
    found = without_personal(OwnImages(size=8).load(request), request).personal
    assert "header 'Artist': e-mail addresses in 24 of 24, which no model sees and nothing records" in found
    assert "header 'XPAuthor': e-mail addresses in 24 of 24, which no model sees and nothing records" in found
    assert "header 'UserComment': card numbers in 24 of 24, which no model sees and nothing records" in found
    assert "header 'comment': phone numbers in 24 of 24, which no model sees and nothing records" in found


def test_missing_values_are_nobody():
    assert look("first_name", np.array(["Ottilie", None, "Karl", None], dtype=object)) == {PERSON: 2}


def test_card_numbers_that_were_read_as_numbers_are_found():
    assert look("n", np.array([4111111111111111.0, np.nan, 5555555555554444.0])) == {"card number": 2}
    assert look("n", np.array([4111111111111112.0, 3.5, 1e300])) == {}


def test_columns_of_a_list_of_files_are_no_groups_where_they_say_who_somebody_is(tmp_path):
    rows = []
    for row in range(24):
        photographed(tmp_path, tmp_path / f"{row}.png")
        rows.append((f"{row}.png", "ab"[row % 2], 4111111111111111, ("Ottilie", "Karl")[row % 2], ("f", "m")[row % 2]))
    table = pd.DataFrame(rows, columns=["path", "label", "account", "first_name", "sex"])
    table.to_csv(tmp_path / "labels.csv", index=False)
    request = DataRequest(str(tmp_path))
    found = without_personal(OwnImages(size=8).load(request), request)
    assert set(found.examples.groups) == {"sex"}
    assert found.personal == (
        "column 'account': card numbers in 24 of 24, which no model sees and nothing records",
        "column 'first_name': names of people in 24 of 24, which no model sees and nothing records",
    )
    with pytest.raises(BadInput, match="--sensitive 'first_name' holds names of people"):
        OwnImages(size=8).load(DataRequest(str(tmp_path), sensitive=("first_name",)))


def test_names_of_recordings_are_looked_at(tmp_path):
    for row in range(24):
        path = tmp_path / ("yes", "no")[row % 2] / f"{row}_+49 171 1234567.wav"
        path.parent.mkdir(exist_ok=True)
        wavfile.write(path, 8000, np.random.default_rng(row).normal(0, 1000, 800).astype(np.int16))
    request = DataRequest(str(tmp_path))
    found = without_personal(OwnWaves(rate=8000, seconds=0.1).load(request), request)
    assert found.personal == ("names of files: phone numbers in 24 of 24, which no model sees and nothing records",)


class Stored(OnDemand):
    """Texts that are read as they are needed."""

    def __init__(self, texts):
        self.texts, self.shape, self.dtype = np.array(texts, dtype=object), (len(texts),), np.dtype(object)

    def __getitem__(self, index):
        return self.texts[index]

    def only(self, rows):
        return Stored(self.texts[rows])

    def hashes(self):
        return np.arange(len(self.texts), dtype=np.uint64)


def test_texts_larger_than_memory_are_masked_as_they_are_read():
    texts = Stored([f"mail {MAIL}", "nothing", f"{CARD} paid", "more"] * 10)
    examples = Examples({"text": texts}, np.array(["a", "b"] * 20, dtype=object), {"text": "text"})
    found = without_personal(Dataset(examples, "shards", False, "label"), DataRequest("shards"))
    column = found.examples.columns["text"]
    assert list(column[:4]) == ["mail [email]", "nothing", "[card] paid", "more"]
    assert column[0] == "mail [email]"
    assert list(found.examples.take(np.array([2, 0])).columns["text"][:]) == ["[card] paid", "mail [email]"]
    assert list(column.hashes()) == list(range(40))


def test_a_text_is_searched_and_not_judged_by_what_it_is_called():
    """Marks could not take the place of a name, and a text that is left out leaves nothing."""
    texts, labels = np.array(list("abcdefghijklmnopqrst") * 2, dtype=object), np.array(["a", "b"] * 20, dtype=object)
    examples = Examples({"full name": texts}, labels, {"full name": "text"})
    assert without_personal(Dataset(examples, "here", False, "label"), DataRequest("here")).personal == ()


def test_pictures_larger_than_memory_are_not_read_for_it():
    class Pictures(Stored):
        def __getitem__(self, index):
            raise AssertionError("read")

    examples = Examples({"image": Pictures([""] * 40)}, np.array(["a", "b"] * 20, dtype=object), {"image": "image"})
    assert without_personal(Dataset(examples, "shards", False, "label"), DataRequest("shards")).personal == ()


def test_a_portfolio_of_people_is_refused_and_payments_are_looked_through(tmp_path):
    examples = Examples({"x": np.arange(4.0)}, np.zeros((4, 2)), {"x": "number"})
    with pytest.raises(BadInput, match="name of a column is itself personal data"):
        without_personal(Dataset(examples, "prices", False, "returns", assets=("A", MAIL)), DataRequest("prices"))
    days = pd.date_range("2024-01-01", periods=ROWS, freq="7h").strftime("%Y-%m-%dT%H:%M:%S")
    table = pd.DataFrame({"time": days, "card": repeated([CARD, "5555555555554444"]), "amount": repeated([5.0, 9.0])})
    table["fraud"] = [int(row % 9 == 0) for row in range(ROWS)]
    found = loaded(tmp_path, table, OwnTransactions(), target="fraud")
    assert found.personal == ("column 'card': card numbers in 60 of 60, which no model sees and nothing records",)


def test_groups_and_records_are_looked_at_wherever_they_come_from():
    labels, mails = np.array(["a", "b"] * 20, dtype=object), np.array([MAIL, "b@example.org"] * 20, dtype=object)
    plain = Examples({"x": np.arange(40.0)}, labels, {"x": "number"})
    recorded = Dataset(plain, "here", False, "label", records={"who": mails})
    found = without_personal(recorded, DataRequest("here"))
    assert found.personal == ("record 'who': e-mail addresses in 40 of 40, which no model sees and nothing records",)
    grouped = Examples({"x": np.arange(40.0)}, labels, {"x": "number"}, groups={"who": mails})
    with pytest.raises(BadInput, match="the group 'who' holds e-mail addresses"):
        without_personal(Dataset(grouped, "here", False, "label"), DataRequest("here"))


def test_nothing_to_learn_from_is_said(tmp_path):
    table = people(contact=repeated([MAIL, "b@example.org"])).drop(columns=["income", "job"])
    with pytest.raises(BadInput, match="nothing is left to learn from: column 'contact'"):
        loaded(tmp_path, table)
