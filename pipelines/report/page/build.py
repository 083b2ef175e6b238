"""The page as HTML: sections in reading order, put into the template, with the style sheet inside it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from pipelines.report.card import ModelCard
from pipelines.report.page.context import Context
from pipelines.report.page.parts import Section
from pipelines.report.page.pictures import Pictures
from pipelines.report.page.sections import (
    alerts,
    cases,
    data,
    ending,
    explanation,
    groups,
    lending,
    making,
    operating,
    oversight,
    privacy,
    probabilities,
    robustness,
    scores,
    strangers,
    use,
)
from pipelines.report.page.sections.answer import answer

SECTIONS: tuple[Callable[[Context], Section | None], ...] = (
    use.known_failures,
    use.intended_use,
    data.data,
    scores.scores,
    scores.comparison,
    probabilities.calibration,
    probabilities.decisions,
    operating.operating,
    groups.groups,
    groups.mitigation,
    oversight.automation,
    oversight.referral,
    explanation.explanation,
    cases.cases,
    robustness.robustness,
    strangers.strangers,
    privacy.privacy,
    lending.directions,
    lending.points,
    alerts.alerts,
    making.cost,
    making.tuning,
    making.training,
    ending.limits,
    ending.not_measured,
    ending.further,
    ending.reproduce,
)
"""In reading order. A new part of the report needs one function here and nothing else."""

GENERATOR = "tapeline report"
"""What the page says it was made by; only such a page is overwritten."""
NOT_SHOWN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
"""Control characters, and marks that would turn the direction of what follows them."""

PERCENT = re.compile(r"(?<=\d) %")
"""A number and its sign stay on one line."""


def html(card: ModelCard, figures: Mapping[str, bytes]) -> str:
    """The page about a run.

    Args:
        figures: file name (`roc.svg`, `mlp/learning_curves.png`) -> content.
    """
    page = Context(card, Pictures(figures))
    sections = [found for each in SECTIONS if (found := each(page)) is not None]
    style = _style()
    return str(
        _environment()
        .get_template("page.html")
        .render(
            answer=answer(page),
            card=card,
            report=card.report,
            sections=sections,
            style=Markup(style),  # noqa: S704  our own file
            style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
            generator=GENERATOR,
        )
    )


def _style() -> str:
    return (files("pipelines.report.page") / "page.css").read_text(encoding="utf-8")


@cache
def _environment() -> Any:
    """Templates of this package; what they are given is escaped, and unprintable characters are left out."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("pipelines.report.page", "."),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _printable(value: Any) -> Any:
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return PERCENT.sub("\u00a0%", NOT_SHOWN.sub("", value))
