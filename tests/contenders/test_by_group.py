"""Decisions by group: trained once with the contender they are of, drawn alike in every process, saved safely."""

import json
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from planted import planted

from pipelines.contenders import saved
from pipelines.contenders.by_group import DecidedByGroup, decided, lots, thresholds_of
from pipelines.contenders.classical import ClassicalContender
from pipelines.contenders.remembered import Remembered
from pipelines.contenders.tables import BASELINES
from pipelines.errors import BadInput
from pipelines.objectives.classification import Classification
from pipelines.objectives.group_thresholds import GroupThresholds, Mixture
from pipelines.task import Recipe

ROOT = Path(__file__).resolve().parents[2]
LINEAR = next(each for each in BASELINES if each.name == "linear")


@dataclass
class Counted:
    name: str = "counted"
    kind: str = "network"
    fits: list = field(default_factory=list)

    def fit(self, train, valid, seed, watch=None, checkpoints=None):
        self.fits.append(seed)
        return object()


def test_what_was_trained_already_is_not_trained_again():
    rows, base = planted(60), Counted()
    kept = Remembered(base)
    by_group = DecidedByGroup(kept, "group")
    train, valid = rows.take(np.arange(40)), rows.take(np.arange(40, 60))
    assert kept.fit(train, valid, 1) is by_group.fit(train, valid, 1)
    other = by_group.fit(train, valid, 2)
    assert other is kept.fit(train, valid, 2)
    assert other is not kept.fit(train, valid, 1)
    assert base.fits == [1, 2]
    assert (kept.name, kept.kind, by_group.name, by_group.kind) == (
        "counted",
        "network",
        "counted+thresholds",
        "mitigated",
    )


def test_a_row_draws_the_same_lot_wherever_it_stands():
    rows = planted(2000)
    drawn = lots(rows, rows.kinds, 5)
    order = np.random.default_rng(0).permutation(2000)[:300]
    np.testing.assert_array_equal(lots(rows.take(order), rows.kinds, 5), drawn[order])
    regrouped = replace(rows, target=rows.target[::-1], groups={"group": rows.groups["group"][::-1]})
    np.testing.assert_array_equal(lots(regrouped, rows.kinds, 5), drawn)
    assert np.abs(np.quantile(drawn, [0.1, 0.5, 0.9]) - [0.1, 0.5, 0.9]).max() < 0.04
    assert abs(np.corrcoef(drawn, lots(rows, rows.kinds, 6))[0, 1]) < 0.08
    assert abs(np.corrcoef(drawn, rows.columns["merit"])[0, 1]) < 0.08


def test_nothing_is_chosen_for_a_contender_that_does_not_ask():
    rows = planted(60)
    objective = Classification().resolve(rows.target)
    contender = ClassicalContender(LINEAR, objective, Recipe(trials=1))
    assert thresholds_of(contender, rows, rows, None, objective, 0.5, 0, {}) is None


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A contender that decides by group, saved; the rows that it was tested on, and its decisions."""
    rows, test, folder = planted(700, unknown=0.1), planted(300, seed=1, unknown=0.1), tmp_path_factory.mktemp("kept")
    objective = Classification().resolve(rows.target)
    contender = DecidedByGroup(Remembered(ClassicalContender(LINEAR, objective, Recipe(trials=1))), "group")
    fitted = contender.fit(rows, rows, 0)
    by = thresholds_of(contender, rows, rows, fitted.predict(rows), objective, 0.5, 9, {})
    by = replace(by, groups={**by.groups, "a": Mixture(0.3, 0.5, 0.5, (0.3, 0.6))})  # much is left to the lot
    saved.save(fitted, folder, "tests/case", contender.name, objective, rows, 0.5, by_group=by)
    return folder, test, decided(fitted.predict(test), by, test, test.kinds).labels()


IN_A_NEW_PROCESS = """
import sys
from pathlib import Path
sys.path.insert(0, "tests")
from planted import planted
from pipelines.contenders import saved
found = saved.load(Path(sys.argv[1])).predict(planted(300, seed=1, unknown=0.1))
print("".join(map(str, found.labels())))
"""


def test_a_new_process_decides_the_same(kept):
    folder, test, decisions = kept
    done = subprocess.run(
        [sys.executable, "-c", IN_A_NEW_PROCESS, str(folder)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.strip() == "".join(map(str, decisions)), done.stderr[-2000:]
    plain = replace(saved.load(folder), by_group=None).predict(test).labels()
    assert 0 < (plain != decisions).mean() < 0.5


def test_rows_that_do_not_say_their_group_are_not_decided(kept):
    folder, test, _ = kept
    with pytest.raises(BadInput, match="decides by group, which these rows do not say"):
        saved.load(folder).predict(replace(test, groups={}))


@pytest.mark.parametrize("change", [{"seed": -3}, {"groups": {"a": {"by_lot": 2}}}, {"threshold": "low"}])
def test_a_tampered_description_is_refused(change, kept, tmp_path):
    description = json.loads((kept[0] / saved.DESCRIPTION).read_text())
    description["by_group"] |= change
    (tmp_path / saved.DESCRIPTION).write_text(json.dumps(description))
    (tmp_path / "model.skops").write_bytes((kept[0] / "model.skops").read_bytes())
    with pytest.raises(BadInput, match="not written by Tapeline, or is damaged"):
        saved.load(tmp_path)


def test_an_applicant_who_is_decided_by_lot_gets_the_same_answer_again():
    rows = planted(400)
    by = GroupThresholds("group", dict.fromkeys("ab", Mixture(1.0, 0.5, 0.0, (0.5, 0.5))), (), 0.5, 4)
    objective = Classification().resolve(rows.target)
    said = objective.predict(np.full((400, 1), 0.7))
    first = decided(said, by, rows, rows.kinds).labels()
    assert 0.4 < first.mean() < 0.6
    again = rows.take(np.arange(399, -1, -1))
    np.testing.assert_array_equal(decided(said, by, again, again.kinds).labels()[::-1], first)
