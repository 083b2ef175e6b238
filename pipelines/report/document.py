"""The Report: what `--json` prints, MLflow stores, and figures, pages and notebooks read. One shape everywhere.

Undefined numbers are NaN here and null in JSON: a rate over no rows is unknown, not zero.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

SCHEMA = 1

ContenderKind = Literal["network", "classical", "ensemble", "alternative", "mitigated"]
Answer = Literal["yes", "no", "inconclusive"]


@dataclass(frozen=True)
class Estimate:
    """A measured value with its 95 % interval; NaN where undefined."""

    value: float
    low: float = math.nan
    high: float = math.nan

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "undefined"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True)
class Check:
    """One check of the data, and what it found."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class DataCard:
    """Which data a run used. `splits` counts rows; under cross-validation it counts those of the first fold."""

    source: str
    simulated: bool
    rows: int
    sha256: str
    splits: Mapping[str, int]
    checks: tuple[Check, ...] = ()
    protocol: str = ""
    target: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class GroupRow:
    """How one contender treats one group: counts, and metrics by name (`tpr`, `fpr`, `auroc`, ...)."""

    attribute: str
    group: str
    n: int
    n_positive: int
    metrics: Mapping[str, Estimate]


@dataclass(frozen=True)
class Gap:
    """How far apart the groups of one attribute are: the largest difference and the smallest ratio of a metric.

    `low` and `high` bound the difference. `groups` names the two groups that are furthest apart, lower first.
    """

    attribute: str
    metric: str
    difference: float
    ratio: float
    low: float
    high: float
    groups: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Cost:
    """What a contender cost to train and costs to use; NaN where not measured."""

    train_seconds: float
    predict_rows_per_second: float = math.nan
    peak_memory_mb: float = math.nan
    parameters: int = 0
    flops_per_row: float = math.nan
    energy_wh: float = math.nan


@dataclass(frozen=True)
class Scorecard:
    """All that one contender achieved. `settings` holds what was chosen for it (tuned values, the plan)."""

    name: str
    kind: ContenderKind
    scores: Mapping[str, Estimate]
    cost: Cost
    threshold: float = math.nan
    bias: tuple[GroupRow, ...] = ()
    gaps: tuple[Gap, ...] = ()
    mlflow_run_id: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    decisions: Mapping[str, Estimate] = field(default_factory=dict)
    """Of two classes: what the decisions at the threshold do (`sensitivity`, `precision`, `cost_per_1000`, ...)."""


@dataclass(frozen=True)
class Comparison:
    """A paired test of a contender against a baseline; a positive difference favours the contender.

    `p_value` is two-sided and, where several baselines were tested, corrected by Holm's method.
    """

    contender: str
    baseline: str
    score: str
    difference: float
    low: float
    high: float
    p_value: float
    test: str


@dataclass(frozen=True)
class Change:
    """A number before and after mitigation; `change` is after minus before, paired, with its own interval."""

    name: str
    before: Estimate
    after: Estimate
    change: Estimate


@dataclass(frozen=True)
class Mitigation:
    """What a mitigated contender gained and what it cost, against the contender that it was made of.

    `gaps` are those of the attribute, by metric; `scores` what was paid (`auroc`, `accuracy`, `balanced_accuracy`).
    """

    contender: str
    base: str
    method: str
    attribute: str
    gaps: tuple[Change, ...]
    scores: tuple[Change, ...]


@dataclass(frozen=True)
class LimitResult:
    """One limit of the task, the value that was measured, and whether it holds."""

    name: str
    value: float
    limit: float
    passed: bool


@dataclass(frozen=True)
class Verdict:
    """The answer: who won, does the network beat the best baseline, and do the task's limits hold."""

    winner: str
    network_beats_best_baseline: Answer
    limits: tuple[LimitResult, ...] = ()
    passed: bool = True
    network: str = ""
    best_baseline: str = ""
    sentence: str = ""


