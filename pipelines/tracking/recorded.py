"""All that a run left which a page about it shows: its report, what MLflow knows beside it, and its figures."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.report.document import Report
from pipelines.tracking.query import _children, _pipeline_run, _reading, _report, _required
from pipelines.tracking.record import FIGURES
from pipelines.tracking.store import Store

DRAWN = (".svg", ".png")
"""Kinds of a figure, the better one first; runs from before figures were kept as SVG have PNG alone."""


@dataclass(frozen=True)
class Recorded:
    """A run as it was recorded.

    Args:
        started: the moment, ISO 8601 in UTC.
        code: version of Tapeline, and the commit where it ran from a checkout.
        settings: `protocol.KEY` and `NETWORK recipe.KEY` -> value, as text.
        figures: file name (`roc.svg`; of a contender `mlp/learning_curves.svg`) -> content.
    """

    report: Report
    started: str
    code: str
    settings: Mapping[str, str]
    figures: Mapping[str, bytes]


def recorded(run_id: str) -> Recorded:
    """What the pipeline run of this id, or of an id that begins so, left.

    Raises:
        BadInput: no such run, one that is no pipeline's, or one that left no report; the message says what to give.
    """
    with _reading() as found:
        store = _required(found)
        run = _pipeline_run(store, run_id)
        report = _report(store, run)
        children = _children(store, run)
        figures = _figures(store, run.info.run_id, "")
        for child in children:
            figures |= _figures(store, child.info.run_id, f"{child.info.run_name}/")
    started = datetime.fromtimestamp(run.info.start_time / 1000, UTC).isoformat(timespec="seconds")
    settings = _named(run, "protocol", "")
    for child in children:
        if child.data.tags.get("kind") != "classical":
            settings |= _named(child, "recipe", f"{child.info.run_name} ")
    return Recorded(report, started, run.data.tags.get("code_version", ""), settings, figures)


def _named(run: Any, kind: str, prefix: str) -> dict[str, str]:
    """Settings of one kind that are set, as `--set` takes them."""
    told = {name: value for name, value in sorted(run.data.params.items()) if name.startswith(f"{kind}/")}
    return {f"{prefix}{name.replace('/', '.', 1)}": value for name, value in told.items() if value not in ("", "None")}


def _figures(store: Store, run_id: str, prefix: str) -> dict[str, bytes]:
    names = [file.path for file in store.client.list_artifacts(run_id, FIGURES)]
    if not names:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(store.client.download_artifacts(run_id, FIGURES, folder))
        found: dict[str, Path] = {}
        for suffix in DRAWN:
            for path in sorted(place.glob(f"*{suffix}")):
                found.setdefault(path.stem, path)
        return {f"{prefix}{path.name}": path.read_bytes() for path in found.values()}
