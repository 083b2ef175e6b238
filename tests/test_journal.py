"""The journal: one process at a time, the same command finds it, other data or versions do not."""

import time
from pathlib import Path

import numpy as np
import pytest

from pipelines.contenders.contender import History
from pipelines.errors import BadInput
from pipelines.evaluation.directions import Moves
from pipelines.journal import OLD, Finished, open_journal, unfinished
from pipelines.objectives.automation import Automation
from pipelines.objectives.calibration import Isotonic, Temperature
from pipelines.objectives.objective import Predictions
from pipelines.objectives.referral import Zone
from pipelines.report.document import Cost, Estimate
from pipelines.report.explanation import Explanation, Importance

COMMAND = {"task": "t", "seed": 0}
SAME = {"data": "aa", "keras": "3"}


def opened(place, command=COMMAND, identity=SAME, fresh=False):
    return open_journal(place, command, identity, fresh)


def begun(place, run_id="r1"):
    journal = opened(place)
    journal.begin(run_id, COMMAND)
    journal.entry("mlp", 0).finish(None, done(), None)
    journal.release()


def done(decisions=None, by=None):
    values = np.array([[0.25, 0.75], [0.5, 0.5]])
    history = History({"loss": (1.0, 0.1 + 0.2)}, 1)
    cost = Cost(2.0, parameters=3)
    return Finished(
        Predictions(values, decisions),
        float("nan"),
        0.5,
        cost,
        history,
        {"plan": "x"},
        by,
        None if by is None else values / 2,
        zone=None if by is None else Zone(0.1, 0.2 + 0.1),
        moves=None if by is None else Moves(np.array([7, 2]), {"Debt": values[0], "größe/m": values[1]}),
        membership={"auc": Estimate(0.1 + 0.2, 0.2, 0.9)},
        explanation=None
        if by is None
        else Explanation(
            7,
            "auroc",
            (Importance("größe/m", Estimate(0.1 + 0.2), float(np.float64(0.1) / 3), 7),),
            maps={"grad-cam": ((0.1, 0.2),)},
            randomisation=Estimate(0.1, -0.2, 0.3),
            completeness_error=0.01,
        ),
        automation=None if by is None else Automation(0.05, {0.01: 2.0, 0.05: 0.1 + 0.2}, 77, 0.4),
    )


@pytest.mark.parametrize("by", [None, Temperature(1.7), Isotonic((((0.1, 0.9), (0.2, 0.3)),))])
@pytest.mark.parametrize("decisions", [None, np.array([1, 0])])
def test_a_finished_fold_comes_back_as_it_was(tmp_path, decisions, by):
    journal = opened(tmp_path)
    assert journal.entry("mlp", 0).finished() is None
    journal.entry("mlp", 0).finish(None, done(decisions, by), None)
    found = journal.entry("mlp", 0).finished()
    np.testing.assert_array_equal(found.predictions.values, done().predictions.values)
    assert (found.predictions.decisions is None) == (decisions is None)
    assert np.isnan(found.threshold)
    assert (found.cost.train_seconds, found.cost.parameters) == (2.0, 3)
    assert found.history == done().history
    assert found.settings == {"plan": "x"}
    assert found.calibration == by
    assert found.zone == done(decisions, by).zone
    assert found.membership == done().membership
    assert (found.explanation is None) == (by is None)
    if by is not None:
        told, kept = found.explanation, done(decisions, by).explanation
        assert (told.importances[0].part, told.importances[0].p_value) == ("größe/m", kept.importances[0].p_value)
        assert (told.maps, told.randomisation, told.rows) == (kept.maps, kept.randomisation, 7)
    assert found.automation == done(decisions, by).automation
    assert (found.moves is None) == (by is None)
    if by is not None:
        assert found.moves.rows.tolist() == [7, 2]
        assert {name: each.tolist() for name, each in found.moves.wrong.items()} == {
            "Debt": [0.25, 0.75], "größe/m": [0.5, 0.5],
        }  # fmt: skip
    if by is None:
        assert found.uncalibrated is None
    else:
        np.testing.assert_array_equal(found.uncalibrated, done().predictions.values / 2)
    assert journal.entry("mlp", 1).finished() is None


