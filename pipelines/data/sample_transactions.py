"""SampleTransactions: the simulated transactions as a source, read as a user's own are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data import tfds_rows
from pipelines.data.examples import Examples
from pipelines.data.sample_set import prepared_rows
from pipelines.data.transactions import Transactions
from pipelines.task import DataRequest, Dataset

DAY_SECONDS = 86400.0


@dataclass(frozen=True)
class SampleTransactions:
    """The simulated transactions with their behaviour; nothing of them is from a bank.

    Args:
        last: days at the end that are read, None for all; tests take fewer.
    """

    last: float | None = None

    def load(self, request: DataRequest) -> Dataset:
        """All transactions in the order of their moments; time in days from the first midnight.

        Raises:
            BadInput: a flag that belongs to --data PATH, or a folder that cannot be written.
        """
        from pipelines.data.builders.card_world import AGE_BANDS, KINDS, REGIONS
        from pipelines.data.builders.simulated_cards import SimulatedCards

        tfds_rows.refuse_own_flags(request)
        name, rows = prepared_rows(SimulatedCards, _days)
        days = rows["time"] / DAY_SECONDS
        rows = {key: values[days >= days.max() - (self.last or np.inf)] for key, values in rows.items()}
        kind = rows["kind"].astype(np.int64)
        transactions = Transactions(
            time=rows["time"] / DAY_SECONDS,
            amount=rows["amount"],
            customer=rows["customer"].astype(np.int64),
            terminal=rows["terminal"].astype(np.int64),
            fraud=(kind > 0).astype(np.float64),
            place=np.column_stack([rows["x"], rows["y"]]),
        )
        columns, kinds = transactions.inputs(request.delay)
        groups = {"age_band": _named(AGE_BANDS, rows["age_band"]), "region": _named(tuple(REGIONS), rows["region"])}
        target = _named(("genuine", "fraud"), kind > 0)
        examples = Examples(columns, target, kinds, groups, time=transactions.time)
        tfds_rows.require_sensitive(request, examples)
        return Dataset(
            examples=examples,
            source=f"sample {name}",
            simulated=True,
            target="fraud",
            notes=("customers, terminals and fraud are simulated; scores say nothing about a bank's cards",),
            positive="fraud",
            records=transactions.records({"kind": _named(KINDS, kind)}),
            reading={"positive": "fraud", "genuine": "genuine", "delay": repr(request.delay)},
        )


def _days(builder: Any) -> tuple[str, dict[str, NDArray[np.float64]]]:
    """The set's full name, and its columns, the days joined in their order; what is damaged raises."""
    import tensorflow_datasets as tfds

    expected = builder.info.splits["train"].num_examples
    days = list(tfds.as_numpy(builder.as_dataset(split="train", shuffle_files=False)))
    if len(days) != expected:
        raise ValueError(f"{len(days)} days of the {expected} that were prepared")
    days.sort(key=lambda day: float(day["time"][0]))
    return builder.info.full_name, {name: np.concatenate([day[name] for day in days]) for name in days[0]}


def _named(names: tuple[str, ...], codes: NDArray[Any]) -> NDArray[Any]:
    found: NDArray[Any] = np.array(names, dtype=object)[codes.astype(np.int64)]
    return found
