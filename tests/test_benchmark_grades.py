"""The benchmark of ordinal losses: both are learned by, and grades are decided in the ways it says."""

import json
import sys

import numpy as np

from benchmarks import grades


class Fitted:
    """Says the true grade's neighbours alone, so that the most probable grade is hardly ever the true one."""

    def __init__(self, objective):
        self.objective = objective

    def predict(self, rows):
        truth = self.objective.encode(rows.target)
        values, inside = np.zeros((len(truth), 5)), (truth > 0) & (truth < 4)
        values[inside, truth[inside] - 1], values[inside, truth[inside] + 1] = 0.51, 0.49
        values[~inside, truth[~inside]] = 1
        return self.objective.predict(values)


def test_grades_are_decided_in_three_ways(monkeypatch):
    learned = []

    class Network:
        def __init__(self, objective):
            self.objective = objective

        def fit(self, train, valid, seed):
            learned.append(self.objective.learn_by)
            return Fitted(self.objective)

    monkeypatch.setattr(grades, "line_up", lambda task, objective, recipe: [Network(objective)])
    found = {loss: grades.kappas(loss, 0) for loss in grades.LOSSES}
    assert learned == list(grades.LOSSES)
    for each in found.values():
        assert each["cut by validation rows"] == 1  # the mean of the neighbours is the grade
        assert each["cut half way"] == 1
        assert each["most probable"] < 0.9


def test_all_seeds_of_both_losses_are_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(grades, "kappas", lambda loss, seed, settings: {"most probable": seed / 10})
    monkeypatch.setattr(sys, "argv", ["grades", "--output", str(tmp_path / "grades.json")])
    grades.main()
    found = json.loads((tmp_path / "grades.json").read_text())["quadratic_kappa"]
    assert found == {loss: [{"most probable": each / 10} for each in grades.SEEDS] for loss in grades.LOSSES}
    assert "0.100" in capsys.readouterr().out
