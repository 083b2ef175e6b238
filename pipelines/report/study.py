"""The Study: what `tapeline study --json` prints and MLflow stores: each contender's scores by amount of data.

Undefined numbers are NaN here and null in JSON, as in the Report.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pipelines.report.document import (
    Check,
    Comparison,
    ContenderKind,
    DataCard,
    Estimate,
    _comparison,
    _numbers,
    _plain,
)
from pipelines.report.estimate import estimate, estimates

SCHEMA = 1


@dataclass(frozen=True)
class Learner:
    """One contender at one size."""

    name: str
    kind: ContenderKind
    scores: Mapping[str, Estimate]
    train_seconds: float
    mlflow_run_id: str = ""


@dataclass(frozen=True)
class Size:
    """One amount of data.

    Args:
        share: of the rows that a fold may learn from.
        rows: learned from in the first fold, to train and to validate; `splits` counts both, and the tested ones.
        comparisons: of each network with each baseline at this size, Holm-corrected over all sizes.
        left_out: contenders that could not be trained on so few rows, and why.
        seconds: of the process that ended this size.
    """

    share: float
    rows: int
    splits: Mapping[str, int]
    contenders: tuple[Learner, ...]
    comparisons: tuple[Comparison, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    seconds: float = math.nan
    mlflow_run_id: str = ""

    def learner(self, name: str) -> Learner | None:
        """The contender of this name; None where it was left out."""
        return next((each for each in self.contenders if each.name == name), None)

    def value(self, name: str, score: str) -> float:
        """A contender's score, NaN where there is none."""
        found = self.learner(name)
        return math.nan if found is None or score not in found.scores else found.scores[score].value


@dataclass(frozen=True)
class Gain:
    """How much better a contender got each time the data doubled, between the two largest sizes it was measured at.

    A positive number is better whatever the score's direction.
    """

    contender: str
    from_rows: int
    to_rows: int
    per_doubling: Estimate


@dataclass(frozen=True)
class Reading:
    """Where a network overtakes the best baseline, which at each size is the one with the best value there.

    Args:
        ahead_from: the smallest size from which on the network's value is the better one; None where it is not at the
            largest.
        surely_from: the smallest size from which on that is significant.
        crossing: rows at which the lead turns positive for good, between two measured sizes; NaN where it does not.
            Its ends are NaN where they lie beyond what was measured.
        between: the two sizes; empty where there is no crossing.
    """

    network: str
    ahead_from: int | None
    surely_from: int | None
    crossing: Estimate
    between: tuple[int, ...]
    sentence: str


@dataclass(frozen=True)
class Study:
    """The document of one study.

    Args:
        seconds: of all sizes, each as its last process took for it.
        tested: rows that every contender was tested on at every size.
    """

    task: str
    seed: int
    seconds: float
    data: DataCard
    primary: str
    greater_is_better: bool
    tested: int
    sizes: tuple[Size, ...]
    gains: tuple[Gain, ...]
    readings: tuple[Reading, ...]
    mlflow_run_id: str = ""
    schema: int = SCHEMA
    versions: Mapping[str, str] = field(default_factory=dict)
    deterministic: bool = False

    @property
    def names(self) -> dict[str, ContenderKind]:
        """Name -> kind of every contender, in the order of the largest size."""
        return {each.name: each.kind for size in reversed(self.sizes) for each in size.contenders}

    @property
    def sentence(self) -> str:
        """What the study says, of all its networks."""
        return " ".join(each.sentence for each in self.readings)

    def lead(self, size: Size, network: str) -> Comparison | None:
        """The network's comparison with the baseline that is best at this size; None where it cannot be made."""
        return lead(size, network, self.primary, self.greater_is_better)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types only; NaN becomes None."""
        document = asdict(self)
        plain: dict[str, Any] = _plain({**document, "sentence": self.sentence})
        return {"schema": plain.pop("schema"), **plain}

    def to_json(self, indent: int | None = None) -> str:
        """The document as JSON text, without NaN or infinity."""
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False, ensure_ascii=False)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Study:
        """The Study that `to_dict` wrote.

        Raises:
            ValueError: the document has another schema number.
        """
        if document.get("schema") != SCHEMA:
            raise ValueError(f"this study has schema {document.get('schema')!r}; this version reads schema {SCHEMA}")
        fields = {name: value for name, value in document.items() if name != "sentence"}
        data = dict(fields["data"])
        fields["data"] = DataCard(
            **{**data, "checks": tuple(Check(**check) for check in data["checks"]), "notes": tuple(data["notes"])}
        )
        fields["sizes"] = tuple(_size(each) for each in fields["sizes"])
        fields["gains"] = tuple(
            Gain(**{**gain, "per_doubling": estimate(gain["per_doubling"])}) for gain in fields["gains"]
        )
        fields["readings"] = tuple(
            Reading(**{**each, "crossing": estimate(each["crossing"]), "between": tuple(each["between"])})
            for each in fields["readings"]
        )
        return cls(**_numbers(fields, "seconds"))


def lead(size: Size, network: str, primary: str, greater_is_better: bool) -> Comparison | None:
    """The network's comparison with the baseline of the best value at this size; None where there is none to make."""
    sign = 1 if greater_is_better else -1
    merit = {each.baseline: sign * size.value(each.baseline, primary) for each in size.comparisons}
    known = [name for name, value in merit.items() if not math.isnan(value)]
    if not known:
        return None
    best = max(known, key=lambda name: merit[name])
    found = next((each for each in size.comparisons if (each.contender, each.baseline) == (network, best)), None)
    return None if found is None or math.isnan(found.difference) else found


def _size(document: Mapping[str, Any]) -> Size:
    fields = _numbers(document, "seconds")
    fields["contenders"] = tuple(
        Learner(**{**_numbers(each, "train_seconds"), "scores": estimates(each["scores"])})
        for each in fields["contenders"]
    )
    fields["comparisons"] = tuple(_comparison(row) for row in fields["comparisons"])
    return Size(**fields)
