"""The model card: what a model is for, how it was judged, for whom it fails, and how to do it again.

After Mitchell et al. (2019), Model Cards for Model Reporting, FAT*; what people must say comes from a `Card`, all else
from the Report.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pipelines.card import Card
from pipelines.evaluation.scores import GREATER_IS_BETTER
from pipelines.report.caveats import Unmeasured, failures, not_measured
from pipelines.report.document import Report

SCHEMA = 1
INTERVALS = "95 %"
NOT_STATED = (
    "Nobody said what a model of these data is for. Say it in a file: tapeline report RUN --card FILE, with purpose, "
    "users, decides, not_for, failures."
)
OF_A_TASK = re.compile(r"(sample|public) [^/]+(?:/[^/]+)?/\d+\.\d+\.\d+")
"""How a set that is no user's own is named in a report: a folder of theirs may be called `sample data` as well."""
OF_ANOTHER_SET = "What the task declares was written of its own sample sets; this run used another set."


@dataclass(frozen=True)
class Use:
    """What people say of a model.

    Args:
        said_by: `task`, `user`, or nobody, and then all else is empty but `note`.
        origin: where the data come from, and under which licence.
        note: what to know about who said it.
    """

    said_by: Literal["task", "user", ""]
    purpose: str = ""
    users: str = ""
    decides: str = ""
    not_for: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    origin: str = ""
    contact: str = ""
    note: str = ""


@dataclass(frozen=True)
class ModelCard:
    """The card of one run.

    Args:
        summary: what the task learns, in words; empty where the task is not installed here.
        recorded: the moment that the run began, ISO 8601 in UTC.
        code: version of Tapeline, and the commit.
        settings: what was set of the protocol and of the networks' recipes.
        failures: what the run itself found.
    """

    report: Report
    use: Use
    summary: str
    recorded: str
    code: str
    settings: Mapping[str, str]
    failures: tuple[str, ...]
    not_measured: tuple[Unmeasured, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, under the headings of Mitchell et al.; what is not known is None."""
        report, told = self.report, self.report.to_dict()
        verdict, use = told["verdict"], asdict(self.use)
        network = next(card for card in told["contenders"] if card["name"] == verdict["network"])
        return {
            "model_card": SCHEMA,
            "model_details": {
                "task": report.task, "summary": self.summary, "model": network["name"], "kind": network["kind"],
                "settings": network["settings"], "recorded": self.recorded, "mlflow_run_id": report.mlflow_run_id,
            },
            "intended_use": {each: use[each] for each in ("said_by", "purpose", "users", "not_for", "contact", "note")},
            "factors": list(dict.fromkeys(row["attribute"] for row in network["bias"])),
            "metrics": {
                "primary": report.primary, "greater_is_better": GREATER_IS_BETTER.get(report.primary, True),
                "intervals": INTERVALS, "decided_by": report.decided_by, "threshold": network["threshold"],
            },
            "data": {**told["data"], "origin": self.use.origin},
            "quantitative_analyses": {
                "verdict": verdict,
                "scores": {card["name"]: card["scores"] for card in told["contenders"]},
                "comparisons": told["comparisons"],
                **{part: network[part] for part in ("decisions", "calibration", "bias", "gaps", "directions")},
                "operating": network["operating"], "operating_leads": told["operating"],
                "robustness": network["robustness"], "strangers": network["strangers"],
                "net_benefit": told["net_benefit"], "mitigations": told["mitigations"], "alerts": told["alerts"],
            },
            "privacy": {
                "membership": {card["name"]: card["membership"] for card in told["contenders"]},
                "price": told["privacy_price"],
                "spent": network["settings"].get("privacy", ""),
                "does_not_cover": network["settings"].get("privacy_does_not_cover", ""),
            },
            "human_oversight": {
                "decides": self.use.decides, "automation": network["oversight"], "referral": network["referral"],
            },
            "explanation": network["explanation"],
            "cost": {card["name"]: card["cost"] for card in told["contenders"]},
            "machine": told["machine"],
            "caveats": {
                "known_failures": list(self.use.failures), "found": list(self.failures),
                "not_measured": [asdict(each) for each in self.not_measured],
            },
            "reproduce": {
                "command": report.command, "seed": report.seed, "deterministic": report.deterministic,
                "data_sha256": report.data.sha256, "code": self.code, "versions": told["versions"],
                "settings": dict(self.settings),
            },
        }  # fmt: skip

    def to_json(self) -> str:
        """The card as JSON text, without NaN or infinity."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False, ensure_ascii=False)


def model_card(
    report: Report,
    declared: Card | None,
    said: Card | None,
    summary: str = "",
    recorded: str = "",
    code: str = "",
    settings: Mapping[str, str] | None = None,
) -> ModelCard:
    """The card of a run.

    Args:
        declared: what its task says of its own sample sets; it is no word on data of a user's own.
        said: what the user says, which goes before all else.
        summary, recorded, code, settings: as in `ModelCard`.
    """
    use = _use(report.data.source, declared, said)
    return ModelCard(report, use, summary, recorded, code, settings or {}, failures(report), not_measured(report))


def _use(source: str, declared: Card | None, said: Card | None) -> Use:
    card, by = (said, "user") if said is not None else (declared, "task")
    known = OF_A_TASK.fullmatch(source)
    if card is None or (by == "task" and known is None):
        return Use("", note=NOT_STATED)
    note = OF_ANOTHER_SET if by == "task" and known and known[1] == "public" else ""
    told = (card.purpose, card.users, card.decides, card.not_for, card.failures, card.origin(source), card.contact)
    return Use("user" if by == "user" else "task", *told, note)
