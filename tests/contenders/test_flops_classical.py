"""Operations of classical models by formula, against counts by hand on rows that everybody has (breast cancer)."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest, RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from pipelines.contenders.flops_classical import flops
from pipelines.contenders.one_class import OneClass
from pipelines.contenders.pictures import flat_pixels, shape_features
from pipelines.contenders.scorecard import Scorecard

X, Y = load_breast_cancer(return_X_y=True)
FEW = X[:50]


def test_a_linear_model_is_a_product_and_a_sum_a_feature():
    binary = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(X, Y)
    assert flops(binary, FEW) == 2 * 30 + (2 * 30 + 1)
    three = LogisticRegression(max_iter=50).fit(X, np.arange(len(Y)) % 3)
    assert flops(three, FEW) == 3 * (2 * 30 + 1)
    assert flops(Ridge().fit(X, Y), FEW) == 2 * 30 + 1


def test_of_a_sparse_row_only_what_is_there():
    texts, labels = ["good food", "bad food here", "good good", "bad"] * 5, [1, 0, 1, 0] * 5
    counted = make_pipeline(CountVectorizer(), MultinomialNB()).fit(texts, labels)
    present = (2 + 3 + 1 + 1) / 4
    assert flops(counted, texts) == pytest.approx(2 * (2 * present + 1))
    weighed = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, labels)
    assert flops(weighed, texts) == pytest.approx(4 * present + 2 * present + 1)
    assert flops(LogisticRegression().fit(csr_matrix(X), Y), csr_matrix(np.eye(30))) == 3


def by_hand(tree, row):
    """Comparisons on the way of a row from the root to its leaf."""
    node, levels = 0, 0
    while tree.children_left[node] != -1:
        smaller = row[tree.feature[node]] <= tree.threshold[node]
        node = (tree.children_left if smaller else tree.children_right)[node]
        levels += 1
    return levels


def test_a_forest_compares_once_a_level_of_each_tree():
    forest = RandomForestClassifier(7, random_state=0).fit(X, Y)
    levels = sum(by_hand(tree.tree_, row) for tree in forest.estimators_ for row in FEW.astype(np.float32)) / len(FEW)
    assert flops(forest, FEW) == pytest.approx(levels + 2 * 7)


def test_an_isolation_forest_sees_some_columns_only():
    detector = IsolationForest(n_estimators=5, max_features=0.5, random_state=0).fit(X)
    levels = sum(
        by_hand(tree.tree_, row[kept])
        for tree, kept in zip(detector.estimators_, detector.estimators_features_, strict=True)
        for row in FEW.astype(np.float32)
    )
    assert flops(detector, FEW) == pytest.approx(levels / len(FEW) + 5)
    told = OneClass(IsolationForest(n_estimators=5, random_state=0)).fit(X)
    assert flops(told, FEW) == flops(told.detector_, FEW) + 2, "a sum and a quotient"


def test_boosting_is_counted_on_the_rows_that_its_leaves_have_seen():
    """With one tree of depth 2 and four leaves every row is compared twice."""
    model = HistGradientBoostingClassifier(max_iter=1, max_depth=2, max_leaf_nodes=4, min_samples_leaf=20)
    model.fit(X, Y)
    alike = DecisionTreeClassifier(max_depth=2).fit(X, Y)
    assert alike.get_n_leaves() == 4
    assert flops(model, FEW) == pytest.approx(2 + 1)
    uneven = HistGradientBoostingClassifier(max_iter=1, max_leaf_nodes=3, min_samples_leaf=20).fit(X, Y)
    ((tree,),) = uneven._predictors
    inner = [node for node in tree.nodes if not node["is_leaf"]]
    assert [node["depth"] for node in inner] == [0, 1]
    again = inner[1]["count"] / len(X)
    assert again != pytest.approx(2 / 3), "as many as have two of three leaves"
    assert flops(uneven, FEW) == pytest.approx(1 + again + 1)
    assert flops(HistGradientBoostingClassifier(max_iter=10, max_depth=2, max_leaf_nodes=4).fit(X, Y), FEW) > 20


def test_a_kernel_is_as_many_distances_as_there_are_support_vectors():
    rows = X[:, :4]
    machine = SVC(kernel="rbf").fit(rows, Y)
    vectors = len(machine.support_)
    assert flops(machine, rows) == vectors * (3 * 4 + 1) + 2 * vectors + 1
    calibrated = CalibratedClassifierCV(SVC(), cv=3, ensemble=False).fit(rows, Y)
    assert flops(calibrated, rows) == vectors * (3 * 4 + 1) + 2 * vectors + 1 + 4
    assert math.isnan(flops(SVC(kernel="poly").fit(rows, Y), rows))
    assert flops(Nystroem(n_components=9).fit(rows), rows) == 9 * (3 * 4 + 1) + 2 * 81


def test_principal_components_of_pixels():
    pictures = np.random.default_rng(0).integers(0, 256, (40, 4, 4, 1)).astype(np.uint8)
    pipeline = make_pipeline(FunctionTransformer(flat_pixels), StandardScaler(), PCA(3, whiten=True), Ridge())
    pipeline.fit(pictures, np.arange(40))
    assert flops(pipeline, pictures) == 16 + 2 * 16 + (16 * (2 * 3 + 1) + 3) + (2 * 3 + 1)
    assert flops(PCA(3).fit(X), FEW) == 30 * 7


def test_columns_are_counted_each_and_categories_cost_nothing():
    table = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [1.0, 1, 0, 0], "c": ["x", "y", "x", "y"], "d": [0.0, 1, 2, 3]})
    columns = make_column_transformer((StandardScaler(), ["a", "b"]), (OneHotEncoder(), ["c"]), ("passthrough", ["d"]))
    pipeline = make_pipeline(columns, LogisticRegression()).fit(table, [0, 1, 0, 1])
    assert flops(pipeline, table) == 2 * 2 + 2 * 5 + 1
    none = make_column_transformer((make_pipeline(StandardScaler(), PCA()), []), (StandardScaler(), ["a"]))
    assert flops(none.fit(table), table) == 2, "what gets no column is never fitted, and the others are dropped"


def test_a_scorecard_is_a_product_and_a_sum_a_column():
    table = pd.DataFrame({"a": X[:, 0], "b": X[:, 1]})
    assert flops(Scorecard(numbers=("a", "b")).fit(table, Y), table) == 2 * 2 + 1


def test_what_has_no_formula_is_not_known():
    assert flops(DummyClassifier().fit(X, Y), FEW) == 0
    assert math.isnan(flops(LocalOutlierFactor(novelty=True).fit(X), FEW))
    drawn = make_pipeline(FunctionTransformer(shape_features), Ridge())
    drawn.fit(np.ones((5, 8, 8, 1)) * np.arange(5)[:, None, None, None], np.arange(5))
    assert math.isnan(flops(drawn, np.ones((5, 8, 8, 1))))
