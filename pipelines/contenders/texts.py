"""The classical models for texts."""

from __future__ import annotations

from pipelines.contenders.tables import prior
from pipelines.data.examples import Examples
from pipelines.objectives.objective import Objective
from pipelines.task import Baseline, Candidate


def tfidf_logistic(train: Examples, objective: Objective) -> Candidate:
    """Logistic regression on TF-IDF of words and word pairs; the penalty and the rarest word kept are tuned."""
    from scipy.stats import loguniform
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    search = {"logisticregression__C": loguniform(0.1, 100), "tfidfvectorizer__min_df": [1, 2, 3]}
    return Candidate(make_pipeline(words, LogisticRegression(max_iter=1000)), search)


def naive_bayes(train: Examples, objective: Objective) -> Candidate:
    """Multinomial naive Bayes on word counts; the smoothing is tuned."""
    from scipy.stats import loguniform
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.pipeline import make_pipeline

    pipeline = make_pipeline(CountVectorizer(binary=True), MultinomialNB())
    return Candidate(pipeline, {"multinomialnb__alpha": loguniform(0.01, 10)})


BASELINES = (
    Baseline("prior", prior, column="text"),
    Baseline("tfidf-logistic", tfidf_logistic, column="text"),
    Baseline("naive-bayes", naive_bayes, column="text"),
)
