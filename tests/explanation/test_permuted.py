"""Exchanges one by one: what changes, what does not, and what is made of it."""

import numpy as np
import pytest
from rows_with_a_secret import table

from pipelines.data.examples import Examples
from pipelines.evaluation.comparison import holm
from pipelines.explanation import permuted
from pipelines.explanation.parts import regions, telling_words, words_of
from pipelines.explanation.permuted import exchanges, importances, some_rows
from pipelines.objectives.classification import Classification
from pipelines.objectives.objective import Predictions
from pipelines.objectives.regression import Regression

TEXTS = np.array(["A fine day!", "dull, dull rain", "Fine; fine and dull", None], object)


def words(held, fewest=1):
    rows = Examples({"text": TEXTS}, np.zeros(4), {"text": "text"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(permuted, "FEWEST_HOLDING", fewest)
        return rows, exchanges(rows, rows.kinds, held)


def test_a_word_goes_where_it_was_not_and_leaves_where_it_was():
    rows, (fine,) = words(["fine"])
    assert fine.n == 2
    changed, which = fine.change(rows, np.array([1, 0, 2, 3]))
    assert list(changed.columns["text"]) == ["A day!", "fine dull, dull rain", "Fine; fine and dull", None]
    assert list(which) == [0, 1]
    changed, which = fine.change(rows, np.array([2, 3, 1, 0]))
    assert list(changed.columns["text"]) == ["A fine day!", "dull, dull rain", "and dull", "fine "]
    assert list(which) == [2, 3]


def test_a_word_that_few_rows_have_is_no_part():
    assert [each.name for each in words(["fine", "rain"], fewest=2)[1]] == ["fine"]


def test_a_column_and_a_field_are_exchanged_and_nothing_else():
    chance = np.random.default_rng(0)
    rows = Examples({"x": np.arange(4.0), "image": chance.integers(0, 9, (4, 8, 8, 1))}, np.zeros(4))
    other = np.array([1, 2, 3, 0])
    column, field = next(e for e in exchanges(rows, rows.kinds) if e.name == "x"), exchanges(rows, rows.kinds)[2]
    changed, which = column.change(rows, other)
    assert list(changed.columns["x"]) == [1, 2, 3, 0]
    assert changed.columns["image"] is rows.columns["image"]
    assert list(which) == [0, 1, 2, 3]
    assert field.name == "image: rows 1-2, columns 3-4"
    changed, _ = field.change(rows, other)
    before, after = rows.columns["image"], changed.columns["image"]
    np.testing.assert_array_equal(after[:, :2, 2:4], before[other][:, :2, 2:4])
    kept = np.ones((8, 8), bool)
    kept[:2, 2:4] = False
    np.testing.assert_array_equal(after[:, kept], before[:, kept])


def test_what_is_lost_of_the_accuracy_and_of_the_variance_is_counted_by_hand():
    target = np.array(["a", "b", "c", "a"], object)
    objective = Classification(classes=("a", "b", "c"))
    rows = Examples({"x": np.arange(4.0)}, target, {"x": "number"})
    score, judge = permuted._judge(objective, objective.encode(target), rows)
    one, other = np.eye(3)[[0, 1, 2, 1]], np.eye(3)[[0, 0, 0, 1]]
    assert score == "accuracy"
    assert judge(one, [other, one])[0].value == pytest.approx(3 / 4 - (1 / 4 + 3 / 4) / 2)
    numbers = np.array([0.0, 2.0, 0.0, 2.0])  # of variance 1
    score, judge = permuted._judge(Regression().resolve(numbers), numbers, rows)
    assert score == "r2"
    assert judge(numbers + 0.5, [numbers + 1, numbers])[0].value == pytest.approx(0.5 - 0.25)


def test_p_values_are_corrected_for_all_parts(monkeypatch):
    rows = table(300)
    objective = Classification().resolve(rows.target, "top")

    def predict(asked):
        shown = asked.columns["secret"] + 0.1 * asked.columns["noise 0"]
        probability = 1 / (1 + np.exp(-shown))
        return Predictions(np.stack([1 - probability, probability], 1))

    parts = exchanges(rows, rows.kinds)
    corrected = [each.p_value for each in importances(predict, rows, parts, objective, 0)[1]]
    monkeypatch.setattr(permuted, "holm", tuple)
    score, plain = importances(predict, rows, parts, objective, 0)
    assert score == "auroc"
    assert plain[0].part == "secret"
    assert corrected == list(holm([each.p_value for each in plain]))
    assert corrected != [each.p_value for each in plain]
    nothing = next(each for each in plain if each.part == "noise 1")
    assert (nothing.lost.value, nothing.p_value, nothing.n) == (0, 1, 300)


@pytest.mark.parametrize(
    ("n", "parts", "fit", "tried"),
    [(50, 10, 999, 50), (5000, 10, 9999, 1000), (5000, 100, 9999, 300), (5000, 10_000, 9999, 200), (5000, 10, 27, 27)],
)
def test_so_many_rows_are_tried_as_time_and_memory_allow(n, parts, fit, tried, monkeypatch):
    monkeypatch.setattr(permuted, "MOST_ANSWERS", 30_000)
    rows = some_rows(n, parts, fit, 0)
    assert len(rows) == len(set(rows)) == tried
    assert rows.max() < n
    assert list(rows) == sorted(rows)


def test_telling_words_go_with_the_target():
    chance = np.random.default_rng(0)
    target = chance.integers(0, 2, 400)
    filler = np.array(["the", "tea", "was", "hot"])
    rows = [" ".join([*chance.choice(filler, 3), *(["lovely"] if each else [])]) for each in target]
    rows[0] += " unheard-of"
    assert telling_words(rows, target, classes=True, most=1) == ["lovely"]
    assert telling_words(rows, 10.0 * target, classes=False, most=1) == ["lovely"]
    assert "unheardof" not in telling_words(rows, target, classes=True, most=99)
    assert telling_words(["once"], np.zeros(1), classes=True, most=9) == []
    assert words_of("It's GREAT, isn't it?") == ["its", "great", "isnt", "it"]


@pytest.mark.parametrize(
    ("kind", "shape", "names"),
    [
        ("series", (5, 2), ["steps 1 from the end", "steps 2-3 from the end", "steps 4-5 from the end"]),
        ("series", (1, 2), ["steps 1 from the end"]),
        ("wave", (20,), [f"time {10 * k}-{10 * (k + 1)} %" for k in range(10)]),
        (
            "wave",
            (3, 2),
            ["time 0-33 %", "time 33-66 %", "time 66-100 %", "band 1 of 2, from below", "band 2 of 2, from below"],
        ),
    ],
)
def test_regions_cover_a_row_once(kind, shape, names):
    found = regions(kind, shape)
    assert [each.name for each in found] == names
    covered = np.zeros(shape, int)
    for each in found:
        if not each.name.startswith("band"):
            covered[each.where] += 1
    assert (covered == 1).all()


def test_many_parts_are_asked_for_in_few_calls_and_answers_are_the_same(monkeypatch):
    monkeypatch.setattr(permuted, "MOST_ANSWERS", 30_000)
    rows, asked = table(300), []
    objective = Classification().resolve(rows.target, "top")

    def predict(some):
        asked.append(len(some))
        top = 1 / (1 + np.exp(-np.asarray(some.columns["secret"], float)))
        return Predictions(np.column_stack([1 - top, top]))

    parts = exchanges(rows, rows.kinds)
    together = importances(predict, rows, parts, objective, 0)
    calls, most = len(asked), max(asked)
    asked.clear()
    monkeypatch.setattr(permuted, "MOST_ROWS", 1)
    assert importances(predict, rows, parts, objective, 0) == together
    assert calls < len(asked) / 3
    assert most < 1300
