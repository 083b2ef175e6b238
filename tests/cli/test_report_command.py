"""`tapeline report`: one file about a recorded run, nothing overwritten by mistake, every refusal in one line."""

import filecmp
import json
import os
import webbrowser

import pytest

from pipelines.cli.reporting import _write
from pipelines.tracking.store import VARIABLE, open_store

from .conftest import TASK

CARD = 'purpose = "to lend"\nusers = "us"\ndecides = "a clerk"\nnot_for = ["<i>others</i>"]\nfailures = ["at night"]'


@pytest.fixture
def here(recorded, monkeypatch):
    """The folder of a real run, in which a test may write; what it wrote is removed."""
    monkeypatch.chdir(recorded.folder)
    monkeypatch.delenv(VARIABLE, raising=False)
    before = set(recorded.folder.iterdir())
    yield recorded.folder
    for path in set(recorded.folder.iterdir()) - before:
        path.unlink()


@pytest.fixture
def run_id(recorded):
    return recorded.document["mlflow_run_id"]


def test_a_run_is_found_by_its_id_its_start_and_its_task(tapeline, here, run_id):
    for named in (run_id, run_id[:8], TASK):
        ended = tapeline("report", named)
        assert (ended.code, ended.out) == (0, f"report-credit-default-{run_id[:8]}.html\n"), ended.err
    page = (here / ended.out.strip()).read_text(encoding="utf-8")
    assert run_id in page
    assert (
        "tapeline run finance/credit-default --data loans.csv --target defaulted --sensitive sex --sensitive age"
        in page
    )
    assert "protocol.refer=right:0.55" in page
    assert page.count('role="img"') > 8
    assert 'class="png"' not in page
    assert "Nobody said what a model of these data is for" in page
    assert not list(here.glob("*.tmp"))


def test_the_run_keeps_the_same_page_in_mlflow(tapeline, here, run_id):
    tapeline("report", run_id, "--output", "again.html")
    kept = open_store().client.download_artifacts(run_id, "report.html", str(here))
    assert filecmp.cmp(kept, here / "again.html", shallow=False)


def test_what_the_user_says_of_their_own_data_stands_on_the_page_and_in_the_card(tapeline, here, run_id):
    (here / "card.toml").write_text(CARD)
    ended = tapeline("report", run_id, "--card", "card.toml", "--json", "-", "--output", "mine.html")
    told = json.loads(ended.out)
    assert told["intended_use"]["purpose"] == "to lend"
    assert told["caveats"]["known_failures"] == ["at night"]
    assert told["reproduce"]["settings"]["protocol.refer"] == "right:0.55"
    page = (here / "mine.html").read_text(encoding="utf-8")
    assert "&lt;i&gt;others&lt;/i&gt;" in page
    assert "Nobody said" not in page
    assert "page written to mine.html" in ended.err


def test_json_alone_writes_no_page(tapeline, here, run_id):
    assert tapeline("report", run_id, "--json", "card.json").code == 0
    assert json.loads((here / "card.json").read_text(encoding="utf-8"))["model_card"] == 1
    assert tapeline("report", run_id, "--json", "card.json").code == 0  # a card may be written again
    assert not list(here.glob("*.html"))


def test_open_shows_the_page_and_never_fails(tapeline, here, run_id, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    assert tapeline("report", run_id, "--open").code == 0
    assert opened == [(here / f"report-credit-default-{run_id[:8]}.html").as_uri()]

    def none(_):
        raise webbrowser.Error("there is none")

    for broken in (none, lambda _: False):
        monkeypatch.setattr(webbrowser, "open", broken)
        ended = tapeline("report", run_id, "--open")
        assert ended.code == 0
        assert "no browser could be opened here; open " in ended.err


def test_a_page_is_replaced_and_anything_else_is_not(tapeline, here, run_id):
    assert tapeline("report", run_id, "--output", "x.html").code == 0
    assert tapeline("report", run_id, "--output", "x.html").code == 0
    for flag, name in (("--output", "notes.html"), ("--json", "notes.json")):
        (here / name).write_text("my notes")
        ended = tapeline("report", run_id, flag, name)
        assert ended.code == 2
        assert f"{flag} {name} is there already and was not written by `tapeline report`" in ended.err
        assert (here / name).read_text() == "my notes"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("credit-default",), "did you mean finance/credit-default?"),
        (("nlp/sentiment",), "no finished run of nlp/sentiment is recorded"),
        (("abc",), "give at least the first 4 of its digits"),
        (("0123456789",), "no run 0123456789"),
        ((TASK, "--output", "page.pdf"), "--output page.pdf: the page is HTML; give a name that ends in .html"),
        ((TASK, "--output", "nowhere/x.html"), "--output nowhere/x.html cannot be written: No such file or directory"),
        ((TASK, "--json", "nowhere/x.json"), "--json nowhere/x.json cannot be written: No such file or directory"),
        ((TASK, "--card", "none.toml"), "--card none.toml cannot be read: No such file or directory"),
    ],
)
def test_each_mistake_is_one_line_that_says_what_would_be_right(tapeline, here, arguments, said):
    ended = tapeline("report", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert ended.err.count("\n") == 1


def test_a_contender_is_no_run_of_a_pipeline(tapeline, here, recorded):
    child = recorded.document["contenders"][0]["mlflow_run_id"]
    ended = tapeline("report", child)
    assert ended.code == 2
    assert f"is the contender 'mlp' of run {recorded.document['mlflow_run_id']}; give that one" in ended.err


def test_a_run_that_failed_has_no_page_and_says_why(tapeline, here):
    client = open_store().client
    run = client.create_run(
        client.get_experiment_by_name(TASK).experiment_id, tags={"kind": "pipeline", "failure": "no room"}
    )
    client.set_terminated(run.info.run_id, "FAILED")
    ended = tapeline("report", run.info.run_id)
    client.delete_run(run.info.run_id)
    assert ended.code == 2
    assert "(FAILED) has no report: no room" in ended.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_file_that_must_not_be_written_is_named(tapeline, here, run_id):
    (here / "x.html").touch(mode=0o400)
    assert tapeline("report", run_id, "--output", "x.html").code == 2


def test_a_page_is_another_file_that_takes_the_place_of_the_old_one_whole(tmp_path):
    (tmp_path / "x.html").write_text('content="me" old')
    (tmp_path / "read.html").hardlink_to(tmp_path / "x.html")
    _write("--output", tmp_path / "x.html", "new", 'content="me"')
    assert (tmp_path / "x.html").read_text() == "new"
    assert (tmp_path / "read.html").read_text() == 'content="me" old', "who reads it reads on"
    assert len(list(tmp_path.iterdir())) == 2