@dataclass(frozen=True)
class Report:
    """The document of one run."""

    task: str
    seed: int
    seconds: float
    data: DataCard
    contenders: tuple[Scorecard, ...]
    comparisons: tuple[Comparison, ...]
    verdict: Verdict
    primary: str
    mlflow_run_id: str = ""
    schema: int = SCHEMA
    versions: Mapping[str, str] = field(default_factory=dict)
    deterministic: bool = False
    """Whether the same command gives the same weights in any process on the same hardware."""
    decided_by: str = ""
    """How thresholds were chosen where the run was asked for a way of its own (`cost:1:5`); empty for the task's."""
    mitigations: tuple[Mitigation, ...] = ()

    def scorecard(self, name: str) -> Scorecard:
        """The scorecard of the contender with this name."""
        return next(card for card in self.contenders if card.name == name)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types only; NaN becomes None; a bias row's metrics stand beside its counts."""
        document = asdict(self)
        for card in document["contenders"]:
            card["bias"] = [_flatten(row) for row in card["bias"]]
        return {"schema": document.pop("schema"), **_plain(document)}

    def to_json(self, indent: int | None = None) -> str:
        """The document as JSON text, without NaN or infinity."""
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False, ensure_ascii=False)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Report:
        """The Report that `to_dict` wrote.

        Raises:
            ValueError: the document has another schema number.
        """
        if document.get("schema") != SCHEMA:
            raise ValueError(f"this report has schema {document.get('schema')!r}; this version reads schema {SCHEMA}")
        fields = dict(document)
        data = dict(fields["data"])
        data["checks"] = tuple(Check(**check) for check in data["checks"])
        data["notes"] = tuple(data.get("notes", ()))
        verdict = dict(fields["verdict"])
        verdict["limits"] = tuple(LimitResult(**_numbers(limit, "value")) for limit in verdict["limits"])
        fields["data"] = DataCard(**data)
        fields["contenders"] = tuple(_scorecard(card) for card in fields["contenders"])
        fields["comparisons"] = tuple(
            Comparison(**_numbers(row, "difference", "low", "high", "p_value")) for row in fields["comparisons"]
        )
        fields["verdict"] = Verdict(**verdict)
        fields["mitigations"] = tuple(_mitigation(each) for each in fields.get("mitigations", ()))
        return cls(**fields)


def sides(competing: Iterable[Any]) -> tuple[list[str], list[str]]:
    """Networks and baselines by name: who takes part in the question. Mitigated ones answer another one."""
    found = [(each.name, each.kind) for each in competing if each.kind != "mitigated"]
    networks = [name for name, kind in found if kind != "classical"]
    return networks, [name for name, kind in found if kind == "classical"]


def _mitigation(told: Mapping[str, Any]) -> Mitigation:
    changed = {
        part: tuple(
            Change(each["name"], *(_estimate(each[side]) for side in ("before", "after", "change")))
            for each in told[part]
        )
        for part in ("gaps", "scores")
    }
    return Mitigation(**{**told, **changed})


def _flatten(row: dict[str, Any]) -> dict[str, Any]:
    return {**{key: value for key, value in row.items() if key != "metrics"}, **row["metrics"]}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "item"):  # a NumPy scalar
        return _plain(value.item())
    return value


def _scorecard(card: Mapping[str, Any]) -> Scorecard:
    fields = dict(card)
    fields["scores"] = {name: _estimate(value) for name, value in fields["scores"].items()}
    fields["decisions"] = {name: _estimate(value) for name, value in fields.get("decisions", {}).items()}
    cost: dict[str, Any] = {key: math.nan if value is None else value for key, value in fields["cost"].items()}
    fields["cost"] = Cost(**cost)
    fields["bias"] = tuple(_group_row(row) for row in fields["bias"])
    fields["gaps"] = tuple(
        Gap(**{**_numbers(gap, "difference", "ratio", "low", "high"), "groups": tuple(gap["groups"])})
        for gap in fields["gaps"]
    )
    return Scorecard(**_numbers(fields, "threshold"))


def _group_row(row: Mapping[str, Any]) -> GroupRow:
    own = ("attribute", "group", "n", "n_positive")
    metrics = {name: _estimate(value) for name, value in row.items() if name not in own}
    return GroupRow(row["attribute"], row["group"], row["n"], row["n_positive"], metrics)


def _estimate(value: Mapping[str, float | None]) -> Estimate:
    return Estimate(**_numbers(value, "value", "low", "high"))


def _numbers(fields: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The fields, with null read back as NaN where a number is expected."""
    return {key: math.nan if key in names and value is None else value for key, value in fields.items()}
