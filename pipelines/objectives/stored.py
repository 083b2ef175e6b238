"""An objective as JSON, beside a saved model: only the types listed here are ever made from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pipelines.errors import BadInput
from pipelines.objectives.allocation import Allocation
from pipelines.objectives.classification import Classification
from pipelines.objectives.errors import RowErrors
from pipelines.objectives.forecast import Forecast
from pipelines.objectives.members import Members
from pipelines.objectives.objective import Objective
from pipelines.objectives.ordinal import Ordinal
from pipelines.objectives.regression import Regression

KINDS: Mapping[str, Any] = {
    "allocation": Allocation,
    "classification": Classification,
    "forecast": Forecast,
    "ordinal": Ordinal,
    "regression": Regression,
}


def to_dict(objective: Any) -> dict[str, Any]:
    """The fields of an objective."""
    if isinstance(objective, Members):
        return {"kind": "members", "members": objective.members, "each": to_dict(objective.each)}
    if isinstance(objective, RowErrors):
        return {"kind": "errors", "reference": objective.reference, "each": to_dict(objective.each)}
    if isinstance(objective, Ordinal):
        return {**asdict(objective), "kind": "ordinal"}  # it is a classification to all that judges it
    return asdict(objective)


def from_dict(fields: Mapping[str, Any]) -> Objective:
    """The objective that `to_dict` described.

    Raises:
        BadInput: an objective of another kind, or fields that it does not have.
    """
    from pydantic import TypeAdapter, ValidationError

    if fields.get("kind") == "members":
        each, members = fields.get("each"), fields.get("members")
        if not isinstance(each, Mapping) or not isinstance(members, int) or members < 1:
            raise BadInput("a saved model of several members says neither how many nor of what")
        return Members(from_dict(each), members)
    if fields.get("kind") == "errors":
        each, reference = fields.get("each"), fields.get("reference")
        if not isinstance(each, Mapping) or not isinstance(reference, float) or not 0 < reference < math.inf:
            raise BadInput("a saved model of errors says neither at which they are 0.5 nor of what")
        return RowErrors(from_dict(each), reference)
    kind = KINDS.get(str(fields.get("kind")))
    if kind is None:
        raise BadInput(f"a saved model of the kind {fields.get('kind')!r} is not known; known are {', '.join(KINDS)}")
    if kind is Ordinal:
        fields = {**fields, "kind": Ordinal.kind}
    try:
        kind(**fields)  # refuses a field that it does not have, which validation would ignore
        objective: Objective = TypeAdapter(kind).validate_python(fields)
    except (TypeError, ValidationError) as error:
        raise BadInput(f"the saved model's description does not fit this version of Tapeline: {error}") from error
    return objective
