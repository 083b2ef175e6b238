"""The study document and its figure."""

import io
import json
import math
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from pipelines.report import study as module
from pipelines.report.document import Check, Comparison, DataCard, Estimate
from pipelines.report.figures_study import learning_curve_rows
from pipelines.report.study import Gain, Learner, Reading, Size, Study

NAN = math.nan


def size(rows, network, linear, prior=0.5):
    cards = tuple(
        Learner(name, kind, {"auroc": Estimate(value, value - 0.02, value + 0.02), "f1": Estimate(NAN)}, 1.5, "c" * 32)
        for name, kind, value in (
            ("mlp", "network", network),
            ("prior", "classical", prior),
            ("linear", "classical", linear),
        )
    )
    tests = tuple(
        Comparison("mlp", name, "auroc", network - value, network - value - 0.01, NAN, 0.2, "DeLong")
        for name, value in (("prior", prior), ("linear", linear))
    )
    return Size(
        rows / 1000, rows, {"train": rows - 9, "valid": 9, "test": 200}, cards, tests, {"forest": "why"}, 3.0, "d" * 32
    )


@pytest.fixture
def study():
    data = DataCard(
        "sample", False, 1250, "0f" * 32, {"train": 850, "valid": 150, "test": 250}, (Check("a", True, "b"),)
    )
    reading = Reading("mlp", 1000, None, Estimate(500.0, NAN, 900.0), (300, 1000), "mlp overtakes.")
    return Study(
        "finance/credit-default", 3, 12.5, data, "auroc", True, 250,
        (size(100, 0.6, 0.7), size(300, 0.7, 0.75), size(1000, 0.82, 0.8)),
        (Gain("mlp", 300, 1000, Estimate(0.069, 0.01, NAN)),), (reading,), "a" * 32, versions={"keras": "3"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def schema():
    return json.loads(Path(module.__file__).with_name("study_schema.json").read_text(encoding="utf-8"))


def test_a_study_is_the_same_after_json_and_fits_its_schema(study, schema):
    document = json.loads(study.to_json())
    jsonschema.validate(document, schema)
    assert repr(Study.from_dict(document)) == repr(study)
    assert document["readings"][0]["crossing"] == {"value": 500.0, "low": None, "high": 900.0}
    assert document["sentence"] == "mlp overtakes."


def test_the_schema_is_of_all_and_no_more(study, schema):
    document = study.to_dict()
    for name in document:
        broken = {key: value for key, value in document.items() if key != name}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "more": 1}, schema)


def test_what_a_report_holds_too_has_its_shape(schema):
    whole = json.loads(Path(module.__file__).with_name("schema.json").read_text(encoding="utf-8"))["$defs"]
    shared = set(schema["$defs"]) & set(whole)
    assert shared >= {"comparison", "data", "estimate"}
    assert {name: schema["$defs"][name] for name in shared} == {name: whole[name] for name in shared}


def test_another_schema_is_refused(study):
    with pytest.raises(ValueError, match="has schema 7"):
        Study.from_dict({**study.to_dict(), "schema": 7})


def test_the_lead_is_over_the_baseline_that_is_best_at_the_size(study):
    assert [study.lead(each, "mlp").baseline for each in study.sizes] == ["linear"] * 3
    assert study.lead(study.sizes[0], "lstm") is None
    worst_first = replace(study, greater_is_better=False)
    assert worst_first.lead(study.sizes[0], "mlp").baseline == "prior"


def test_the_figure_has_a_line_a_contender_and_marks_the_crossing(study):
    figure = learning_curve_rows(study)
    above, below = figure.axes
    named = {line.get_label().partition(":")[0]: line for line in above.get_lines() if ":" in str(line.get_label())}
    crossed = named.pop("mlp overtakes")
    assert set(named) == {"mlp", "linear"}, "a level line would only press the others together"
    assert list(named["mlp"].get_xdata()) == [100, 300, 1000]
    assert list(named["mlp"].get_ydata()) == [0.6, 0.7, 0.82]
    assert named["mlp"].get_linestyle() != named["linear"].get_linestyle(), "readable without colours"
    assert above.get_xscale() == below.get_xscale() == "log"
    assert list(crossed.get_xdata()) == [500.0, 500.0]
    assert crossed.get_label() == "mlp overtakes: 500 rows"
    assert "mlp overtakes: 500 rows" in [text.get_text() for text in above.get_legend().get_texts()]
    assert [label.get_text() for label in below.get_xticklabels()] == ["100\n10 %", "300\n30 %", "1,000\n100 %"]
    leads = next(line for line in below.get_lines() if list(line.get_xdata()) == [100, 300, 1000])
    assert list(leads.get_ydata()) == pytest.approx([-0.1, -0.05, 0.02])
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    assert drawn.getvalue().startswith(b"\x89PNG")


def test_a_figure_without_a_crossing_or_a_network_at_a_size_can_be_drawn(study):
    lost = replace(study.sizes[0], contenders=study.sizes[0].contenders[1:], comparisons=())
    none = replace(study.readings[0], crossing=Estimate(NAN))
    figure = learning_curve_rows(replace(study, sizes=(lost, *study.sizes[1:]), readings=(none,)))
    assert not any("overtakes" in str(line.get_label()) for line in figure.axes[0].get_lines())
    figure.savefig(io.BytesIO(), format="png")
