"""`tapeline tune` as a person types it: what is refused at once, and what is shown of a tuning."""

import pytest
from rich.console import Console

from pipelines.cli import show, show_tuning
from pipelines.report.document import Cost, DataCard, Estimate, Report, Scorecard, Verdict
from pipelines.report.tuning import Search, Tried, Tuning

from .conftest import TASK


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--trials", "0"), "--trials 0: give each contender at least 1 trial"),
        (("--seconds", "0"), "--seconds 0: give each contender some time"),
        (("--seconds", "nan"), "--seconds nan: give each contender some time"),
        (("--trials", "3", "--seconds", "9"), "--trials and --seconds are two ways to say the budget"),
        (("--set", "recipe.trials=3"), "--set recipe.trials is for the search of `tapeline run`"),
    ],
)
def test_what_cannot_be_a_budget_is_refused_in_one_line(tapeline, folder, flags, said):
    ended = tapeline("tune", TASK, *flags)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert not (folder / "mlruns").exists()


def test_an_unknown_task_is_said_before_anything_is_imported(tapeline, folder):
    ended = tapeline("tune", "finance/credit")
    assert ended.code == 2
    assert "did you mean finance/credit-default" in ended.err


def scorecard(name, kind):
    return Scorecard(name, kind, {"auroc": Estimate(0.8, 0.7, 0.9)}, Cost(1.0))


@pytest.fixture
def report():
    def search(contender, fold, *scores, settings):
        tried = [Tried(n, settings(n), s, 1.5, "failed" if s != s else "finished") for n, s in enumerate(scores, 1)]
        return Search(contender, fold, max(range(len(scores)), key=lambda at: scores[at]) + 1, tuple(tried))

    def of_network(number):
        return {"learning_rate": 0.001 * number, "width": 64}

    searches = (
        search("mlp", 1, 0.7, 0.8, 0.75, settings=of_network),
        search("mlp", 2, 0.6, 0.5, float("nan"), settings=of_network),
        search("linear", 1, 0.7, settings=lambda number: {"logisticregression__C": 1.0}),
        search("linear", 2, 0.7, 0.9, settings=lambda number: {"logisticregression__C": 1.0}),
        search("prior", 1, 0.5, settings=lambda number: {}),
        search("prior", 2, 0.5, settings=lambda number: {}),
    )
    cards = (scorecard("mlp", "network"), scorecard("linear", "classical"), scorecard("prior", "classical"))
    data = DataCard("sample", False, 100, "0f" * 32, {"train": 60, "valid": 20, "test": 20})
    verdict = Verdict("mlp", "yes", network="mlp", best_baseline="linear", sentence="it is better")
    tuning = Tuning(3, float("nan"), searches, ("epochs",))
    return Report(TASK, 0, 1.0, data, cards, (), verdict, "auroc", tuning=tuning)


def shown(of, report, width=160):
    console = Console(width=width, record=True, force_terminal=False)
    of(console, report)
    return console.export_text()


def test_the_table_says_what_each_budget_was_spent_on(report):
    text = shown(show.report, report)
    assert "tuning: 3 trials for each contender on each fold; AUROC on validation rows" in text
    (mlp,) = (line.split() for line in text.splitlines() if line.startswith("mlp") and "learning_rate" in line)
    assert mlp == ["mlp", "3", "1", "9.0", "0.6500", "0.7000", "learning_rate", "0.002,", "width", "64"]
    (linear,) = (line.split() for line in text.splitlines() if line.startswith("linear") and "C 1" in line)
    assert linear[:6] == ["linear", "1-2", "0", "4.5", "0.7000", "0.8000"]
    assert "not searched, because it was set: epochs" in text
    assert "one trial each, as there is nothing to tune or no time was left: prior" in text
    assert "fewer trials, as every setting was tried: linear" in text


@pytest.mark.parametrize("width", [80, 100, 160])
def test_it_fits_the_terminal(report, width):
    assert max(map(len, shown(show_tuning.searches, report, width).splitlines())) <= width


def test_the_networks_best_settings_are_printed_as_flags(report):
    lines = shown(show_tuning.pasted, report).splitlines()
    assert lines[1:] == [
        "the best settings of mlp of fold 1, whose model is kept:",
        "--set recipe.learning_rate=0.002 --set recipe.width=64",
    ]


def test_without_a_tuning_nothing_is_shown(report):
    from dataclasses import replace

    plain = replace(report, tuning=None)
    assert shown(show_tuning.searches, plain) == shown(show_tuning.pasted, plain) == ""
    assert "tuning" not in shown(show.report, plain)
