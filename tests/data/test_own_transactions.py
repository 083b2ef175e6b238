"""Reading a user's own payments: parts by name or flag, repairs that are counted, and what is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from payments import payments

from pipelines.data.own_transactions import OwnTransactions
from pipelines.errors import BadInput
from pipelines.task import DataRequest

START = pd.Timestamp("2024-01-01")


def apart(n=300):
    """Payments of which no two are just a window apart, so that rounding to seconds decides nothing."""
    of = payments(n)
    return replace(of, time=of.time + np.arange(n) / 86400, place=None)


def table(n=300, **columns):
    of = apart(n)
    found = pd.DataFrame({
        "transaction_id": np.arange(n),
        "datetime": (START + pd.to_timedelta(of.time, unit="D")).round("s").strftime("%Y-%m-%dT%H:%M:%S"),
        "customer_id": of.customer,
        "terminal_id": of.terminal,
        "amount": of.amount,
        "is_fraud": of.fraud.astype(int),
    })  # fmt: skip
    return found.assign(**columns)


def load(tmp_path, frame, **flags):
    path = tmp_path / "payments.csv"
    frame.to_csv(path, index=False)
    return OwnTransactions().load(DataRequest(str(path), delay=3.0, **flags))


def test_columns_are_told_by_their_names(tmp_path):
    found = load(tmp_path, table())
    of = apart()
    expected = of.inputs(3.0)[0]
    for each in (expected["weekday"], expected["history"][:, :, 3]):
        each[...] = (each + 4) % 7  # days since 1970 begin on a Thursday, and this year on a Monday
    for name, values in expected.items():
        np.testing.assert_allclose(found.examples.columns[name], values, rtol=1e-4, atol=1e-3, err_msg=name)
    assert found.positive == "1"
    assert found.examples.ids is None  # customers are paid for in training and test
    np.testing.assert_array_equal(found.records["card"], of.customer)
    assert any("'customer_id' is the customer" in note for note in found.notes)


def test_flags_name_what_names_do_not(tmp_path):
    frame = table().rename(columns={"customer_id": "kunde", "datetime": "zeit", "is_fraud": "betrug"})
    frame["betrug"] = np.where(frame["betrug"] == 1, "ja", "nein")
    found = load(tmp_path, frame, target="betrug", id="kunde", time="zeit", positive="ja")
    assert found.positive == "ja"
    assert "history" in found.examples.columns
    with pytest.raises(BadInput, match=r"which of 'ja', 'nein' in 'betrug' is fraud.*--positive"):
        load(tmp_path, frame, target="betrug", id="kunde", time="zeit")


def test_payments_out_of_order_are_sorted_and_counted(tmp_path):
    frame = table()
    order = np.random.default_rng(0).permutation(len(frame))
    sorted_, shuffled = load(tmp_path, frame), load(tmp_path, frame.iloc[order])
    assert (np.diff(shuffled.examples.time) >= 0).all()
    backwards = (np.diff(apart().time[order]) < 0).sum()
    assert any(f"({backwards} steps back in time)" in note for note in shuffled.notes)
    np.testing.assert_array_equal(np.sort(shuffled.records["amount"]), np.sort(sorted_.records["amount"]))


def test_repeated_ids_are_kept_once_and_counted(tmp_path):
    frame = table()
    found = load(tmp_path, pd.concat([frame, frame.iloc[[3, 4]]]))
    assert len(found.examples) == len(frame)
    assert any("2 rows left out that an earlier one of the same id repeats" in note for note in found.notes)
    frame.loc[5, "transaction_id"] = 3
    with pytest.raises(BadInput, match=r"lines 5 and 7 have one transaction_id \('3'\) and differ"):
        load(tmp_path, frame)


def test_refunds_are_left_out_and_counted(tmp_path):
    frame = table()
    frame.loc[[2, 9, 11], "amount"] = -5.0
    found = load(tmp_path, frame)
    assert len(found.examples) == 297
    assert any("3 rows with a negative amount left out" in note for note in found.notes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"datetime": "2123-01-01T00:00:00"}, r"line 2, .*'2123-01-01T00:00:00' is in the future, and 299 more"),
        ({"datetime": "noon"}, r"line 2, column 'datetime' \(--time\) holds 'noon'; every row needs"),
        ({"datetime": 1.7e12}, "too large for seconds, perhaps milliseconds"),
        ({"customer_id": 7}, "all payments are of one customer"),
        ({"is_fraud": 0}, "should say fraud or genuine, and has 1 value"),
        ({"amount": 1e12}, "line 2, the amount is beyond 1e"),
        ({"amount": "much"}, "'amount' should hold the amount as numbers"),
        ({"visits_here": np.arange(300.0) % 7}, "'visits_here' has the name of one that is made of the past"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(tmp_path, change, message):
    with pytest.raises(BadInput, match=message) as told:
        load(tmp_path, table(**change))
    assert "\n" not in str(told.value)


def test_a_missing_part_is_named(tmp_path):
    with pytest.raises(BadInput, match="no column says the amount of a payment"):
        load(tmp_path, table().drop(columns="amount"))
    with pytest.raises(BadInput, match=r"no column says what was fraud .*--target"):
        load(tmp_path, table().drop(columns="is_fraud"))
    frame = table()
    frame["customer_id"] = frame["customer_id"].astype(object)
    frame.loc[4, "customer_id"] = ""
    with pytest.raises(BadInput, match=r"'customer_id' .* is missing in 1 row \(line 6\)"):
        load(tmp_path, frame)


def ulb(n=400, seed=0):
    """The layout of ULB's `creditcard.csv`: made here, not real."""
    chance = np.random.default_rng(seed)
    frame = pd.DataFrame({"Time": np.sort(chance.integers(0, 172792, n)).astype(float)})
    fraud = (np.arange(n) % 50 == 3).astype(int)
    for number in range(1, 29):
        frame[f"V{number}"] = chance.normal(size=n) + (2 * fraud if number < 4 else 0)
    return frame.assign(Amount=np.exp(chance.normal(3, 1, n)).round(2), Class=fraud)


