"""The scorecard: hand-counted evidence, monotone bins, points that add up, and a card that says what the model does."""

import math

import numpy as np
import pandas as pd
import pytest

from pipelines.contenders import saved
from pipelines.contenders.binning import FEWEST, category_bins, number_bins
from pipelines.contenders.classical import ClassicalContender
from pipelines.contenders.lineup import line_up
from pipelines.contenders.scorecard import Scorecard
from pipelines.contenders.tables import SCORECARD
from pipelines.data.examples import Examples
from pipelines.objectives.classification import Classification
from pipelines.points import Points
from pipelines.task import Recipe

SCALE = Points(20, 600, 50)


def applicants(n=1500, seed=0):
    """Risk falls with income, does not depend on height, is high where income is missing and in one of the towns."""
    chance = np.random.default_rng(seed)
    income, height = chance.normal(size=n), chance.normal(size=n)
    town = np.array(["Ulm", "Bonn", "Kiel", None], object)[chance.choice(4, n, p=[0.5, 0.3, 0.15, 0.05])]
    given = chance.random(n) > 0.1
    logit = -1 - 1.2 * income * given + 1.5 * ~given + (town == "Bonn")
    bad = chance.random(n) < 1 / (1 + np.exp(-logit))
    table = pd.DataFrame({"income": np.where(given, income, np.nan), "height": height})
    return table.assign(town=pd.Series(town, dtype=object)), bad.astype(int)


def fitted(**settings):
    table, bad = applicants()
    return Scorecard(("income", "height"), ("town",), **settings).fit(table, bad), table, bad


def test_weight_of_evidence_is_what_a_hand_count_gives():
    # 20 rows of a, 4 of them bad; 30 of b, 15 bad; 25 missing, 5 bad; of all 75 rows 24 are bad and 51 good.
    values = ["a"] * 20 + ["b"] * 30 + [None] * 25
    bad = np.array([1] * 4 + [0] * 16 + [1] * 15 + [0] * 15 + [1] * 5 + [0] * 20, bool)
    found = category_bins(values, bad, np.ones(75), 0.05)
    assert found.names() == ["a", "b", "missing", "any other"]
    expected = [math.log(16 / 51) - math.log(4 / 24), math.log(15 / 51) - math.log(15 / 24),
                math.log(20 / 51) - math.log(5 / 24), 0.0]  # fmt: skip
    np.testing.assert_allclose(found.woe, expected, rtol=1e-12)
    np.testing.assert_array_equal(found.place(["b", None, "c"]), [1, 2, 3])


def test_few_missing_rows_and_rare_levels_say_nothing_and_a_bin_without_bad_rows_stays_finite():
    values = ["a"] * 50 + ["b"] * 50 + [None] * (FEWEST - 1) + ["c"]
    bad = np.arange(len(values)) % 2 == 0
    bad[50:100] = False
    found = category_bins(values, bad, np.ones(len(values)), 0.05)
    assert found.levels == ("a", "b")
    assert found.woe[-2:].tolist() == [0.0, 0.0]
    assert np.isfinite(found.woe).all()
    assert found.woe[1] > found.woe[0]


@pytest.mark.parametrize("direction", [0, 1, -1])
@pytest.mark.parametrize("seed", range(5))
def test_bins_are_monotone_and_none_is_too_small(direction, seed):
    chance = np.random.default_rng(seed)
    values = np.round(chance.normal(size=800), 1)
    bad = chance.random(800) < np.where(values > 0, 0.4, 0.2) + 0.1 * np.sin(5 * values)
    values[chance.random(800) < 0.1] = np.nan
    found = number_bins(values, bad, np.ones(800), 20, 0.05, direction)
    inner, steps = found.good[:-2] + found.bad[:-2], np.diff(found.woe[:-2])
    assert (steps > 0).all() or (steps < 0).all()
    if direction:
        assert (steps * direction < 0).all()
    assert (inner >= 0.05 * inner.sum()).all()
    place = found.place(values)
    for each in range(len(inner)):
        assert found.bad[each] == bad[place == each].sum()
    assert found.bad[-2] == bad[np.isnan(values)].sum()
    assert found.bad.sum() + found.good.sum() == 800


def test_against_the_true_direction_all_numbers_share_one_bin():
    table, bad = applicants()
    rising = number_bins(table["income"], bad == 1, np.ones(len(bad)), 20, 0.05, 1)
    falling = number_bins(table["income"], bad == 1, np.ones(len(bad)), 20, 0.05, 0)
    assert len(rising.edges) == 0
    assert len(falling.edges) >= 4
    assert (np.diff(falling.woe[:-2]) > 0).all()


