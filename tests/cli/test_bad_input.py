"""Whatever is wrong, a user reads one clear line, the exit code is 2, and nothing is left behind."""

import numpy as np
import pytest

from .conftest import FAST, TASK
from .tables import loans

FILE = ("--data", "d.csv", "--target", "defaulted")
ROWS = np.arange(200)


def wordy():
    return loans().assign(income=lambda table: table.income.astype(object).where(ROWS != 5, "lots"))


def infinite():
    return loans().assign(income=lambda table: table.income.where(ROWS != 4, np.inf))


BAD_TABLES = {
    "unknown column": (loans(), ("--data", "d.csv", "--target", "defalted"), "defalted"),
    "no target": (loans(), ("--data", "d.csv"), "--target"),
    "not a table": ("Dear sir,\nthis is a letter and no table.\nYours\n", FILE, "d.csv is not a table"),
    "binary": (bytes(range(256)) * 9, FILE, "d.csv is a binary file"),
    "empty": ("", FILE, "d.csv is empty"),
    "header only": ("a,defaulted\n", FILE, "no rows"),
    "one class": (loans().assign(defaulted="yes"), FILE, "one class only"),
    "missing target": (loans().assign(defaulted=lambda t: t.defaulted.where(ROWS != 7)), FILE, "line 9"),
    "words in a number": (wordy(), FILE, "line 7"),
    "three rows": (loans(3), FILE, "3 rows"),
    "infinite": (infinite(), FILE, "line 6, column 'income'"),
    "continuous target": (loans(), ("--data", "d.csv", "--target", "income", "--exclude", "defaulted"), "income"),
    "300 classes": (loans(900).assign(defaulted=lambda t: "k" + (t.index % 300).astype(str)), FILE, "300 distinct"),
    "no such sensitive column": (loans(), (*FILE, "--sensitive", "gender"), "'gender'"),
    "sensitive names": (loans(500), (*FILE, "--sensitive", "name"), "500 groups"),
    "sensitive codes": (loans(500).assign(k=lambda t: t.index.astype(str) + "k"), (*FILE, "--sensitive", "k"), "500 g"),
    "target is sensitive": (loans(), (*FILE, "--sensitive", "defaulted"), "both --target and --sensitive"),
    "no column left": (loans()[["sex", "defaulted"]], (*FILE, "--sensitive", "sex"), "--sensitive"),
    "no such excluded column": (loans(), (*FILE, "--exclude", "salary"), "'salary'"),
    "no such positive": (loans(), (*FILE, "--positive", "maybe"), "'maybe'"),
    "no such id": (loans(), (*FILE, "--id", "patient"), "'patient'"),
    "no moment": (loans(), (*FILE, "--time", "job"), "'job'"),
    "two columns of one name": (loans().rename(columns={"job": "sex"}), FILE, "stands twice"),
    "no such direction": (loans(), (*FILE, "--set", "protocol.monotone=incom:up"), "did you mean 'income'?"),
    "directions of three classes": (
        loans(), ("--data", "d.csv", "--target", "grade", "--set", "protocol.monotone=income:up"), "two classes",
    ),
    "referral of three classes": (
        loans(), ("--data", "d.csv", "--target", "grade", "--set", "protocol.refer=right:0.9"), "two classes",
    ),
    "nothing to obey": (loans(), (*FILE, "--set", "protocol.obey=yes"), "say which, as in protocol.monotone="),
    "points of three": (
        loans(), ("--data", "d.csv", "--target", "grade", "--set", "protocol.points=20:600:40"), "for two classes",
    ),
    "text flag": (loans(), (*FILE, "--text", "job"), "--text"),
}  # fmt: skip

