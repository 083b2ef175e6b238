"""Training on a folder of PNG files that are decoded again in every epoch, against training on the same in memory.

    python -m benchmarks.decoding

Writes 20 000 grey PNGs of 28 x 28 (simulated; ill ones have a bright spot), reads them as `--data FOLDER` does, once
into memory and once as a column on demand, and trains the small ResNet of the tasks on each in turns, so that a machine
that is busy slows both. An epoch's seconds are those from the end of the one before; the first of each training, which
traces, is left out. Also says how many rows a second are decoded where nothing is trained.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SIDE = 28


@dataclass(frozen=True)
class Measured:
    """Rows a second: trained from memory, trained on files, and only decoded."""

    rows: int
    from_memory: float
    from_files: float
    decoded: float

    def __str__(self) -> str:
        ratio = self.from_files / self.from_memory
        return (
            f"{self.rows:,} PNGs of {SIDE} x {SIDE}: trained {self.from_memory:,.0f} rows/s from memory and "
            f"{self.from_files:,.0f} from files, {ratio:.3f} of it; {self.decoded:,.0f} rows/s only decoded"
        )


def main() -> None:
    """Write, read, train, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=2, help="of each training that are timed (default 2)")
    parser.add_argument("--turns", type=int, default=2, help="trainings on each (default 2)")
    parser.add_argument("--width", type=int, default=8, help="channels of the network's first stage (default 8)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tapeline-decoding-") as place:
        write(Path(place), asked.rows)
        print(measure(Path(place), asked.epochs, asked.turns, asked.width))


def write(folder: Path, rows: int) -> None:
    """Pictures of noise in two folders, `ill` ones with a bright spot."""
    import numpy as np
    from PIL import Image

    chance = np.random.default_rng(0)
    for label in ("ill", "well"):
        (folder / label).mkdir()
    for row in range(rows):
        pixels = chance.integers(0, 200, (SIDE, SIDE)).astype(np.uint8)
        pixels[10:16, 10:16] |= np.uint8(160 * (row % 2))
        Image.fromarray(pixels).save(folder / ("well", "ill")[row % 2] / f"{row:06}.png")


def measure(folder: Path, epochs: int, turns: int, width: int) -> Measured:
    """Train in turns on rows in memory and on files; of the epochs of each the fastest counts."""
    from pipelines.data.examples import OnDemand

    kept, on_demand = read(folder, 1 << 40), read(folder, 0)
    column = on_demand.columns["image"]
    assert isinstance(column, OnDemand)
    started = time.perf_counter()
    for _ in column.blocks():
        pass
    decoded = len(column) / (time.perf_counter() - started)
    from_memory, from_files = [], []
    for _ in range(turns):
        from_memory += list(seconds(kept, epochs, width))
        from_files += list(seconds(on_demand, epochs, width))
    trained = len(kept) - valid_rows(len(kept))
    return Measured(len(kept), trained / min(from_memory), trained / min(from_files), decoded)


def read(folder: Path, kept_bytes: int) -> Any:
    """The folder as a source reads it, in memory up to so many bytes."""
    from pipelines.data.images import OwnImages
    from pipelines.data.pictures import files
    from pipelines.task import DataRequest

    before, files.KEPT_BYTES = files.KEPT_BYTES, kept_bytes
    try:
        return OwnImages(size=SIDE).load(DataRequest(str(folder))).examples
    finally:
        files.KEPT_BYTES = before


def valid_rows(rows: int) -> int:
    """Few, so that what is timed is training."""
    return max(2, rows // 50)


def seconds(examples: Any, epochs: int, width: int) -> Iterator[float]:
    """Of each epoch of a training but the first."""
    import numpy as np

    from pipelines.contenders.network import NetworkContender
    from pipelines.data.examples import OnDemand
    from pipelines.models.vision import small_resnet
    from pipelines.objectives.classification import Classification
    from pipelines.task import Network, Recipe

    order = np.random.default_rng(0).permutation(len(examples))
    valid, train = (examples.take(rows) for rows in np.split(order, [valid_rows(len(examples))]))
    objective = Classification().resolve(examples.target)
    plan = "streamed" if isinstance(examples.columns["image"], OnDemand) else "resident"
    recipe = Recipe(epochs=epochs + 1, batch_size=128, learning_rate=1e-3, width=width, patience=epochs + 1, plan=plan)
    moments: list[float] = []
    contender = NetworkContender(Network("small-resnet", small_resnet), objective, recipe)
    contender.fit(train, valid, 0, watch=lambda done, total: moments.append(time.perf_counter()))
    ends = moments[-epochs - 1 :]
    return (later - earlier for earlier, later in pairwise(ends))


if __name__ == "__main__":
    main()