def test_the_ulb_layout_is_read_as_it_is(tmp_path):
    found = load(tmp_path, ulb())
    assert list(found.examples.columns) == ["amount", "hour", *(f"V{number}" for number in range(1, 29))]
    assert (found.target, found.positive, set(found.records)) == ("Class", "1", {"day", "amount"})
    assert any("networks that learn from them are left out" in note for note in found.notes)


def test_the_handbooks_columns_that_tell_are_left_out(tmp_path):
    names = {"datetime": "TX_DATETIME", "customer_id": "CUSTOMER_ID", "terminal_id": "TERMINAL_ID"}
    frame = table(TX_FRAUD_SCENARIO=payments(300).fraud.astype(int) * 2)
    frame = frame.rename(columns={**names, "amount": "TX_AMOUNT", "is_fraud": "TX_FRAUD"})
    found = load(tmp_path, frame)
    assert "TX_FRAUD_SCENARIO" not in found.examples.columns
    assert any("which fraud it was: 'TX_FRAUD_SCENARIO'" in note for note in found.notes)


def test_rows_to_predict_are_those_of_the_table_in_the_files_order(tmp_path):
    frame = table()
    trained = load(tmp_path, frame)
    order = np.random.default_rng(1).permutation(len(frame))
    path = tmp_path / "new.csv"
    frame.iloc[order].to_csv(path, index=False)
    found = OwnTransactions().to_predict(str(path), trained.examples.kinds, trained.reading)
    for name in ("customer_count_30d", "terminal_fraud_7d", "amount"):
        np.testing.assert_array_equal(found.columns[name], trained.examples.columns[name][order], err_msg=name)