BAD_USAGE = {
    "missing file": (("run", TASK, *FILE), "there is no file d.csv"),
    "empty path": (("run", TASK, "--data", " ", "--target", "defaulted"), "the path is empty"),
    "folder": (("run", TASK, "--data", ".", "--target", "defaulted"), "is a folder"),
    "task name": (("run", "finance/credit-defualt"), "did you mean finance/credit-default?"),
    "task without its domain": (("run", "credit-default"), "did you mean finance/credit-default?"),
    "no task": (("run",), "TASK"),
    "unknown key": (("run", TASK, "--set", "recipe.epoch=3"), "did you mean recipe.epochs?"),
    "wrong type": (("run", TASK, "--set", "recipe.epochs=many"), "write a whole number"),
    "out of range": (("run", TASK, "--set", "recipe.epochs=0"), "at least 1"),
    "no such network": (("run", TASK, "--set", "protocol.networks=mlp,xgb"), "no network 'xgb'; it has mlp, tabm, ft"),
    "nobody learns from normal rows": (("run", TASK, "--set", "recipe.contaminated=yes"), "does nothing here"),
    "no picture to change": (("run", TASK, "--set", "recipe.augment=1"), "none of mlp heeds it"),
    "no picture to look at": (("run", TASK, "--set", "recipe.views=2"), "recipe.views=2 does nothing here"),
    "too many looks": (("run", TASK, "--set", "recipe.views=65"), "from 0 to 64"),
    "no network that takes weights": (("run", TASK, "--set", "recipe.weights=a.h5"), "does nothing here"),
    "weights of a network that does not compete": (
        ("run", "medical_imaging/pneumonia", "--set", "recipe.weights=a.h5"), "none of resnet-14 heeds it",
    ),
    "mixed in private": (
        ("run", TASK, "--set", "recipe.mixup=0.2", "--set", "recipe.dp_epsilon=3"), "set recipe.mixup=0",
    ),
    "mixed of two groups": (
        ("run", TASK, "--set", "recipe.mixup=0.2", "--set", "protocol.mitigate=penalty"), "belongs to no group",
    ),
    "no emoji": (("run", TASK, "--set", "protocol.decide_by=cost:-1:5"), "'cost:-1:5' says nothing"),
    "no scale": (("run", TASK, "--set", "protocol.points=0:600:50"), "write PDO:BASE:ODDS, such as 20:600:50"),
    "no rule": (("run", TASK, "--set", "protocol.refer=sometimes"), "write right:S or cost:C"),
    "no sample": (("run", TASK, "--data", "sample:loanapp"), "there is no such sample set"),
    "no value": (("run", TASK, "--set", "recipe.epochs"), "key=value"),
    "not finite": (("run", TASK, "--set", "recipe.learning_rate=inf"), "finite"),
    "unknown flag": (("run", TASK, "--sensitve", "sex"), "`tapeline run --help`"),
    "negative seed": (("run", TASK, "--seed", "-1"), "--seed"),
    "target of the sample": (("run", TASK, "--target", "y"), "--target goes with --data PATH"),
    "public set": (("run", TASK, "--data", "public:nope"), "public:german_credit_numeric"),
    "nothing to compare": (("compare", TASK), f"tapeline run {TASK}"),
    "nothing to check": (("check", TASK), f"tapeline run {TASK}"),
    "no such model": (("predict", "abcd", "--input", "a.csv", "--output", "b.csv"), "abcd"),
    "kind of output": (("predict", "abcd", "--input", "a.csv", "--output", "b.txt"), ".parquet"),
    "port": (("ui", "--port", "70000"), "--port"),
    "command": (("runn",), "'run'"),
}  # fmt: skip


def one_line(ended, *expected):
    """Exit code 2, nothing on stdout, and one line of error that says what is expected, after notes if any."""
    errors = [line for line in ended.err.splitlines() if line.startswith("error ")]
    assert (ended.code, ended.out, len(errors)) == (2, "", 1), ended
    assert ended.err.endswith(errors[0] + "\n")
    assert "Traceback" not in ended.err
    for text in expected:
        assert text in errors[0]
    return errors[0]


@pytest.mark.parametrize("case", BAD_TABLES)
def test_a_bad_table_is_named_and_leaves_nothing(case, tapeline, folder):
    content, flags, expected = BAD_TABLES[case]
    path = folder / "d.csv"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else content.to_csv(index=False))
    one_line(tapeline("run", TASK, *flags, *FAST), expected)
    assert list(folder.iterdir()) == [path]


@pytest.mark.parametrize("case", BAD_USAGE)
def test_wrong_usage_is_named_and_leaves_nothing(case, tapeline, folder):
    arguments, expected = BAD_USAGE[case]
    one_line(tapeline(*arguments), expected)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("http://127.0.0.1:9", "connection refused"),
        ("http://no-such-host.invalid:5000", "MLFLOW_TRACKING_URI"),
        ("./runs", "nothing that MLflow can record to"),
    ],
)
def test_an_mlflow_that_cannot_be_used_is_told_before_anything_is_trained(uri, reason, tapeline, folder, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    loans().to_csv("d.csv", index=False)
    trained = []
    monkeypatch.setattr("pipelines.run.compete", lambda *each: trained.append(each))
    one_line(tapeline("run", TASK, *FILE, *FAST), uri, reason)
    assert (trained, [each.name for each in folder.iterdir()]) == ([], ["d.csv"])


def test_a_folder_that_runs_cannot_be_recorded_in(tapeline, folder):
    loans().to_csv("d.csv", index=False)
    (folder / "mlruns").write_text("a file is in the way")
    one_line(tapeline("run", TASK, *FILE, *FAST), "cannot write to", "mlruns")
    assert (folder / "mlruns").read_text() == "a file is in the way"


def test_an_unforeseen_error_is_one_short_line_unless_debug_is_asked(tapeline, folder, monkeypatch):
    def fail(*given):
        raise TypeError("much\n" * 1000)

    monkeypatch.setattr("pipelines.catalogue.find", fail)
    ended = tapeline("run", TASK)
    assert (ended.code, ended.err.count("\n")) == (3, 1)
    assert "unexpected TypeError: much" in ended.err
    assert len(ended.err) < 500
    assert "Traceback" in tapeline("run", TASK, "--debug").err


def test_a_message_is_shown_as_it_is_written_not_as_markup(tapeline, folder):
    one_line(tapeline("run", TASK, "--data", "[red]x[/red].csv"), "[red]x[/red].csv")
