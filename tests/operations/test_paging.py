"""The page that a run keeps: a fault in drawing it costs the page and not the run."""

from types import SimpleNamespace

import pytest

from pipelines.errors import BadInput
from pipelines.operations import paging


@pytest.fixture
def kept(monkeypatch):
    """(name, content) of what a run keeps, and what is said, when the page is made like this."""

    def keep(page_of):
        files, said = [], []
        run = SimpleNamespace(run_id="r1", text=lambda *file: files.append(file))
        monkeypatch.setattr(paging, "page_of", page_of)
        paging.keep_page(run, SimpleNamespace(say=said.append))
        return files, said

    return keep


def failing(error):
    def page_of(_):
        raise error

    return page_of


def test_a_page_is_kept_beside_the_report(kept):
    assert kept(lambda run_id: f"page of {run_id}") == ([("report.html", "page of r1")], [])


def test_a_fault_that_nobody_foresaw_is_said_and_costs_the_page_alone(kept):
    files, said = kept(failing(ZeroDivisionError("secret row")))
    assert files == []
    assert said == ["the page of this run could not be made (ZeroDivisionError); `tapeline report` tries again"]


@pytest.mark.parametrize("error", [OSError("the disk is full"), BadInput("no store")])
def test_what_has_words_of_its_own_goes_on(kept, error):
    with pytest.raises(type(error)):
        kept(failing(error))
