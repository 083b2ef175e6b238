"""The model card: what people say goes before what a task declares, and what nobody measured is said."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from pipelines import catalogue
from pipelines.card import Card, read_card
from pipelines.errors import BadInput
from pipelines.operations import paging
from pipelines.report import card as module
from pipelines.report.card import OF_ANOTHER_SET
from pipelines.report.caveats import failures, not_measured
from pipelines.report.document import Estimate
from pipelines.report.robustness import Robustness
from pipelines.report.strangers import Stranger, Strangers
from pipelines.tracking.recorded import Recorded

from .page_reports import card_of, hostile_report, whole_report

SAID = Card("mine", "us", "we do", ("them",), ("at night",), {"": "our own"}, "me")


@pytest.fixture(scope="module")
def schema():
    return json.loads(Path(module.__file__).with_name("card_schema.json").read_text(encoding="utf-8"))


def of(source, **how):
    report = whole_report()
    return card_of(replace(report, data=replace(report.data, source=source)), **how).use


def test_the_task_speaks_of_its_own_sets_and_the_user_of_everything():
    assert (of("sample credit_data/1.0.0").said_by, of("sample credit_data/1.0.0").origin) == ("task", "a bank")
    assert (of("sample other/1.0.0").said_by, of("sample other/1.0.0").origin) == ("task", "")
    assert of("public credit_data/1.0.0").note == OF_ANOTHER_SET
    assert of("sample credit_data/1.0.0").note == ""
    assert of("public credit_data/small/1.0.0").note == OF_ANOTHER_SET
    for own in ("sample loans.csv", "sample data/loans.csv", "public", "sample credit_data"):
        assert of(own).said_by == "", "a user's own file, whatever it is called"
    own = of("loans.csv")
    assert (own.said_by, own.purpose, own.failures, own.origin) == ("", "", (), "")
    assert "--card" in own.note
    for source in ("loans.csv", "sample credit_data/1.0.0"):
        told = of(source, said=SAID)
        assert (told.said_by, told.purpose, told.origin, told.contact, told.note) == (
            "user",
            "mine",
            "our own",
            "me",
            "",
        )


@pytest.mark.parametrize("report", [whole_report(), hostile_report()], ids=["whole", "hostile"])
def test_the_card_is_json_under_the_headings_of_its_schema(report, schema):
    jsonschema.Draft202012Validator.check_schema(schema)
    text = card_of(report).to_json()
    assert "NaN" not in text
    jsonschema.validate(json.loads(text), schema)


@pytest.mark.parametrize("place", [(), ("intended_use",), ("caveats",), ("reproduce",), ("human_oversight",)])
def test_the_schema_refuses_what_was_not_agreed(schema, place):
    told = json.loads(card_of(whole_report()).to_json())
    part = told
    for key in place:
        part = part[key]
    part["strange"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(told, schema)


def test_the_card_holds_what_was_measured_and_said():
    told = card_of(whole_report()).to_dict()
    assert told["model_details"]["model"] == "mlp"
    assert told["intended_use"]["not_for"] == ("deciding alone",)
    assert told["factors"] == ["sex", "sex x age"]
    assert told["metrics"] == {
        "primary": "auroc",
        "greater_is_better": True,
        "intervals": "95 %",
        "decided_by": "cost:1:5",
        "threshold": 0.4,
    }
    assert told["quantitative_analyses"]["scores"]["scorecard"]["auroc"]["value"] == 0.8
    assert told["privacy"]["membership"]["mlp"]["auc"]["low"] == 0.66
    assert told["privacy"]["spent"].startswith("epsilon 6.5")
    assert told["human_oversight"]["decides"] == "a person decides"
    assert told["human_oversight"]["referral"]["rule"] == "right:0.9"
    assert told["caveats"]["known_failures"] == ["it fails here"]
    assert told["reproduce"]["command"].startswith("tapeline run finance/credit-default")
    assert told["reproduce"]["data_sha256"] == "0f" * 32
    assert told["data"]["origin"] == "a bank"


def test_the_model_is_the_network_of_the_verdict_wherever_it_stands():
    report = whole_report()
    turned = replace(report, contenders=report.contenders[::-1])
    assert card_of(turned).to_dict()["model_details"] == card_of(report).to_dict()["model_details"]


def test_what_a_run_found_against_itself_is_told_the_worst_first():
    found = failures(whole_report())
    assert found[0].startswith("The data are simulated")
    assert "2 rows repeat" in found[1]
    assert "AUROC at least 0.900; measured 0.810" in found[2]
    assert sum("more than chance" in each for each in found) == 1  # the other gap may be chance, the third is crossed
    assert not [each for each in found if "disparate" in each]


@pytest.mark.parametrize(
    ("attacks", "told"),
    [
        ({"auc": Estimate(0.7, 0.61, 0.8)}, True),
        ({"auc": Estimate(0.7, 0.59, 0.8)}, False),
        ({"auc": Estimate(0.5, 0.45, 0.55), "lira_auc": Estimate(0.8, 0.75, 0.85)}, True),
        ({}, False),
    ],
)
def test_a_model_that_gives_away_whom_it_knows_is_told_whichever_attack_finds_it(attacks, told):
    report = whole_report()
    first, *others = report.contenders
    found = failures(replace(report, contenders=(replace(first, membership=attacks), *others)))
    assert any("was in the training data" in each for each in found) == told


def test_a_gap_that_may_be_chance_is_no_failure():
    report = whole_report()
    first, *others = report.contenders
    chance = tuple(replace(gap, p_value=0.2, intersection=False) for gap in first.gaps)
    found = failures(replace(report, contenders=(replace(first, gaps=chance), *others)))
    assert not any("more than chance" in each for each in found)


def test_a_healthy_run_finds_nothing():
    report = whole_report()
    card = replace(report.contenders[0], gaps=(), membership={}, settings={"gradients": "healthy in every layer"})
    data = replace(report.data, simulated=False, checks=())
    limits = replace(report.verdict, limits=())
    assert (
        failures(replace(report, contenders=(card, *report.contenders[1:]), data=data, verdict=limits, left_out={}))
        == ()
    )


def test_what_was_measured_is_not_said_to_be_missing():
    report = whole_report()
    told = {each.what for each in not_measured(report)}
    assert {"Energy", "What another training would say", "Causes"} <= told
    assert not told & {
        "Groups of people",
        "A guarantee of privacy",
        "What may be automated",
        "What decisions cost",
    }
    card = replace(
        report.contenders[0],
        bias=(),
        settings={},
        oversight=None,
        membership={},
        training_sd=0.1,
        directions=(),
        calibration={},
        cost=replace(report.contenders[0].cost, energy_wh=1.0),
    )
    bare = replace(report, contenders=(card, *report.contenders[1:]), decided_by="")
    told = {each.what: each.why for each in not_measured(bare)}
    assert {
        "Groups of people",
        "A guarantee of privacy",
        "What may be automated",
        "What decisions cost",
        "Whether probabilities come true",
        "Whether risk moves the right way with each column",
    } <= set(told)
    assert not {"Energy", "What another training would say"} & set(told)
    timed = replace(bare, data=replace(bare.data, protocol="holdout of 9 rows (the last rows in time)"))
    assert (
        "split by time"
        in {each.what: each.why for each in not_measured(timed)}["Whether an outsider can tell who was learned from"]
    )


def test_of_pictures_it_is_said_that_worse_and_other_ones_were_left_out():
    report = whole_report()
    asked = {"What worse pictures cost", "Whether pictures of something else are noticed"}
    pictures = replace(report, data=replace(report.data, columns={"image": "image"}))
    assert not asked & {each.what for each in not_measured(report)}
    assert asked <= {each.what for each in not_measured(pictures)}
    first = replace(report.contenders[0], robustness=Robustness("auroc"), strangers=Strangers())
    told = {each.what for each in not_measured(replace(pictures, contenders=(first, *report.contenders[1:])))}
    assert not asked & told


def test_what_a_member_does_not_notice_is_a_failure_of_its_ensemble():
    report = whole_report()
    blank = Stranger("blank", "one grey", 9, Estimate(0.6), Estimate(0.5), Estimate(0.1))
    single = replace(report.contenders[0], name="net", strangers=Strangers(kinds=(blank,)))
    other, several = replace(single, name="other"), replace(single, name="net-x3", kind="ensemble", strangers=None)
    whole = replace(report, contenders=(several, other, single), verdict=replace(report.verdict, network="net-x3"))
    told = [each for each in failures(whole) if "blank" in each]
    assert len(told) == 1
    assert "net" in told[0]
    assert "other" not in told[0]


@pytest.mark.parametrize("name", catalogue.names())
def test_every_task_says_what_it_is_for_what_not_and_where_it_fails(name):
    task = catalogue.find(name)
    cards = [task.card, *([task.on_pictures.card] if task.on_pictures and task.on_pictures.card else [])]
    for card in cards:
        assert min(map(len, (card.purpose, card.users, card.decides))) > 30
        assert len(card.not_for) >= 2
        assert len(card.failures) >= 2
    builders = re.findall(r"builders\.\w+\.(\w+)", repr(task.sources)) or ["SimulatedCards"]
    sets = {re.sub(r"(?<!^)(?=[A-Z])", "_", each).lower() for each in builders} | set(task.sources.public)
    origins = {key: origin for card in cards for key, origin in card.origins.items()}
    assert set(origins) == sets
    assert all(origin.endswith(".") for origin in origins.values())
    if task.sample_is_simulated:
        assert "simulated" in task.card.purpose or "synthesised" in task.card.purpose


def test_a_task_for_tables_has_another_card_for_pictures():
    task, report = catalogue.find("medical_imaging/breast-cancer"), whole_report()
    for columns, card in (({"image": "image"}, task.on_pictures.card), ({"mean radius": "number"}, task.card)):
        data = replace(report.data, columns=columns, source="public patch_camelyon/2.0.0")
        found = Recorded(replace(report, task=task.name, data=data), "", "", {}, {})
        assert paging.card_of(found).use.purpose == card.purpose


def told_in(tmp_path, text):
    file = tmp_path / "card.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_card(file)


def test_a_users_card_is_read(tmp_path):
    text = 'purpose = "p"\nusers = "u"\ndecides = "d"\nnot_for = ["a", "b"]\nfailures = ["c"]\n'
    text += 'data = "ours"\ncontact = "m"'
    assert told_in(tmp_path, text) == Card("p", "u", "d", ("a", "b"), ("c",), {"": "ours"}, "m")
    assert told_in(tmp_path, 'purpose = "p"') == Card("p", "", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("purpos = 'x'", "no key 'purpos'; it may say contact, data, decides, failures, not_for, purpose, users"),
        ("users = 'x'", "says no purpose; write purpose ="),
        ("purpose = ' '", "purpose must be a text"),
        ("purpose = 3", "purpose must be a text"),
        ("purpose = 'p'\nnot_for = 'x'", "not_for must be a list of texts"),
        ("purpose = 'p'\nfailures = [3]", "failures must be a text"),
        ("purpose = p", "is not TOML"),
        (b"purpose = '\xff'", "is not TOML in UTF-8"),
        (f"purpose = '{'x' * 4001}'", "has 4001 characters; say it in 4000"),
        (f"purpose = 'p'\nnot_for = {['x'] * 51}", "not_for has 51 entries; 50 are the most"),
    ],
)
def test_a_card_that_says_something_else_is_refused_by_its_key(tmp_path, text, said):
    with pytest.raises(BadInput, match=r"--card .*card\.toml") as refused:
        told_in(tmp_path, text)
    assert said in str(refused.value)


def test_a_card_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        read_card(tmp_path / "none.toml")


def test_no_number_of_a_card_is_undefined_by_accident():
    assert math.isnan(hostile_report().contenders[0].scores["auroc"].value)
    told = card_of(hostile_report()).to_dict()
    assert told["quantitative_analyses"]["scores"]["mlp"]["auroc"]["value"] is None
