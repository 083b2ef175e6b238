"""Reading a user's own transactions, from a table in which each column's part is told by its name or by a flag.

What is repaired is counted in a note: rows out of order are sorted, rows that stand there twice are kept once, and
negative amounts, which are refunds and no payments, are left out. Everything else that cannot be is refused.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.behaviour import LARGEST
from pipelines.data.cells import MISSING, Values, as_kind, infer, number, require_present
from pipelines.data.examples import Examples, Kind
from pipelines.data.raw_table import RawTable, written
from pipelines.data.tables import names_rows, read_ids, read_table, read_target, read_time
from pipelines.data.transactions import Transactions
from pipelines.data.unlabelled import Unlabelled
from pipelines.data.wording import count, listed, numbered, shown
from pipelines.errors import BadInput
from pipelines.task import DataRequest, Dataset

NAMES: Mapping[str, tuple[str, ...]] = {
    "time": ("time", "datetime", "timestamp", "date", "tx_datetime", "transaction_time"),
    "amount": ("amount", "tx_amount", "amt", "transaction_amount"),
    "fraud": ("fraud", "is_fraud", "isfraud", "tx_fraud", "class", "fraudulent"),
    "customer": (
        "customer",
        "customer_id",
        "card",
        "card_id",
        "account",
        "account_id",
        "client",
        "client_id",
        "cc_num",
    ),
    "terminal": ("terminal", "terminal_id", "merchant", "merchant_id", "shop", "shop_id"),
    "transaction": ("transaction", "transaction_id", "tx_id"),
    "x": ("x", "terminal_x"),
    "y": ("y", "terminal_y"),
}
"""What a column that plays a part may be called, in small or capital letters."""

TELLING = ("tx_time_seconds", "tx_time_days", "tx_fraud_scenario")
"""Columns of the Fraud Detection Handbook's tables that say the time again, or which fraud it was."""

FRAUD_WORDS = ("1", "true", "yes", "y", "fraud", "fraudulent", "positive")

DAY_SECONDS = 86400.0
WEEKS_DAYS = 14.0
"""Days that the data must span for the day of the week to say more than whether a row is of the test."""

EPOCH, MILLISECONDS = 1e9, 1e11
"""Seconds from these on are counted from 1970, or no seconds."""


