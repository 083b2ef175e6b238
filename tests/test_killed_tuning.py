"""kill -9 in the middle of tuning the network, and then of a baseline: the end is that of a tuning nobody stopped."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    command = [sys.executable, Path(__file__).with_name("tuning_deaths.py"), tmp_path_factory.mktemp("deaths")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MLFLOW_TRACKING_URI": ""}
    environment.pop("MLFLOW_TRACKING_URI")
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=500)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads(ended.stdout.splitlines()[-1])


def trials(report):
    """What was tried, without how long it took."""
    return {
        (search["contender"], search["fold"]): [
            search["best"], *((each["settings"], each["score"], each["state"]) for each in search["tried"])
        ]
        for search in report["tuning"]["searches"]
    }  # fmt: skip


def test_the_same_trials_are_made_in_the_same_order(found):
    assert trials(found["killed"]) == trials(found["whole"])
    assert {len(each) for name, each in trials(found["whole"]).items() if name[0] != "prior"} == {1 + 4}


def test_the_scores_are_the_same(found):
    scores = [{card["name"]: card["scores"] for card in found[name]["contenders"]} for name in ("whole", "killed")]
    assert scores[0] == scores[1]
    assert found["whole"]["verdict"] == found["killed"]["verdict"]


def test_trials_that_had_ended_were_not_made_again(found):
    """Their seconds are those that the killed process measured."""
    for seen, (contender, fold) in zip(found["seen"], [("mlp", 1), ("forest", 2)], strict=True):
        (search,) = (
            each
            for each in found["killed"]["tuning"]["searches"]
            if (each["contender"], each["fold"]) == (contender, fold)
        )
        assert len(seen) >= 2
        assert search["tried"][: len(seen)] == [each["tried"] for each in seen]


def test_nothing_is_left_of_it(found):
    assert found["left"] == []
