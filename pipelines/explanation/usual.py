"""The usual row that answers are compared with, as a network reads it.

Of a table it is made of medians and most frequent categories (`contenders.acting`), of a text it is the empty one, and
of pictures, recordings and series the mean of the training rows, as they are encoded.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.acting import Usual, usual_of
from pipelines.data.examples import Examples
from pipelines.errors import BadInput
from pipelines.explanation import archive
from pipelines.explanation.opened import Floats, Opened

FILE = "usual.npz"
MOST_ROWS = 2000


@dataclass(frozen=True)
class Typical:
    """A usual row of what is no table.

    Args:
        values: (1, ...) numbers.
        flags: (1, ...) whether a place is a flag, 0 or 1: it keeps what it is in the row that is compared, so that a
            series is compared with usual events in the places of its own.
    """

    values: Floats
    flags: NDArray[np.bool_]

    def beside(self, here: Floats) -> Floats:
        """(n, ...) what each row is compared with.

        Raises:
            BadInput: it is the usual row of another network.
        """
        if self.values.shape[1:] != here.shape[1:] or self.flags.shape != self.values.shape:
            raise BadInput(f"{FILE} holds no usual row of this model; run its task again")
        return np.where(self.flags, here, self.values).astype(np.float32)


def usual_for(network: Opened, train: Examples) -> Usual | Typical:
    """What the answers of a network are compared with: by column of a table, else as it reads rows."""
    return usual_of(train) if network.shape == "table" else typical(network, train)


def typical(network: Opened, train: Examples) -> Typical:
    """The usual row of these training rows, or of the first `MOST_ROWS` of them."""
    if network.embed is not None:
        empty = network.numbers(np.zeros_like(network.encoded(train.take(np.arange(1)))))
        return Typical(empty, np.zeros(empty.shape, bool))
    some = train.take(np.arange(min(len(train), MOST_ROWS)))
    total: Any = 0.0
    # Of a whole channel at once: a place may be 1 in every training row and 0 in another.
    flags: Any = set(network.kinds.values()) == {"series"}
    for block in network.blocks(some):
        total = total + block.sum(axis=0, keepdims=True, dtype=np.float64)
        flags = flags & np.isin(block, (0.0, 1.0)).all(axis=tuple(range(block.ndim - 1)), keepdims=True)
    return Typical((total / len(some)).astype(np.float32), np.broadcast_to(flags, total.shape).copy())


def keep(found: Typical, folder: Path) -> None:
    """Write it into the folder of a saved contender."""
    archive.keep(folder / FILE, {"values": found.values, "flags": found.flags})


def kept(folder: Path) -> Typical | None:
    """The usual row in the folder of a saved contender; None where there is none.

    Raises:
        BadInput: the file is damaged.
    """
    return archive.kept(
        folder / FILE, lambda arrays: Typical(arrays["values"].astype(np.float32), arrays["flags"].astype(bool))
    )
