"""Card transactions of simulated customers, some of them fraudulent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from pipelines.data.builders.card_world import DAY_SECONDS, simulate

SEED = 5


class SimulatedCards(tfds.core.GeneratorBasedBuilder):
    """Some 78 000 card transactions of 450 customers at 300 terminals in 180 days, 1.1 % of them fraud. SIMULATED.

    Source: `card_world.simulate`, seeded, so that each preparation gives the same rows. No bank's data are in it, and
    good scores on it promise nothing for a bank. It begins as the simulator of Le Borgne, Siblini, Lebichot and
    Bontempi (2022), "Reproducible machine learning for credit card fraud detection - practical handbook", chapter 3:
    customers with amounts and rates of their own pay at terminals around them. Beyond it: weekly, monthly and daily
    rhythm, hours of each customer's own, favourite terminals that change, days of shopping and journeys (which look
    like fraud and are none), prices that rise, and four kinds of fraud in place of three simple rules:

    - `terminal`: 11 terminals are compromised for 10 to 28 days; half of what is paid there is fraud, slightly dear;
    - `stolen`: 42 cards, 3 to 9 purchases within two days, large, elsewhere, at any hour, less crude as time goes on;
    - `takeover`: 38 accounts, for days the thief buys as the customer does near the customer's home, a little dearer;
    - `testing`: 26 cards, tiny amounts at one terminal within minutes, then one or two large ones.

    An example is a day, which holds one value a transaction of each of: customer, terminal, time (seconds from the
    first midnight, a Monday's), amount, where the terminal stands (x, y, in km), the customer's age band and region
    (positions in `card_world.AGE_BANDS` and `REGIONS`), and what it was (`kind`, position in `KINDS`, 0 is genuine). A
    day at a time because TFDS takes a minute to write so many single rows, and ten seconds to read them.
    """

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> Any:
        columns = {
            name: tfds.features.Tensor(shape=(None,), dtype=np.float64, encoding=tfds.features.Encoding.BYTES)
            for name in ("customer", "terminal", "time", "amount", "x", "y", "age_band", "region", "kind")
        }
        return tfds.core.DatasetInfo(
            builder=self, description=self.__doc__, features=tfds.features.FeaturesDict(columns)
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        columns = simulate(SEED)
        day = (columns["time"] // DAY_SECONDS).astype(np.int64)
        for number in np.unique(day).tolist():
            yield number, {name: values[day == number] for name, values in columns.items()}
