"""All workers of a job are asked for the same; what differs is named, and nobody starts."""

import json
from types import SimpleNamespace

import pytest

from domains.finance.credit_default import TASK
from pipelines import assist
from pipelines.errors import BadInput
from pipelines.task import DataRequest

ASKED = {"request": DataRequest("here.csv", "y"), "seed": 0, "assignments": ["recipe.epochs=2"], "deterministic": False}


def agree(data="aa", task=TASK, **changed):
    prepared = SimpleNamespace(
        card=lambda: SimpleNamespace(sha256=data), dataset=SimpleNamespace(source="somewhere.csv")
    )
    asked = ASKED | changed
    assist.agree(task, asked["request"], asked["seed"], asked["assignments"], asked["deterministic"], prepared)


@pytest.fixture
def chief(monkeypatch):
    """What the chief of two workers says: the usual."""
    said = []
    monkeypatch.setattr(assist, "workers", lambda: 2)
    monkeypatch.setattr(assist, "from_chief", lambda mine: said.append(mine) or mine)
    monkeypatch.setattr(assist, "agreed", lambda flag: flag)
    agree()
    monkeypatch.setattr(assist, "from_chief", lambda mine: said[0])
    return json.loads(said[0])


def test_the_same_is_agreed_on_wherever_the_data_lies(chief):
    agree(request=DataRequest("/elsewhere/there.csv", "y"))
    agree(assignments=["recipe.epochs=2"])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"data": "bb"}, "the data is not the chief's"),
        ({"seed": 1}, "--seed is not the chief's"),
        ({"assignments": []}, "--set is not the chief's"),
        ({"deterministic": True, "seed": 1}, "--seed and --deterministic are not the chief's"),
        ({"request": DataRequest("here.csv", "y", time="when")}, "--time is not the chief's"),
    ],
)
def test_what_differs_is_named(changed, said, chief):
    with pytest.raises(BadInput, match=said):
        agree(**changed)


def test_other_code_is_named(chief, monkeypatch):
    monkeypatch.setattr(assist, "sources", lambda: "other")
    with pytest.raises(BadInput, match="the code is not the chief's"):
        agree()


def test_who_is_right_does_not_start_either(chief, monkeypatch):
    monkeypatch.setattr(assist, "agreed", lambda flag: True)
    with pytest.raises(BadInput, match="another worker was not started with the same"):
        agree()
