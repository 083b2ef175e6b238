"""What is refused, and what is said, once the rows are divided: classes that a part lacks, delays that cannot be."""

import numpy as np
import pandas as pd
import pytest

from pipelines import catalogue
from pipelines.compete import _moments_a_day
from pipelines.errors import BadInput
from pipelines.prepare import prepare
from pipelines.task import DataRequest

FRAUD = catalogue.find("finance/card-fraud")


@pytest.fixture
def of_ulb(tmp_path):
    """(rows that are fraud, settings) -> what is prepared of 1000 payments of two days in ULB's layout."""

    def made(fraud, *settings):
        chance = np.random.default_rng(0)
        frame = pd.DataFrame({"Time": np.linspace(0, 172_000, 1000).round(), "V1": chance.normal(size=1000)})
        frame = frame.assign(Amount=chance.exponential(50, 1000).round(2), Class=np.isin(np.arange(1000), fraud) * 1)
        path = tmp_path / "creditcard.csv"
        frame.to_csv(path, index=False)
        return prepare(FRAUD, DataRequest(str(path)), 0, settings)

    return made


EARLY, BETWEEN, LATE = [10, 500], [700, 720], [900, 990]


@pytest.mark.parametrize(
    ("fraud", "said"),
    [
        ([*BETWEEN, *LATE], "rows to learn from is '1', as 4 of all 1,000 rows are"),
        ([*EARLY, *BETWEEN], "none of the 200 rows that are tested is '1', as 4 of all 1,000 rows are"),
    ],
)
def test_a_class_that_cannot_be_learned_or_tested_is_refused_before_anything_is_trained(of_ulb, fraud, said):
    with pytest.raises(BadInput, match=said):
        of_ulb(fraud)


def test_validation_rows_that_lack_a_class_are_told(of_ulb):
    (note,) = [each for each in of_ulb([*EARLY, *LATE]).dataset.notes if "validation rows is" in each]
    assert "thresholds rest on them" in note
    assert not [each for each in of_ulb([*EARLY, *BETWEEN, *LATE]).dataset.notes if "validation rows is" in each]


def test_a_delay_is_said_to_be_left_out_only_where_one_was_wanted(of_ulb):
    rows = [*EARLY, *BETWEEN, *LATE]
    wanted = "the delay of labels by 7 is left out"
    assert any(wanted in each for each in of_ulb(rows).dataset.notes)
    for settings in (["protocol.delay=0"], ["protocol.by=row"]):
        assert not any("delay of labels" in each for each in of_ulb(rows, *settings).dataset.notes)


def test_a_delay_that_leaves_nothing_names_the_stretch_that_is_too_short(of_ulb):
    with pytest.raises(BadInput, match=r"of the rows to validate on no label .* they span 0\.239; set less, or 0"):
        of_ulb([*EARLY, *BETWEEN, *LATE], "protocol.delay=1")


def test_what_comes_day_by_day_is_not_drawn_moment_by_moment(of_ulb):
    prepared = of_ulb([*EARLY, *BETWEEN, *LATE])
    assert _moments_a_day(prepared) == len(np.unique(prepared.dataset.examples.time[prepared.folds[0].test]))
    credit = prepare(catalogue.find("finance/credit-default"), DataRequest(), 0)
    assert _moments_a_day(credit) == 1


def test_obeying_is_refused_where_nobody_can_be_made_to(tmp_path):
    chance = np.random.default_rng(1)
    frame = pd.DataFrame({"x": chance.normal(size=200), "odd": np.where(np.arange(200) % 10, "no", "yes")})
    frame.to_csv(tmp_path / "table.csv", index=False)
    asked = DataRequest(str(tmp_path / "table.csv"), target="odd", positive="yes")
    with pytest.raises(BadInput, match=r"protocol\.obey=yes does nothing here: finance/anomaly has no baseline"):
        prepare(catalogue.find("finance/anomaly"), asked, 0, ["protocol.obey=yes", "protocol.monotone=x:up"])
