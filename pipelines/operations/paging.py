"""The page and the model card of a recorded run."""

from __future__ import annotations

from pipelines import catalogue
from pipelines.card import Card
from pipelines.errors import TapelineError
from pipelines.prepare import Progress
from pipelines.report.card import ModelCard, model_card
from pipelines.report.page.build import html
from pipelines.tracking.record import PAGE, RunHandle
from pipelines.tracking.recorded import Recorded, recorded


def page_of(run_id: str) -> str:
    """The page of the run of this id, as HTML.

    Raises:
        BadInput: there is no such run, or it has no report.
    """
    found = recorded(run_id)
    return html(card_of(found), found.figures)


def keep_page(run: RunHandle, progress: Progress) -> None:
    """Record the page of a run that has its report. What nobody foresaw in drawing it costs the page, not the run."""
    try:
        page = page_of(run.run_id)
    except (OSError, TapelineError):
        raise
    except Exception as error:
        progress.say(f"the page of this run could not be made ({type(error).__name__}); `tapeline report` tries again")
        return
    run.text(PAGE, page)


def card_of(found: Recorded, said: Card | None = None) -> ModelCard:
    """The model card of a recorded run.

    Args:
        said: what the user says of the model; None for what the task declares of its own sample sets, where it does.
    """
    name = found.report.task
    task = catalogue.find(name) if name in catalogue.names() else None
    summary = "" if task is None else task.summary
    declared = None if task is None else task.on(found.report.data.columns).card
    return model_card(found.report, declared, said, summary, found.started, found.code, found.settings)