def test_fraud_that_is_not_known_yet_is_left_empty(tmp_path):
    frame = table()
    trained = load(tmp_path, frame)
    path = tmp_path / "new.csv"
    frame.drop(columns="is_fraud").to_csv(path, index=False)
    found = OwnTransactions().to_predict(str(path), trained.examples.kinds, trained.reading)
    assert np.isnan(found.columns["terminal_fraud_7d"]).all()
    assert any("not known of 300 payments" in note for note in found.notes)
    frame.assign(amount=-1.0).to_csv(path, index=False)
    with pytest.raises(BadInput, match=r"all amounts are negative, and refunds are no payments"):
        OwnTransactions().to_predict(str(path), trained.examples.kinds, trained.reading)
    with pytest.raises(BadInput, match=r"all amounts are negative, and refunds are no payments"):
        load(tmp_path, frame.assign(amount=-1.0))


def to_predict(tmp_path, frame, trained, **reading):
    frame.to_csv(tmp_path / "new.csv", index=False)
    read = {**trained.reading, **reading}
    return OwnTransactions().to_predict(str(tmp_path / "new.csv"), trained.examples.kinds, read)


MOMENTS = START + pd.to_timedelta(apart().time, unit="D")


@pytest.mark.parametrize(
    ("when", "message"),
    [
        (MOMENTS.strftime("%Y%m%d").astype(int), r"line 2, .* 20240101 and all others look like dates without dashes"),
        ((MOMENTS - pd.Timestamp("1899-12-30")) / pd.Timedelta("1D"), r"all payments lie within 59\.\d seconds"),
        ((MOMENTS - START).days, r"all payments lie within 59 seconds, .* write dates such as .*, or seconds"),
        ((MOMENTS - START) / pd.Timedelta("1h"), r"all payments lie within 23\.\d minutes"),
    ],
)
def test_numbers_that_are_no_seconds_are_refused(tmp_path, when, message):
    with pytest.raises(BadInput, match=message):
        load(tmp_path, table(datetime=np.asarray(when)))


def test_seconds_are_noted_with_how_long_they_last(tmp_path):
    found = load(tmp_path, ulb())
    assert any("'Time' holds numbers, which were read as seconds; they span 47" in note for note in found.notes)
    since_1970 = load(tmp_path, table(datetime=((MOMENTS - pd.Timestamp(0)) / pd.Timedelta("1s")).to_numpy()))
    assert any("they span 59" in note and note.endswith("days") for note in since_1970.notes)


def test_moments_to_predict_are_counted_as_those_that_were_learned_from(tmp_path):
    frame = table()
    dates = load(tmp_path, frame)
    seconds = load(tmp_path, table(datetime=(MOMENTS - START) / pd.Timedelta("1s")))
    one = frame.assign(datetime=range(300))
    with pytest.raises(BadInput, match=r"'datetime' holds numbers that are no seconds since 1970, and the model"):
        to_predict(tmp_path, one, dates)
    assert any("they span 0 seconds" in note for note in to_predict(tmp_path, one.iloc[:1], seconds).notes)
    assert any("they span 4.98 minutes" in note for note in to_predict(tmp_path, one, seconds).notes)
    assert any("weekdays may differ" in note for note in to_predict(tmp_path, frame, seconds).notes)


def test_moments_with_and_without_an_offset_do_not_go_together(tmp_path):
    frame = table()
    frame.loc[4:, "datetime"] += "+02:00"
    with pytest.raises(BadInput, match=r"line 2, .* has no offset from UTC, and others have one, such as '.*\+02:00'"):
        load(tmp_path, frame)
    frame.loc[:3, "datetime"] += "Z"
    assert len(load(tmp_path, frame).examples) == 300


def test_one_customer_is_enough_to_predict(tmp_path):
    trained = load(tmp_path, table())
    found = to_predict(tmp_path, table(customer_id=7), trained)
    assert any("1 payment of 300 is the first of the customer in this" in note for note in found.notes)
    alone = to_predict(tmp_path, table().iloc[[5]], trained)
    assert any("1 payment of 1 is the first" in note for note in alone.notes)


