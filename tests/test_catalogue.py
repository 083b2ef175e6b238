"""Finding tasks by their names."""

import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest

from pipelines import catalogue
from pipelines.errors import BadInput
from pipelines.objectives.ordinal import Ordinal
from pipelines.task import USUAL_POINTS

SHIPPED = [
    "finance/anomaly",
    "finance/credit-default",
    "finance/mortgage-approval",
    "medical_imaging/alzheimers",
    "medical_imaging/breast-cancer",
    "medical_imaging/diabetic-retinopathy",
    "medical_imaging/lung-nodule",
    "medical_imaging/microscopy",
    "medical_imaging/pneumonia",
    "nlp/sentiment",
    "speech/voice-command",
]


def test_every_shipped_task_is_found_under_its_name():
    assert set(SHIPPED) <= set(catalogue.names())
    assert catalogue.names() == sorted(catalogue.names())
    for name in catalogue.names():
        assert catalogue.find(name).name == name


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("finance/credit-defualt", "finance/credit-default"),
        ("credit-default", "finance/credit-default"),
        ("speech/voice_command", "speech/voice-command"),
        ("vision/lung-nodule", "medical_imaging/lung-nodule"),
    ],
)
def test_a_wrong_name_suggests_the_nearest(name, nearest):
    with pytest.raises(BadInput, match=f"did you mean {nearest}\\?.*tapeline list"):
        catalogue.find(name)


@pytest.mark.parametrize(
    "name", ["", "/", "..", "finance", "os/path", "finance.credit_default", "xyzzy", "finance/../nlp"]
)
def test_names_that_are_none(name):
    with pytest.raises(BadInput, match="there is no task"):
        catalogue.find(name)


@pytest.fixture
def other_package(tmp_path, monkeypatch):
    """A package of somebody else that registered itself under the entry point group."""
    domain = tmp_path / "their_domains" / "weather"
    domain.mkdir(parents=True)
    (domain.parent / "__init__.py").touch()
    (domain / "__init__.py").touch()
    (domain / "_shared.py").write_text("raise RuntimeError('not a task')")
    (domain / "rain_tomorrow.py").write_text(
        textwrap.dedent("""
            from dataclasses import replace
            from domains.finance.credit_default import TASK as OTHER
            TASK = replace(OTHER, name="weather/rain-tomorrow")
        """)
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(catalogue, "packages", lambda: ["domains", "their_domains"])
    yield
    for name in [name for name in sys.modules if name.startswith("their_domains")]:
        del sys.modules[name]


def test_tasks_of_other_packages(other_package):
    assert "weather/rain-tomorrow" in catalogue.names()
    assert "weather/-shared" not in catalogue.names()
    assert catalogue.find("weather/rain-tomorrow").name == "weather/rain-tomorrow"
    assert catalogue.find("finance/credit-default").name == "finance/credit-default"


def test_entry_points_are_looked_up(monkeypatch):
    class Entry:
        value = "their_domains"

    monkeypatch.setattr(catalogue, "entry_points", lambda group: [Entry()] if group == "tapeline.domains" else [])
    assert catalogue.packages() == ["domains", "their_domains"]


def test_listing_imports_no_task_and_nothing_heavy():
    code = (
        "import sys; from pipelines import catalogue; catalogue.names(); "
        "print([m for m in sys.modules if m in ('tensorflow', 'pandas', 'sklearn', 'domains.finance.credit_default')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_networks_are_chosen_by_name_and_optional_ones_wait_to_be_asked():
    task = catalogue.find("finance/credit-default")

    def names(chosen):
        return [each.name for each in task.competing(chosen).networks]

    assert names("") == ["mlp"]
    assert names("tabm") == ["tabm"]
    assert names(" tabm , mlp") == ["mlp", "tabm"]
    with pytest.raises(BadInput, match="no network 'tabn'; it has mlp, tabm, ft-transformer"):
        task.competing("mlp,tabn")
    with pytest.raises(ValueError, match="declares no network that competes unasked"):
        replace(task, networks=tuple(replace(each, unasked=False) for each in task.networks))


def test_networks_that_need_other_columns_do_not_compete():
    task = catalogue.find("finance/card-fraud")

    def names(chosen, columns):
        return [each.name for each in task.competing(chosen, columns).networks]

    assert "gru" in names("", ["amount", "history"])
    assert "gru" not in names("", ["amount"])
    with pytest.raises(BadInput, match="gru learns from history, which these data have not"):
        names("gru", ["amount"])


def test_medical_tasks_on_classes_without_an_order_ask_for_the_usual_operating_points():
    for task in (catalogue.find(name) for name in SHIPPED if name.startswith("medical_imaging/")):
        protocols = [task.protocol, *([task.on_pictures.protocol] if task.on_pictures else [])]
        asked = "" if isinstance(task.objective, Ordinal) else USUAL_POINTS
        assert {each.operate_at for each in protocols} == {asked}, task.name
