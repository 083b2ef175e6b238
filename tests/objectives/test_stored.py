"""An objective as JSON: it comes back equal, and nothing else is ever made from it."""

import json

import pytest

from pipelines.errors import BadInput
from pipelines.objectives.classification import Classification
from pipelines.objectives.members import Members
from pipelines.objectives.regression import Regression
from pipelines.objectives.stored import from_dict, to_dict

OBJECTIVES = [
    Classification(),
    Classification(positive="yes", classes=("no", "yes"), decide_by="f1", label_smoothing=0.1),
    Regression(error="huber", delta=2.0, location=-3.5, scale=7.0),
    Members(Regression(scale=2.0), 4),
]


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_it_comes_back_equal(objective):
    again = from_dict(json.loads(json.dumps(to_dict(objective))))
    assert again == objective
    assert type(again) is type(objective)


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"kind": None}, {"kind": "os.system"}, {"kind": "regression", "colour": "red"},
        {"kind": "classification", "classes": 3}, {"kind": "classification", "classes": [1, {}]},
        {"kind": "members"}, {"kind": "members", "members": 2, "each": {"kind": "x"}},
        {"kind": "members", "members": "2", "each": {"kind": "regression"}},
        {"kind": "regression", "scale": "wide"}, {"kind": "regression", "error": "cubic"},
    ],
)  # fmt: skip
def test_anything_else_is_refused(fields):
    with pytest.raises(BadInput, match="saved model"):
        from_dict(fields)