def test_a_payment_at_no_terminal_is_one_at_a_terminal_of_its_own(tmp_path):
    frame = table()
    frame["terminal_id"] = frame["terminal_id"].astype(object)
    frame.loc[[50, 60], "terminal_id"] = ""
    online, alone = load(tmp_path, frame), frame.copy()
    alone.loc[[50, 60], "terminal_id"] = ["web 1", "web 2"]
    expected = load(tmp_path, alone)
    for name, values in expected.examples.columns.items():
        np.testing.assert_array_equal(online.examples.columns[name], values, err_msg=name)
    assert any("2 payments without a terminal" in note for note in online.notes)
    assert (online.records["terminal"] < 0).sum() == 2
    found = to_predict(tmp_path, frame, online)
    np.testing.assert_array_equal(found.columns["visits_here"], expected.examples.columns["visits_here"])


@pytest.mark.parametrize(
    ("amount", "message"),
    [
        ("12.50 EUR", "holds '12.50 EUR' .*299 more such cells.*, a number with a unit; write it with a decimal point"),
        ("12,50", "holds '12,50' .*, a number with a decimal comma or a separator of thousands; write it"),
        ("1,234.50", "holds '1,234.50' .*, a number with a decimal comma or a separator of thousands; write it"),
        ("$12.50", "holds .*, a number with a unit"),
        ("free", "holds 'free' .*, which is no number"),
    ],
)
def test_an_amount_that_is_no_number_is_named_with_its_line(tmp_path, amount, message):
    with pytest.raises(
        BadInput, match=f"line 2, column 'amount' should hold the amount as numbers and {message}"
    ) as told:
        load(tmp_path, table(amount=amount))
    assert "--exclude" not in str(told.value)


def test_ids_that_are_missing_are_nobody_elses(tmp_path):
    frame = table()
    frame["transaction_id"] = frame["transaction_id"].astype(object)
    frame.loc[[3, 9], "transaction_id"] = "NA"
    assert len(load(tmp_path, frame).examples) == 300


def test_rows_to_predict_are_repaired_as_those_to_learn_from_are(tmp_path):
    frame = table()
    trained = load(tmp_path, frame)
    more = pd.concat([frame.iloc[:250], frame.iloc[[7]].assign(amount=-3.0), frame.iloc[[8]], frame.iloc[250:]])
    found = to_predict(tmp_path, more, trained)
    for name, values in trained.examples.columns.items():
        np.testing.assert_array_equal(found.columns[name], values, err_msg=name)
    assert found.answered.tolist() == [*range(250), -1, 8, *range(250, 300)]
    assert any("1 row with a negative amount left without an answer" in note for note in found.notes)
    assert any("1 row repeats" in note and "answered as that" in note for note in found.notes)
    more.iloc[251, 4] = 99.0
    with pytest.raises(
        BadInput, match=r"lines 10 and 253 have one transaction_id .* leave the column 'transaction_id' out$"
    ):
        to_predict(tmp_path, more, trained)


def test_ids_that_training_left_out_are_not_looked_at(tmp_path):
    frame = table(transaction_id=np.arange(300) // 2)
    trained = load(tmp_path, frame, exclude=("transaction_id",))
    assert to_predict(tmp_path, frame, trained).answered is None


def test_columns_to_predict_that_the_model_does_not_use_are_noted(tmp_path):
    found = to_predict(tmp_path, table(hour=3, shop="a"), load(tmp_path, table()))
    assert any("2 columns that the model does not use: 'hour', 'shop' (it makes 'hour'" in note for note in found.notes)


def test_a_label_to_predict_that_is_neither_is_refused(tmp_path):
    frame = table()
    trained = load(tmp_path, frame)
    assert not any("not known" in note for note in to_predict(tmp_path, frame, trained).notes)
    said = frame.assign(is_fraud=frame["is_fraud"].map({0: "genuine", 1: "Fraud"}))
    np.testing.assert_array_equal(
        to_predict(tmp_path, said, trained).columns["terminal_fraud_7d"], trained.examples.columns["terminal_fraud_7d"]
    )
    said.loc[6, "is_fraud"] = "maybe"
    with pytest.raises(
        BadInput, match=r"line 8, column 'is_fraud' holds 'maybe'; write '1' for fraud, '0' for genuine"
    ):
        to_predict(tmp_path, said, trained)