@pytest.mark.parametrize("file", ["result.json", "predictions.npz"])
def test_a_damaged_fold_counts_as_not_done(tmp_path, file):
    begun(tmp_path)
    journal = opened(tmp_path)
    path = journal.entry("mlp", 0).folder / file
    path.write_bytes(path.read_bytes()[:-10])
    assert journal.entry("mlp", 0).finished() is None


def test_numbers_are_kept_whole_or_not_at_all(tmp_path):
    entry = opened(tmp_path).entry("mlp", 0)
    assert entry.kept("shadow-1") is None
    entry.keep("shadow-1", np.array([0.1 + 0.2, -1.5]))
    np.testing.assert_array_equal(entry.kept("shadow-1"), [0.1 + 0.2, -1.5])
    assert entry.kept("shadow-2") is None
    path = entry.folder / "shadow-1.npy"
    for damaged in (path.read_bytes()[:-1], b"", b"nothing of ours"):
        path.write_bytes(damaged)
        assert entry.kept("shadow-1") is None
    np.save(path, np.array([{"a": 1}], object), allow_pickle=True)
    assert entry.kept("shadow-1") is None, "nothing is unpickled"


def test_the_same_command_finds_it_another_does_not(tmp_path):
    begun(tmp_path)
    other = opened(tmp_path, {"task": "t", "seed": 1})
    assert other.run_id == ""
    again = opened(tmp_path)
    assert again.run_id == "r1"
    assert again.entry("mlp", 0).finished() is not None
    again.close()
    assert opened(tmp_path).run_id == ""


@pytest.mark.parametrize("how", [{"identity": {**SAME, "data": "bb"}}, {"fresh": True}])
def test_other_data_or_a_fresh_start_drops_what_was_done(tmp_path, how):
    begun(tmp_path)
    journal = opened(tmp_path, **how)
    assert journal.run_id == ""
    assert journal.dropped == (("data",) if "identity" in how else ())
    assert journal.entry("mlp", 0).finished() is None


def test_a_second_process_gets_a_journal_of_its_own(tmp_path):
    begun(tmp_path)
    first, second = opened(tmp_path), opened(tmp_path)
    assert (first.run_id, second.run_id) == ("r1", "")
    assert first.folder != second.folder


def test_old_ones_are_swept_but_not_those_in_use(tmp_path):
    import os

    begun(tmp_path)
    used = opened(tmp_path, {"task": "in use"})
    for folder in tmp_path.iterdir():
        os.utime(folder, (time.time() - 2 * OLD,) * 2)
    other = opened(tmp_path, {"task": "another"})
    assert set(tmp_path.iterdir()) == {used.folder, other.folder}


def test_unfinished_runs_are_found_by_the_start_of_their_id(tmp_path):
    begun(tmp_path, "abc1")
    assert unfinished(tmp_path, "abc") == COMMAND
    with pytest.raises(BadInput, match="--resume x: no unfinished run"):
        unfinished(tmp_path, "x")
    second = opened(tmp_path, {"task": "u"})
    second.begin("abc2", {"task": "u"})
    with pytest.raises(BadInput, match="several unfinished runs start like that: abc"):
        unfinished(tmp_path, "abc")
    assert unfinished(tmp_path, "abc2") == {"task": "u"}


def test_nothing_to_write_to_is_no_journal(tmp_path):
    (tmp_path / "file").write_text("")
    assert opened(tmp_path / "file" / "unfinished") is None


def test_a_journal_that_goes_while_old_ones_are_swept_is_nothing(tmp_path, monkeypatch):
    (tmp_path / "theirs").mkdir()

    def gone(path, *arguments, **options):
        if path.name == "theirs":
            raise FileNotFoundError(path)
        return usual(path, *arguments, **options)

    usual = Path.stat
    monkeypatch.setattr(Path, "is_dir", lambda path: True)
    monkeypatch.setattr(Path, "stat", gone)
    journal = opened(tmp_path)
    assert journal is not None
    journal.close()