def test_points_add_up_to_the_log_odds_on_the_scale():
    card, table, _ = fitted()
    probability = card.predict_proba(table)[:, 1]
    log_odds = np.log(probability / (1 - probability))
    expected = 600 - 20 / math.log(2) * math.log(50) - 20 / math.log(2) * log_odds
    np.testing.assert_allclose(card.points(table, SCALE).sum(axis=1), expected, rtol=1e-9)
    np.testing.assert_allclose(SCALE.of(probability), expected, rtol=1e-9)


def test_points_to_double_the_odds_double_them():
    assert SCALE.of(np.array([1 / 51]))[0] == pytest.approx(600)
    assert SCALE.of(np.array([1 / 101]))[0] == pytest.approx(620)
    assert SCALE.of(np.array([1 / 26]))[0] == pytest.approx(580)
    assert np.isfinite(SCALE.of(np.array([0.0, 1.0]))).all()


def test_the_card_is_what_the_model_does():
    card, table, bad = fitted()
    rows = {(row.column, row.bin): row for row in card.card(SCALE)}
    assert {row.column for row in rows.values()} == {"income", "town"} | ({"height"} if card.coef_[0, 1] else set())
    given = card.points(table, SCALE)
    missing = table["income"].isna().to_numpy()
    assert given[missing, 0] == pytest.approx(rows["income", "missing"].points)
    assert given[(table["town"] == "Bonn").to_numpy(), 2] == pytest.approx(rows["town", "Bonn"].points)
    assert rows["income", "missing"].n == missing.sum()
    assert rows["income", "missing"].risk == pytest.approx(bad[missing].mean())
    assert rows["town", "Bonn"].points < rows["town", "Ulm"].points


def test_evidence_never_turns_round():
    """Two columns that say the same: the second one's coefficient would turn round, so it is left out."""
    chance = np.random.default_rng(3)
    bad = chance.random(3000) < 0.3
    truth = chance.normal(size=3000) + 2 * bad
    table = pd.DataFrame({"clear": truth, "worse": truth + 0.3 * chance.normal(size=3000) - 0.7 * bad})
    card = Scorecard(("clear", "worse"), (), bins=10).fit(table, bad.astype(int))
    assert card.coef_[0, 0] < 0
    assert card.coef_[0, 1] == 0
    assert (card.points(table, SCALE)[:, 1] == 0).all()


def test_weighted_rows_count_as_often():
    table, bad = applicants(400)
    weight = np.random.default_rng(1).integers(0, 4, 400)
    rows = np.repeat(np.arange(400), weight)
    once = Scorecard(("income",), ("town",), bins=5).fit(table, bad, weight.astype(float))
    again = Scorecard(("income",), ("town",), bins=5).fit(table.iloc[rows].reset_index(drop=True), bad[rows])
    assert once.binned_[1]["good"].tolist() == again.binned_[1]["good"].tolist()
    category = [each.predict_proba(table.assign(income=np.nan))[:, 1] for each in (once, again)]
    assert np.corrcoef(*category)[0, 1] > 0.99


def test_it_is_found_again_from_a_file_without_running_code(tmp_path):
    table, bad = applicants(300)
    columns = {name: table[name].to_numpy() for name in table}
    examples = Examples(columns=columns, target=np.where(bad, "bad", "good").astype(object))
    objective = Classification().resolve(examples.target, "bad")
    model = ClassicalContender(SCORECARD, objective, Recipe(trials=2)).fit(examples, examples, 0)
    saved.save(model, tmp_path, "finance/credit-default", "scorecard", objective, examples, 0.3)
    again = saved.load(tmp_path)
    assert type(again.fitted.estimator) is Scorecard
    np.testing.assert_array_equal(again.predict(examples).values, model.predict(examples).values)
    assert model.cost.parameters == 4


def test_it_competes_for_two_classes_only():
    from pipelines import catalogue

    task = catalogue.find("finance/credit-default")
    two, three = (
        Classification().resolve(np.array(labels, object)) for labels in (["a", "b"] * 20, ["a", "b", "c"] * 20)
    )
    assert "scorecard" in [each.name for each in line_up(task, two, Recipe())]
    assert "scorecard" not in [each.name for each in line_up(task, three, Recipe())]


def test_one_outcome_is_no_scorecard():
    table, _ = applicants(50)
    with pytest.raises(ValueError, match="both outcomes"):
        Scorecard(("income",)).fit(table, np.zeros(50, int))


@pytest.mark.parametrize("text", ["20:600", "0:600:50", "-20:600:50", "20:600:0", "nan:600:50", "twenty:600:50", ""])
def test_a_scale_that_makes_no_sense_is_told(text):
    with pytest.raises(ValueError, match="write PDO:BASE:ODDS, such as 20:600:50"):
        Points.parse(text)
