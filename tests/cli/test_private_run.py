"""`tapeline run` with differential privacy: what is spent is said everywhere, and the secret seed nowhere."""

import json
import sys

import mlflow
import pytest

from pipelines.contenders import network
from pipelines.training import privacy

from .conftest import FAST, TASK
from .tables import loans

SECRET = 8765432109876543210
TABLE = ("run", TASK, "--data", "d.csv", "--target", "defaulted", *FAST)
ASKED = (*TABLE, "--set", "recipe.batch_size=32")
PRIVATE = (*ASKED, "--set", "recipe.dp_epsilon=3")


@pytest.fixture
def table(folder):
    loans().to_csv("d.csv", index=False)
    return folder


def test_what_is_spent_is_in_the_report_on_the_terminal_and_in_mlflow_and_the_seed_nowhere(
    tapeline, table, monkeypatch
):
    for module in (network, privacy):
        monkeypatch.setattr(module, "secret_seed", lambda: SECRET)
    ended = tapeline(*PRIVATE, "--json")
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    card, *others = document["contenders"]
    assert 2.9 < float(card["settings"]["privacy_epsilon"]) <= 3
    assert card["settings"]["privacy"].startswith(f"epsilon {card['settings']['privacy_epsilon']} (at most ")
    assert all("privacy" not in each["settings"] for each in others)
    client = mlflow.MlflowClient(f"sqlite:///{table}/mlruns/mlflow.db")
    child = client.get_run(card["mlflow_run_id"])
    assert child.data.params["chosen/privacy_epsilon"] == card["settings"]["privacy_epsilon"]
    assert child.data.params["chosen/privacy_delta"] == card["settings"]["privacy_delta"]
    assert child.data.params["recipe/dp_epsilon"] == "3.0"
    assert not [name for name in child.data.metrics if name.startswith("history/") and name.endswith("/loss")]
    assert [name for name in child.data.metrics if name.endswith("/valid_loss")]
    left = [path for path in table.rglob("*") if path.is_file()]
    assert any(path.name == "model.keras" for path in left)
    number = SECRET.to_bytes(8, "little")
    told = [path for path in left if str(SECRET).encode() in (content := path.read_bytes()) or number in content]
    assert told == []
    assert str(SECRET) not in ended.out + ended.err


def test_the_terminal_says_it_in_words(tapeline, table):
    ended = tapeline(*PRIVATE)
    said = " ".join(ended.out.split())
    assert ended.code == 0, ended.err
    assert "mlp was trained with differential privacy: epsilon 2.9" in said or "privacy: epsilon 3.000" in said
    assert "this does not cover validation rows, which decide when training stops" in said


REFUSED = {
    "the same weights every time": ((*PRIVATE, "--deterministic"), "nobody may know; leave out --deterministic"),
    "weights of classes": ((*PRIVATE, "--set", "recipe.class_weights=balanced"), "set recipe.class_weights=none"),
    "more than the rows": (
        (*TABLE, "--set", "recipe.dp_epsilon=3", "--set", "recipe.batch_size=500"), "recipe.batch_size=500 of"
    ),
    "no promise": ((*ASKED, "--set", "recipe.dp_epsilon=300"), "recipe.dp_epsilon must be above 0 and at most 20"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_private_is_refused_in_one_line_and_nothing_is_recorded(case, tapeline, table):
    asked, expected = REFUSED[case]
    ended = tapeline(*asked, "--quiet")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1), ended.err
    assert expected in ended.err
    assert [path.name for path in table.iterdir()] == ["d.csv"]


def test_a_missing_extra_is_named_and_nothing_is_recorded(tapeline, table, monkeypatch):
    monkeypatch.setitem(sys.modules, "dp_accounting", None)
    ended = tapeline(*ASKED, "--quiet", "--set", "recipe.dp_epsilon=2.75")  # of which nothing was counted before
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1), ended.err
    assert "pip install 'tapeline[privacy]'" in ended.err
    assert [path.name for path in table.iterdir()] == ["d.csv"]
