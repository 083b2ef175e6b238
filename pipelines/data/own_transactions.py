"""Reading a user's own transactions, from a table in which each column's part is told by its name or by a flag.

What is repaired is counted in a note: rows out of order are sorted, rows that stand there twice are kept once, and
negative amounts, which are refunds and no payments, are left out. Everything else that cannot be is refused. Rows to
predict are repaired in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.behaviour import LARGEST
from pipelines.data.cells import Values, as_kind, categories, infer, missing, number, require_present
from pipelines.data.examples import Examples, Kind
from pipelines.data.payment_labels import is_positive, known_fraud, labels_of, positive_of
from pipelines.data.payment_repairs import payments_of, repaired, unanswered
from pipelines.data.payment_times import Moments, as_trained, read_moments, require_days, told
from pipelines.data.raw_table import RawTable
from pipelines.data.tables import names_rows, read_table, read_target
from pipelines.data.transactions import HISTORY, NOWHERE, Transactions
from pipelines.data.unlabelled import Unlabelled
from pipelines.data.wording import count, listed, shown
from pipelines.errors import BadInput
from pipelines.task import Beside, DataRequest, Dataset

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

WEEKS_DAYS = 14.0
"""Days that the data must span for the day of the week to say more than whether a row is of the test."""

_SEPARATED = re.compile(r"[+-]?\d[\d.,' ]*", re.ASCII)
_WITH_UNIT = re.compile(r"[^\d\s+-]{1,4}\s?[+-]?\d[\d.,' ]*|[+-]?\d[\d.,' ]*\s?[^\d\s]{1,4}")


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
        positive = positive_of(table, parts["fraud"], target, request.positive)
        moments = read_moments(table, parts["time"])
        require_days(table, parts["time"], moments)
        transactions = read_transactions(table, parts, is_positive(target, positive), moments)
        _require_customers(table, parts, transactions)
        kept, notes = repaired(table, parts, transactions)
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
            notes=(*table.notes, *_told(parts, moments), *_nowhere(transactions), *notes, *more),
            positive=positive,
            records=transactions.records(),
            beside=tuple(
                Beside("column", name, table.columns[name])
                for name in table.columns
                if name not in {parts["fraud"], parts["time"], *others, *request.exclude}
            ),
            reading={
                **parts,
                "positive": positive,
                "genuine": next(label for label in labels_of(target) if label != positive),
                "moments": moments.counted,
                "delay": repr(request.delay),
            },
        )

    def to_predict(self, where: str, kinds: Mapping[str, Kind], reading: Mapping[str, str]) -> Unlabelled:
        """Payments to predict, in the order of the file; what is known of them comes from earlier ones in the file.

        A column of fraud may be there, and is empty where that is not known yet. Refunds get no answer, and a row that
        an earlier one of the same id repeats gets that one's.

        Args:
            kinds: the columns that the model takes.
            reading: as `load` gave it; that of the simulated sample names no column, and they are told by their names.

        Raises:
            BadInput: a column is missing, or a cell cannot be; the message names it.
        """
        table = read_table(where)
        parts = parts_of(table, DataRequest(), {part: name for part, name in reading.items() if part in NAMES})
        if "time" in reading and "transaction" not in reading:
            parts.pop("transaction", None)  # ids that training was told to leave out, or had not
        fraud = known_fraud(table, parts, reading.get("positive", "1"), reading.get("genuine"))
        moments = read_moments(table, parts["time"])
        notes = [*told(parts["time"], moments), *as_trained(table, parts["time"], moments, reading)]
        every = read_transactions(table, parts, fraud, moments)
        rows, notes = payments_of(table, parts, every.amount), notes + _nowhere(every)
        kept = np.unique(rows[rows >= 0])
        transactions = every.take(kept)
        order = np.argsort(transactions.time, kind="stable")
        made, _ = transactions.take(order).inputs(float(reading["delay"]))
        columns: dict[str, NDArray[Any]] = {}
        for name, kind in kinds.items():
            if name in made:
                columns[name] = np.empty_like(made[name])
                columns[name][order] = made[name]
            elif name in table.columns:
                columns[name] = as_kind(table, name, kind)[kept]
            else:
                raise BadInput(f"{table.path} lacks what the model takes as {name!r}: {_lacking(name)}")
        notes += [*unanswered(rows), *_of_the_past(columns, transactions), *_unused(table, parts, kinds, made)]
        answered = None if len(kept) == len(table) else np.where(rows < 0, -1, np.searchsorted(kept, rows))
        return Unlabelled(columns, (), (*table.notes, *notes), answered=answered)


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


def read_transactions(
    table: RawTable, parts: Mapping[str, str], fraud: NDArray[np.float64], moments: Moments
) -> Transactions:
    """The payments as they stand in the table.

    Raises:
        BadInput: an amount or a customer is missing or cannot be; the message names its line.
    """
    amount = _numbers(table, parts["amount"], "amount")
    if lines := table.at(np.abs(amount) > LARGEST):
        raise BadInput(f"{table.path}: {table.place} {lines[0]}, the amount is beyond {LARGEST:g}; write it as it is")
    place = None
    if "x" in parts:
        place = np.column_stack([_numbers(table, parts[axis], axis) for axis in ("x", "y")])
        if lines := table.at(np.abs(place).max(axis=1) > LARGEST):
            raise BadInput(f"{table.path}: {table.place} {lines[0]}, the place is beyond {LARGEST:g} km")
    customer, terminal = (_codes(table, parts.get(part)) for part in ("customer", "terminal"))
    if customer is not None and (customer == NOWHERE).any():
        require_present(table, parts["customer"], categories(table.text(parts["customer"])), "the customer")
    return Transactions(moments.days, amount, customer, terminal, fraud, place)


def _require_customers(table: RawTable, parts: Mapping[str, str], of: Transactions) -> None:
    """Refuse payments to learn from that are all of one customer."""
    if of.customer is not None and len(of) > 1 and of.customer.max() == 0:
        raise BadInput(
            f"{table.path}: all payments are of one customer ({parts['customer']!r}); how customers behave is learned "
            "from several. If the column says something else, name the customers' with --id"
        )


def _numbers(table: RawTable, name: str, part: str) -> NDArray[np.float64]:
    """The numbers of a part that no payment can do without."""
    cells = table.columns[name]
    if isinstance(cells, list):
        text = table.text(name)
        meaning = {cell: number(cell) for cell in set(text)}
        if words := [row for row, cell in enumerate(text) if meaning[cell] is None]:
            cell, more = text[words[0]], f" (and {len(words) - 1} more such cells)" if len(words) > 1 else ""
            raise BadInput(
                f"{table.path}: {table.place} {table.lines[words[0]]}, column {name!r} should hold the {part} as "
                f"numbers and holds {shown(cell)}{more}, {_no_number(cell)}; write it with a decimal point and nothing "
                "else, such as 1234.50"
            )
        cells = np.array([meaning[cell] for cell in text], dtype=np.float64)
    require_present(table, name, cells, part)
    return cells


def _no_number(cell: str) -> str:
    """What keeps a cell from being read as a number."""
    if _SEPARATED.fullmatch(cell):
        return "a number with a decimal comma or a separator of thousands"
    return "a number with a unit" if _WITH_UNIT.fullmatch(cell) else "which is no number"


def _codes(table: RawTable, name: str | None) -> NDArray[np.int64] | None:
    """(n,) a number for each customer or terminal, in the order of their names; `NOWHERE` where it is missing."""
    if name is None:
        return None
    ids = categories(table.text(name))
    known = ~missing(ids)
    codes = np.full(len(ids), NOWHERE, np.int64)
    codes[known] = np.unique(ids[known].astype(np.str_), return_inverse=True)[1]
    return codes


def _nowhere(of: Transactions) -> list[str]:
    """A note on payments without a terminal, such as those online."""
    if of.terminal is None or not (without := int((of.terminal == NOWHERE).sum())):
        return []
    return [
        f"{count(without, 'payment')} without a terminal: each is taken for one at a terminal of its own, without past"
    ]


def _of_the_past(columns: Mapping[str, Any], of: Transactions) -> list[str]:
    """Notes on what the file does not say of what came before the payments to predict."""
    notes, n = [], len(of)
    if of.customer is not None and any(name == HISTORY or name.startswith("customer") for name in columns):
        first = len(np.unique(of.customer))
        notes.append(
            f"{count(first, 'payment')} of {n:,} {'is' if first == 1 else 'are'} the first of the customer in this "
            "file, so predictions and reasons compare with no past there; put these customers' earlier payments into it"
        )
    if any(name.startswith("terminal_fraud") for name in columns) and (unknown := int(np.isnan(of.fraud).sum())):
        notes.append(f"whether it was fraud is not known of {count(unknown, 'payment')}")
    return notes


def _unused(table: RawTable, parts: Mapping[str, str], kinds: Mapping[str, Kind], made: Mapping[str, Any]) -> list[str]:
    """A note on columns to predict from that the model does not look at."""
    unused = [name for name in table.columns if name not in parts.values() and (name in made or name not in kinds)]
    own = [name for name in unused if name in made]
    why = f" (it makes {listed(own)} of the past by itself)" if own else ""
    return [f"{count(len(unused), 'column')} that the model does not use: {listed(unused)}{why}"] if unused else []


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


def _told(parts: Mapping[str, str], moments: Moments) -> list[str]:
    """What each column was taken for, and what there is not."""
    notes = [", ".join(f"{name!r} is the {part}" for part, name in parts.items())]
    for part, flag in (("customer", "; --id names one"), ("terminal", "")):
        if part not in parts:
            lost = "no histories, so networks that learn from them are left out, and " if part == "customer" else ""
            notes.append(f"no column names the {part} ({_usual(part)}{flag}): there are {lost}no windows of one")
    return [*notes, *told(parts["time"], moments)]


def _usual(part: str) -> str:
    return ", ".join(NAMES[part][:4])


def _lacking(name: str) -> str:
    if name.startswith("terminal") or name == "visits_here":
        return "add the column of terminals"
    if name.startswith(("customer", "days_since", "km_", "amount_over")) or name == HISTORY:
        return "add the column of customers, and those of places if the model was trained with them"
    return "add it"