@dataclass(frozen=True)
class OwnTransactions:
    """A user's CSV, TSV or Parquet file of payments as a source. The ULB layout (Time, V1 to V28, Amount, Class) is one
    without customers and terminals."""

    def load(self, request: DataRequest) -> Dataset:
        """The payments in the order of their moments, with what was known of each as it was made.

        Raises:
            BadInput: the file is no such table, or a flag does not fit it; the message names line and column.
        """
        if request.text is not None:
            raise BadInput("--text is for tasks that learn from text; this one learns from payments")
        table = read_table(request.where)
        parts = parts_of(table, request)
        if "fraud" not in parts:
            raise BadInput(f"{table.path}: no column says what was fraud ({_usual('fraud')}); name it with --target")
        target = read_target(table, parts["fraud"])
        positive = _positive(table, parts["fraud"], target, request.positive)
        transactions = read_transactions(table, parts, _is(target, positive))
        kept, notes = _repaired(table, parts, transactions)
        others, more = _others(table, parts, request)
        transactions = transactions.take(kept)
        columns, kinds = transactions.inputs(request.delay)
        if np.ptp(transactions.time) < WEEKS_DAYS:
            del columns["weekday"], kinds["weekday"]
        _require_apart(table, columns, others)
        examples = Examples(
            columns={**columns, **{name: each.values[kept] for name, each in others.items()}},
            target=target[kept],
            kinds={**kinds, **{name: each.kind for name, each in others.items()}},
            time=transactions.time,
        )
        return Dataset(
            examples,
            str(table.path),
            False,
            parts["fraud"],
            notes=(*table.notes, *_told(table, parts), *notes, *more),
            positive=positive,
            records=transactions.records(),
            reading={**parts, "positive": positive, "delay": repr(request.delay)},
        )

    def to_predict(self, where: str, kinds: Mapping[str, Kind], reading: Mapping[str, str]) -> Unlabelled:
        """Payments to predict, in the order of the file; what is known of them comes from earlier ones in the file.

        A column of fraud may be there, and is empty where that is not known yet.

        Args:
            kinds: the columns that the model takes.
            reading: as `load` gave it; that of the simulated sample names no column, and they are told by their names.

        Raises:
            BadInput: a column is missing, or a cell cannot be; the message names it.
        """
        table = read_table(where)
        parts = parts_of(table, DataRequest(), {k: v for k, v in reading.items() if k not in ("positive", "delay")})
        fraud = _known_fraud(table, parts, reading.get("positive", "1"))
        transactions = read_transactions(table, parts, fraud)
        refunds = table.at(transactions.amount < 0)
        if refunds:
            raise BadInput(
                f"{table.path}: {table.place}{'s' if len(refunds) > 1 else ''} {numbered(refunds)}: the amount is "
                "negative; refunds are no payments, so leave them out"
            )
        order = np.argsort(transactions.time, kind="stable")
        made, _ = transactions.take(order).inputs(float(reading["delay"]))
        columns: dict[str, NDArray[Any]] = {}
        for name, kind in kinds.items():
            if name in made:
                columns[name] = np.empty_like(made[name])
                columns[name][order] = made[name]
            elif name in table.columns:
                columns[name] = as_kind(table, name, kind)
            else:
                raise BadInput(f"{table.path} lacks what the model takes as {name!r}: {_lacking(name)}")
        unknown = int(np.isnan(fraud).sum())
        notes = [f"whether it was fraud is not known of {count(unknown, 'payment')}"] if "terminal" in parts else []
        return Unlabelled(columns, (), (*table.notes, *notes))


