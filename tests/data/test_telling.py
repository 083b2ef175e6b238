"""Columns that hold the answer in another code: planted ones are found, honest ones are not."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.data.checks import run_checks
from pipelines.data.examples import Examples
from pipelines.data.leaks.telling import NAME, auroc_of
from pipelines.task import Dataset

rng = np.random.default_rng(5)
N = 200
ILL = rng.random(N) < 0.4
TARGET = np.where(ILL, "yes", "no").astype(object)


def check(**columns):
    examples = Examples({"honest": rng.normal(size=N) + 1.5 * ILL, **columns}, TARGET)
    return {each.name: each for each in run_checks(Dataset(examples, "visits.csv", False, "ill"))}.get(NAME)


GRADE = np.where(ILL, rng.choice([0.5, 1, 2], N), 0.0)
KINDS = np.where(ILL, rng.choice(["mild", "severe"], N), rng.choice(["none", "well"], N)).astype(object)


@pytest.mark.parametrize(
    "planted",
    [GRADE, -GRADE, np.where(rng.random(N) < 0.05, np.nan, GRADE), KINDS],
    ids=["grade", "down", "gaps", "words"],
)
def test_a_finer_code_of_the_target_fails_the_check(planted):
    found = check(planted=planted)
    assert not found.passed
    assert found.detail.startswith("'planted' alone has an AUROC of 1.000")
    assert "--exclude" in found.detail


def test_honest_columns_pass():
    rare = np.array([f"word {number}" for number in rng.integers(0, 90, N)], dtype=object)
    mostly_missing = np.where(rng.random(N) < 0.3, np.nan, GRADE)
    assert check(rare=rare, mostly_missing=mostly_missing, same=np.ones(N)).passed


def test_words_of_few_rows_each_tell_nothing():
    words = np.array([f"word {number // 4}" for number in range(80)], dtype=object)
    codes = (np.arange(80) // 4) % 2
    assert np.isnan(auroc_of(words, codes)), "20 words, 4 rows each"
    assert auroc_of(np.repeat(words, 3), np.repeat(codes, 3)) == 1


def test_only_two_classes_are_looked_at():
    examples = Examples({"x": rng.normal(size=N)}, TARGET)
    for target in (rng.normal(size=N), np.array(list("abcd" * 50), dtype=object)):
        data = Dataset(replace(examples, target=target), "table.csv", False, "y")
        assert NAME not in {each.name for each in run_checks(data)}


def test_the_area_is_scikit_learns():
    from sklearn.metrics import roc_auc_score

    values = np.round(rng.normal(size=N) + ILL, 1)
    expected = roc_auc_score(ILL, values)
    assert auroc_of(values, ILL.astype(int)) == pytest.approx(expected)
    assert auroc_of(-values, ILL.astype(int)) == pytest.approx(expected)
