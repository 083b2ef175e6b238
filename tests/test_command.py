"""The command that a report says to type: the same that was typed, with personal data masked."""

import shlex

import pytest

from domains.finance.credit_default import TASK
from pipelines.command import typed
from pipelines.run import commanded
from pipelines.task import DataRequest

REQUEST = DataRequest(
    "my loans.csv", "bad", "yes", ("sex", "age"), "customer", "day", None, ("a",), True, ("b",), delay=7.0
)


def words(request=REQUEST, assignments=("recipe.epochs=5",), deterministic=True, **budget):
    return shlex.split(typed(commanded(TASK, request, 3, assignments, deterministic), **budget))


def test_every_flag_that_was_given_is_said():
    assert words() == shlex.split(
        "tapeline run finance/credit-default --data 'my loans.csv' --target bad --positive yes --sensitive sex "
        "--sensitive age --id customer --time day --exclude a --strict --keep-personal b --set recipe.epochs=5 "
        "--seed 3 --deterministic"
    )


def test_nothing_is_said_that_was_not():
    plain = words(DataRequest(), (), deterministic=False)
    assert plain == ["tapeline", "run", "finance/credit-default", "--data", "sample", "--seed", "3"]


@pytest.mark.parametrize(("budget", "said"), [({"trials": 8}, "--trials 8"), ({"seconds": 60.0}, "--seconds 60")])
def test_a_tuning_says_its_budget(budget, said):
    assert " ".join(words(**budget)).startswith(f"tapeline tune finance/credit-default {said} --data")


def test_personal_data_are_masked():
    said = typed(commanded(TASK, DataRequest("jane.doe@example.org.csv"), 0, (), deterministic=False))
    assert "jane" not in said
    assert "[email]" in said