def parts_of(table: RawTable, request: DataRequest, given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Part -> column: what flags say, then what is usual.

    Raises:
        BadInput: a flag names no column, one column has two parts, or there is no time or no amount.
    """
    found = dict(given or {})
    for part, flag in (("fraud", "target"), ("customer", "id"), ("time", "time")):
        if (name := getattr(request, flag)) is not None:
            found[part] = table.require(name, f"--{flag}")
    for name in request.exclude:
        table.require(name, "--exclude")
    away = {*request.exclude, *request.sensitive, *found.values()}
    by_name = {name.lower(): name for name in table.columns if name not in away}
    for part, usual in NAMES.items():
        if part not in found and (name := next((by_name[each] for each in usual if each in by_name), None)):
            found[part] = name
    if ("x" in found) != ("y" in found):
        found.pop("x", None), found.pop("y", None)
    twice = [name for name in found.values() if list(found.values()).count(name) > 1]
    if twice:
        raise BadInput(f"{table.path}: column {twice[0]!r} is given two parts; it can have one only")
    for part, flag in (("time", "name it with --time"), ("amount", "rename it so")):
        if part not in found:
            raise BadInput(
                f"{table.path}: no column says the {part} of a payment ({_usual(part)}); {flag}. Its columns are "
                f"{listed(table.columns, 50)}"
            )
        table.require(found[part], part)
    return {part: name for part, name in found.items() if name in table.columns}


def read_transactions(table: RawTable, parts: Mapping[str, str], fraud: NDArray[np.float64]) -> Transactions:
    """The payments as they stand in the table.

    Raises:
        BadInput: a moment, an amount or a customer is missing or cannot be; the message names its line.
    """
    amount = _numbers(table, parts["amount"], "amount")
    if lines := table.at(np.abs(amount) > LARGEST):
        raise BadInput(f"{table.path}: {table.place} {lines[0]}, the amount is beyond {LARGEST:g}; write it as it is")
    customer, terminal = (_codes(table, parts.get(part), part) for part in ("customer", "terminal"))
    if customer is not None and len(customer) > 1 and customer.max() == 0:
        raise BadInput(
            f"{table.path}: all payments are of one customer ({parts['customer']!r}); how customers behave is learned "
            "from several. If the column says something else, name the customers' with --id"
        )
    place = None
    if "x" in parts:
        place = np.column_stack([_numbers(table, parts[axis], axis) for axis in ("x", "y")])
        if lines := table.at(np.abs(place).max(axis=1) > LARGEST):
            raise BadInput(f"{table.path}: {table.place} {lines[0]}, the place is beyond {LARGEST:g} km")
    return Transactions(_days(table, parts["time"]), amount, customer, terminal, fraud, place)


def _days(table: RawTable, name: str) -> NDArray[np.float64]:
    """Moments in days: from dates, or from seconds since 1970 or since any midnight."""
    seconds: Any = read_time(table, name)
    if seconds.max() > MILLISECONDS:
        raise BadInput(
            f"{table.path}: column {name!r} (--time) holds numbers too large for seconds, perhaps milliseconds; write "
            "seconds, or dates such as 2024-01-31T12:00"
        )
    counted_from_1970 = seconds.max() > EPOCH or _holds_dates(table, name)
    if counted_from_1970 and (lines := table.at(seconds > time.time() + DAY_SECONDS)):
        row = list(table.lines).index(lines[0])
        raise BadInput(
            f"{table.path}: {table.place} {lines[0]}, column {name!r} (--time): {shown(table.text(name)[row])} is in "
            f"the future{f', and {len(lines) - 1} more' if len(lines) > 1 else ''}; correct it, or leave the row out"
        )
    return np.asarray(seconds / DAY_SECONDS)


def _holds_dates(table: RawTable, name: str) -> bool:
    cells = table.columns[name]
    return isinstance(cells, list) and number(cells[0].strip()) is None


def _numbers(table: RawTable, name: str, part: str) -> NDArray[np.float64]:
    values = as_kind(table, name, "number") if infer(table, name).kind == "number" else None
    if values is None:
        raise BadInput(f"{table.path}: column {name!r} should hold the {part} as numbers, such as 12.50, and has words")
    require_present(table, name, values, part)
    return values


def _codes(table: RawTable, name: str | None, part: str) -> NDArray[np.int64] | None:
    """(n,) a number for each customer or terminal, in the order of their names."""
    if name is None:
        return None
    ids: Any = read_ids(table, name)
    return np.unique(ids.astype(np.str_), return_inverse=True)[1].astype(np.int64)


def _positive(table: RawTable, name: str, target: NDArray[Any], asked: str | None) -> str:
    """The label that means fraud."""
    labels = sorted({_label(value) for value in np.unique(target.astype(object)).tolist()})
    if len(labels) != 2:
        raise BadInput(
            f"{table.path}: column {name!r} should say fraud or genuine, and has {count(len(labels), 'value')} "
            f"({listed(labels, 5)})"
        )
    known = [asked] if asked else [label for label in labels if label.lower() in FRAUD_WORDS]
    if len(known) != 1 or known[0] not in labels:
        raise BadInput(f"{table.path}: which of {listed(labels)} in {name!r} is fraud? Say it with --positive")
    return str(known[0])


def _label(value: Any) -> str:
    return written(value) if isinstance(value, float) else str(value)


def _is(target: NDArray[Any], positive: str) -> NDArray[np.float64]:
    return np.array([_label(value) == positive for value in target.tolist()], dtype=np.float64)


def _known_fraud(table: RawTable, parts: Mapping[str, str], positive: str) -> NDArray[np.float64]:
    """(n,) 1, 0, or NaN where it is not known."""
    if "fraud" not in parts:
        return np.full(len(table), np.nan)
    text = table.text(parts["fraud"])
    said = {cell: _says_fraud(cell, positive) for cell in set(text)}
    return np.array([said[cell] for cell in text], dtype=np.float64)


def _says_fraud(cell: str, positive: str) -> float:
    if cell in MISSING:
        return np.nan
    value = number(cell)
    label = cell if value is None else written(value)
    return float(label == positive or (positive.lower() in FRAUD_WORDS and label.lower() in FRAUD_WORDS))


def _repaired(table: RawTable, parts: Mapping[str, str], of: Transactions) -> tuple[NDArray[np.int64], list[str]]:
    """The rows that stay, in the order of their moments, and what was done to the others."""
    rows, notes = np.arange(len(of)), []
    if refunds := int((of.amount < 0).sum()):
        rows = rows[of.amount >= 0]
        notes.append(f"{count(refunds, 'row')} with a negative amount left out: refunds are no payments")
    if "transaction" in parts:
        rows, repeated = _once(table, parts["transaction"], rows)
        if repeated:
            notes.append(f"{count(repeated, 'row')} left out that an earlier one of the same id repeats")
    order = rows[np.argsort(of.time[rows], kind="stable")]
    if moved := int((np.diff(of.time[rows]) < 0).sum()):
        notes.append(f"payments were out of order ({count(moved, 'step')} back in time) and have been sorted by time")
    return order, notes


def _once(table: RawTable, name: str, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Rows whose id is new; one that comes again must be the same row again."""
    first: dict[str, int] = {}
    ids, kept = table.text(name), []
    for row in rows.tolist():
        before = first.setdefault(ids[row], row)
        if before == row or not ids[row]:
            kept.append(row)
        elif any(_written(cells[row]) != _written(cells[before]) for cells in table.columns.values()):
            raise BadInput(
                f"{table.path}: {table.place}s {table.lines[before]} and {table.lines[row]} have one {name} "
                f"({shown(ids[row])}) and differ; give each payment an id of its own, or leave the column out with "
                f"--exclude {name!r}"
            )
    return np.array(kept, np.int64), len(rows) - len(kept)


def _written(cell: Any) -> str:
    """A cell as text, so that two that are missing are alike."""
    return cell.strip() if isinstance(cell, str) else written(cell)


def _others(table: RawTable, parts: Mapping[str, str], request: DataRequest) -> tuple[dict[str, Values], list[str]]:
    """Columns without a part, as they stand: what else is known of a payment as it is made."""
    telling = [name for name in table.columns if name.lower() in TELLING]
    away = {*parts.values(), *request.exclude, *telling}
    read = {name: infer(table, name) for name in table.columns if name not in away}
    notes = [note for each in read.values() for note in each.notes]
    if telling:
        notes.append(f"left out, since they say the time again or which fraud it was: {listed(telling)}")
    for name in [name for name in read if name not in request.sensitive]:
        if note := names_rows(name, read[name]):
            notes.append(note)
            if read[name].kind == "category":
                del read[name]
    return read, notes


def _require_apart(table: RawTable, made: Mapping[str, Any], others: Mapping[str, Values]) -> None:
    if both := [name for name in others if name in made]:
        raise BadInput(f"{table.path}: column {both[0]!r} has the name of one that is made of the past; rename it")


def _told(table: RawTable, parts: Mapping[str, str]) -> list[str]:
    """What each column was taken for, and what there is not."""
    notes = [", ".join(f"{name!r} is the {part}" for part, name in parts.items())]
    for part, flag in (("customer", "; --id names one"), ("terminal", "")):
        if part not in parts:
            lost = "no histories, so networks that learn from them are left out, and " if part == "customer" else ""
            notes.append(f"no column names the {part} ({_usual(part)}{flag}): there are {lost}no windows of one")
    if not _holds_dates(table, parts["time"]):
        notes.append(f"{parts['time']!r} holds numbers, which were read as seconds")
    return notes


def _usual(part: str) -> str:
    return ", ".join(NAMES[part][:4])


def _lacking(name: str) -> str:
    if name.startswith("terminal") or name == "visits_here":
        return "add the column of terminals"
    if name.startswith(("customer", "days_since", "km_", "amount_over")) or name == "history":
        return "add the column of customers, and those of places if the model was trained with them"
    return "add it"
