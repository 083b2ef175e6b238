"""The second sample of mortgage applications: what leaks is left out, and nothing left gives the outcome away."""

import collections
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from pipelines import catalogue
from pipelines.data.builders.loan_applications import LEFT_OUT, OF_THE_DECISION, OUTCOME
from pipelines.data.builders.wheels import r_frame
from pipelines.data.checks import require_learnable
from pipelines.errors import BadInput
from pipelines.prepare import load
from pipelines.task import DataRequest

TASK = catalogue.find("finance/mortgage-approval")
MOST_ALONE, MOST_OF_TWO = 0.72, 0.74
"""Largest AUROC of one column and of two together; measured .70 and .72. What was left out reaches .75 to 1."""


@pytest.fixture(scope="module")
def dataset():
    return load(TASK, DataRequest("sample:loanapp"))


def cells(values):
    """(n,) the quarter that a number is in, or the code of a word; missing has one of its own."""
    if values.dtype == object or len(np.unique(values)) < 10:
        return np.asarray(pd.factorize(values, use_na_sentinel=False)[0])
    return np.where(np.isnan(values), 8, np.digitize(values, np.nanquantile(values, np.linspace(0, 1, 9)[1:-1])))


def held_out_auroc(codes, rejected):
    """Of the rate of rejections in each cell, counted on the other half of the rows."""
    half = np.random.default_rng(0).permutation(len(codes)) % 2 == 0
    base, score = rejected.mean(), np.zeros(len(codes))
    for fit in (half, ~half):
        hits, n = (np.bincount(codes[fit], each[fit], minlength=codes.max() + 1) for each in (rejected, rejected >= 0))
        score[~fit] = ((hits + 5 * base) / (n + 5))[codes[~fit]]
    return (roc_auc_score(rejected[half], score[half]) + roc_auc_score(rejected[~half], score[~half])) / 2


def test_it_is_1989_applications_with_race_and_sex(dataset):
    examples = dataset.examples
    assert collections.Counter(examples.target) == {"approved": 1745, "rejected": 244}
    assert (dataset.positive, dataset.simulated) == ("rejected", False)
    race = collections.Counter(zip(examples.groups["race"], examples.target == "rejected", strict=True))
    table = r_frame("wooldridge/loanapp")
    for name, column in (("white", "white"), ("black", "black"), ("hispanic", "hispan")):
        chosen = table[table[column] == 1]
        assert race[name, True] == chosen.reject.sum()
        assert race[name, False] == len(chosen) - chosen.reject.sum()
    assert collections.Counter(examples.groups["sex"]) == {"male": 1605, "female": 369, None: 15}
    assert np.isnan(examples.columns["lines"]).sum() == (table["lines"] > 999_000).sum() > 0
    assert np.nanmax(examples.columns["term"]) < 1000


def test_what_leaks_and_who_somebody_is_are_no_columns(dataset):
    seen = set(dataset.examples.columns)
    assert seen & set(LEFT_OUT) == set()
    assert seen & {"race", "sex", "outcome"} == set()
    assert seen | set(LEFT_OUT) == set(r_frame("wooldridge/loanapp").columns)  # each column is one or the other


def test_no_column_alone_and_no_two_together_give_the_outcome_away(dataset):
    examples = dataset.examples
    rejected = (examples.target == "rejected").astype(int)
    codes = {name: cells(values) for name, values in examples.columns.items()}
    alone = {name: held_out_auroc(each, rejected) for name, each in codes.items()}
    assert max(alone.values()) < MOST_ALONE
    two = {
        (first, second): held_out_auroc(codes[first] * (codes[second].max() + 1) + codes[second], rejected)
        for first, second in combinations(codes, 2)
    }
    assert max(two.values()) < MOST_OF_TWO
    table = r_frame("wooldridge/loanapp")
    for name in (*OUTCOME, "typur", "gdlin"):
        assert held_out_auroc(cells(table[name].to_numpy()), table.reject.to_numpy()) > MOST_OF_TWO


@pytest.mark.parametrize("approved", [0.0, 1.0])
def test_the_outcome_is_caught_where_it_comes_back(approved, dataset):
    """As `reject` (0 where approved) and as `approve`."""
    codes = np.where(dataset.examples.target == "approved", approved, 1 - approved)
    planted = replace(dataset.examples, columns={**dataset.examples.columns, "code": codes}, kinds={})
    with pytest.raises(BadInput, match="column 'code' is the target"):
        require_learnable(replace(dataset, examples=planted))


def test_the_decision_in_words_is_caught_too(dataset):
    words = np.where(dataset.examples.target == "rejected", "no", "yes").astype(object)
    planted = replace(dataset.examples, columns={**dataset.examples.columns, "letter": words}, kinds={})
    with pytest.raises(BadInput, match="column 'letter' is the target"):
        require_learnable(replace(dataset, examples=planted))


def test_what_the_lender_made_of_an_application_says_more_than_the_application_does():
    """Why these are left out: of files that nobody reviewed, and of those said to miss the guidelines, most failed."""
    table = r_frame("wooldridge/loanapp")
    assert {"review", "gdlin", "unver", "inson"} <= set(OF_THE_DECISION)
    for rows in (table.review == 0, table.gdlin == 0, table.unver == 1, table.inson == 1):
        assert table.reject[rows].mean() > 0.6


def test_an_unknown_sample_names_those_there_are():
    with pytest.raises(BadInput, match=r"--data sample:boston: .* has sample, sample:loanapp"):
        load(TASK, DataRequest("sample:boston"))
    with pytest.raises(BadInput, match=r"finance/credit-default has sample$"):
        load(catalogue.find("finance/credit-default"), DataRequest("sample:loanapp"))


def test_flags_of_own_data_are_refused():
    with pytest.raises(BadInput, match="--data sample:loanapp already knows it"):
        load(TASK, DataRequest("sample:loanapp", target="reject"))
