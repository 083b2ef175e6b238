"""Trained contenders score payments as they come in, and nothing later changes a score."""

from dataclasses import replace

import numpy as np
import pytest
from payments import changed_after, payments

from pipelines.contenders import saved
from pipelines.contenders.lineup import line_up
from pipelines.data.behaviour_state import Payment
from pipelines.data.examples import Examples
from pipelines.errors import BadInput
from pipelines.operations.scoring import Scorer

DELAY = 3.0


def examples(of):
    columns, kinds = of.inputs(DELAY)
    return Examples(columns, np.where(of.fraud > 0, "fraud", "genuine"), kinds, time=of.time)


@pytest.fixture(scope="module")
def of():
    return payments(600, days=60.0)


@pytest.fixture(scope="module")
def trained(of):
    """Every contender of the task, trained on the first two thirds."""
    from domains.finance.card_fraud import TASK

    whole = examples(of)
    objective = TASK.objective.resolve(whole.target)
    recipe = replace(TASK.recipe, epochs=2, trials=1, width=8, plan="resident")
    train, valid = whole.take(np.arange(350)), whole.take(np.arange(350, 400))
    return objective, {each.name: each.fit(train, valid, 0) for each in line_up(TASK, objective, recipe)}


@pytest.mark.parametrize("moment", [20.0, 45.5])
def test_no_contender_looks_ahead(of, trained, moment):
    """Whatever is changed after a moment: amounts, labels, places, whose and where; scores up to it stay the same."""
    until = np.flatnonzero(of.time <= moment)
    before, after = examples(of).take(until), examples(changed_after(of, moment, 1)).take(until)
    for name, fitted in trained[1].items():
        np.testing.assert_array_equal(fitted.predict(before).values, fitted.predict(after).values, err_msg=name)


def test_payments_one_at_a_time_are_scored_as_the_table_is(of, trained, tmp_path):
    objective, fitted = trained
    whole = examples(of)
    for name in ("tabm", "gru"):
        folder = tmp_path / name
        folder.mkdir()
        reading = {"delay": repr(DELAY)}
        saved.save(fitted[name], folder, "finance/card-fraud", name, objective, whole, 0.5, reading=reading)
        scorer = Scorer(saved.load(folder))
        came = [
            Payment(str(of.customer[row]), str(of.terminal[row]), float(of.time[row]), float(of.amount[row]),
                    tuple(of.place[row].tolist()))
            for row in range(len(of))
        ]  # fmt: skip
        found: list[float] = []
        for start in range(0, len(of), 16):  # less than the delay, after which a label is no longer waited for
            found += scorer.score(came[start : start + 16]).tolist()
            for row in range(start, min(start + 16, len(of))):
                scorer.told(row, bool(of.fraud[row]))
        expected = fitted[name].predict(whole).values[:, 1]
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6, err_msg=name)


def test_other_models_are_refused(trained, of, tmp_path):
    objective, fitted = trained
    saved.save(fitted["linear"], tmp_path, "finance/credit-default", "linear", objective, examples(of), 0.5)
    with pytest.raises(BadInput, match="was not trained on payments"):
        Scorer(saved.load(tmp_path))
