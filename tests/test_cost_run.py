"""Cost in a whole run: measured of every contender, kept in the journal, in MLflow, and held to a limit."""

import math
from dataclasses import asdict, replace

import numpy as np
import pytest

from domains.finance.credit_default import TASK
from pipelines.compete import compete
from pipelines.contenders.lineup import line_up
from pipelines.journal import open_journal
from pipelines.prepare import prepare
from pipelines.run import run
from pipelines.task import DataRequest, Limits
from pipelines.tracking import query

FEW = ("protocol.kind=holdout", "protocol.resamples=100", "recipe.epochs=2", "recipe.trials=1", "recipe.plan=resident")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A network, two of it together, and a forest."""
    baselines = tuple(each for each in TASK.baselines if each.name in ("prior", "forest"))
    limits = Limits(latency_ms_at_most=1e-6)
    task = replace(TASK, baselines=baselines, sensitive=(), limits=limits)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("cost"))
        yield run(task, DataRequest(), 0, (*FEW, "recipe.members=2"))


def test_every_contender_has_a_cost(report):
    for card in report.contenders:
        known = {name for name, value in asdict(card.cost).items() if value == value}
        lacking = set(asdict(card.cost)) - known - {"energy_wh"}
        assert lacking == (set() if card.kind != "classical" else {"train_flops"}), card.name
        assert card.cost.cpu_seconds > 0
        assert card.cost.peak_memory_mb > card.cost.memory_added_mb >= 0
        assert card.cost.latency_ms_95 >= card.cost.latency_ms > 0


def test_a_network_learned_from_its_rows_in_each_epoch(report):
    cost = report.scorecard("mlp").cost
    seen = 2 * report.data.splits["train"]
    assert cost.train_rows_per_second * cost.train_seconds == pytest.approx(seen)
    pair = report.scorecard("mlp-x2").cost
    assert pair.train_rows_per_second * pair.train_seconds == pytest.approx(2 * seen)
    assert pair.train_flops == pytest.approx(2 * cost.train_flops)
    assert pair.flops_per_row == pytest.approx(2 * cost.flops_per_row, rel=0.01)
    by_core = cost.train_flops / seen / 3
    assert by_core < cost.flops_per_row < 1.05 * by_core, "encoding and activation cost little"
    parameters = report.scorecard("mlp").cost.parameters
    assert by_core == pytest.approx(2 * parameters, rel=0.02), "a product and a sum for each weight"


def test_a_classical_model_goes_over_its_rows_once(report):
    cost = report.scorecard("forest").cost
    assert cost.train_rows_per_second * cost.train_seconds == pytest.approx(report.data.splits["train"])
    assert report.scorecard("prior").cost.flops_per_row == 0


def test_the_limit_on_a_single_row_fails_where_it_takes_longer(report):
    (found,) = report.verdict.limits
    assert (found.name, found.passed) == ("latency_ms_at_most", False)
    assert found.value == report.scorecard(report.verdict.network).cost.latency_ms


def test_mlflow_has_it_and_a_figure(report):
    rows = query.contenders(report.mlflow_run_id).set_index("contender")
    cost = report.scorecard("mlp").cost
    for name in (
        "cpu_seconds",
        "latency_ms",
        "train_rows_per_second",
        "memory_added_mb",
        "flops_per_row",
        "train_flops",
    ):
        assert rows[name]["mlp"] == pytest.approx(getattr(cost, name))
    assert query.report(report.mlflow_run_id).machine == report.machine
    assert report.machine.matmul_gflops > 0
    assert math.isfinite(cost.used(report.machine.matmul_gflops))


def test_a_run_that_is_gone_on_with_has_the_cost_that_was_measured(tmp_path):
    prepared = prepare(TASK, DataRequest(), 0, FEW)
    (forest,) = (each for each in line_up(TASK, prepared.objective, prepared.recipe) if each.name == "forest")
    journal = open_journal(tmp_path, {"task": "t"}, {"data": "d"}, fresh=False)
    first = compete(forest, prepared, 0, journal=journal)
    again = compete(forest, prepared, 0, journal=journal)
    np.testing.assert_equal(asdict(again.cost), asdict(first.cost))
    assert again.cost.latency_ms > 0
