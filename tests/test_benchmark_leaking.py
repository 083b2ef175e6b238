"""The benchmark of splits that leak: whose labels are exchanged, and that both splits run."""

import json
import sys
from dataclasses import replace

import numpy as np

from benchmarks import leaking
from pipelines.data.examples import Examples

FAST = (
    "recipe.epochs=1", "recipe.trials=1", "recipe.plan=resident", "protocol.kind=holdout", "protocol.resamples=100",
    "protocol.networks=mlp",
)  # fmt: skip


def test_exchanged_diagnoses_are_of_a_person_and_as_many_as_before():
    ids = np.repeat([f"p{number}" for number in range(20)], 3).astype(object)
    target = np.repeat(np.array(["ill", "well", "well", "well"] * 5, dtype=object), 3)
    found = leaking.exchange(Examples({"x": np.zeros(60)}, target, ids=ids))
    assert all(len(set(found[ids == who])) == 1 for who in set(ids))
    assert (found == "ill").sum() == 15
    assert (found != target).any()


def test_both_splits_are_judged_and_written(tmp_path, monkeypatch, capsys):
    seen = []
    prepare = leaking.prepare
    monkeypatch.setattr(leaking, "prepare", lambda *given: seen.append(prepare(*given)) or seen[-1])
    competing = leaking.compete
    rows = []
    monkeypatch.setattr(leaking, "compete", lambda one, of, seed: rows.append(of) or competing(one, of, seed))
    monkeypatch.setattr(leaking, "TASK", replace(leaking.TASK, baselines=leaking.TASK.baselines[:2]))
    monkeypatch.setattr("pipelines.compete._explanation", lambda *_: None)  # which takes most of the time
    few = [part for each in FAST for part in ("--set", each)]
    arguments = ["leaking", "--data", "sample", *few, "--output", str(tmp_path / "leaking.json")]
    monkeypatch.setattr(sys, "argv", arguments)
    leaking.main()
    found = json.loads((tmp_path / "leaking.json").read_text())
    names = {"mlp", "prior", "linear"}
    for part in ("sample", "diagnoses exchanged"):
        assert {name: set(each["contenders"]) for name, each in found[part].items()} == {
            "by person": names, "by session": names,
        }  # fmt: skip
    assert "diagnoses exchanged between people" in capsys.readouterr().out
    crossed = [_crossed(of) for of in seen]
    assert [each > 0 for each in crossed] == [False, True, False, True]
    assert [of.dataset.examples.ids is None for of in rows] == ([False] * 3 + [True] * 3) * 2


def _crossed(prepared):
    """How many people are learned from and tested."""
    ids, fold = np.asarray(prepared.dataset.examples.ids).astype(str), prepared.folds[0]
    return len(set(ids[fold.train]) & set(ids[fold.test]))
