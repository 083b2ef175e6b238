"""Training from shards larger than memory: rows a second, and the most memory that the process ever held.

    python -m benchmarks.shards --gigabytes 4

Writes simulated pictures (noise, 224 x 224 x 3, JPEG) as TFDS writes shards, an eighth of them first and then all, and
judges a small network against two classical models on each by `pipelines.run`, as `tapeline run` does, in a process of
its own. Memory is flat if the eighth needs about as much as all. The shards lie in a temporary folder and are removed.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SIDE, DISTINCT, A_SHARD = 224, 256, 2500
"""Pixels of a side, pictures that differ in more than a comment, and records in a shard (about 100 MB)."""

EIGHTH = 8

PROGRAM = ("-m", "benchmarks.shards")
"""What a process of its own runs."""


@dataclass(frozen=True)
class Measured:
    """One run. Bytes are those of the shards; megabytes are of memory."""

    rows: int
    bytes: int
    seconds: float
    rows_per_second: float
    peak_megabytes: float
    started_megabytes: float

    def __str__(self) -> str:
        return (
            f"{self.bytes / 1e9:.2f} GB of shards, {self.rows:,} rows: {self.seconds:.0f} s in all, trained "
            f"{self.rows_per_second:,.0f} rows/s, peak memory {self.peak_megabytes:,.0f} MB (TensorFlow, Keras and "
            f"MLflow alone: {self.started_megabytes:,.0f} MB)"
        )


def main() -> None:
    """Write, train, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=4.0, help="of shards on disk (default 4)")
    parser.add_argument("--format", choices=("tfrecord", "array_record"), default="tfrecord")
    parser.add_argument("--run", metavar="FOLDER", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.run:
        print(json.dumps(judged(asked.run)))
        return
    wanted = int(asked.gigabytes * 1e9)
    if (free := shutil.disk_usage(tempfile.gettempdir()).free) < 1.3 * wanted:
        parser.error(f"{tempfile.gettempdir()} has {free / 1e9:.1f} GB free; {1.3 * wanted / 1e9:.1f} are needed")
    for line in measure(wanted, asked.format):
        print(line, flush=True)


def measure(wanted: int, file_format: str) -> Iterator[Measured]:
    """An eighth of the bytes, then all of them."""
    for share in (EIGHTH, 1):
        with tempfile.TemporaryDirectory(prefix="tapeline-shards-") as place:
            rows = write(Path(place) / "set", wanted // share, file_format)
            size = sum(path.stat().st_size for path in (Path(place) / "set").iterdir())
            yield _in_a_process(Path(place), rows, size)


def write(folder: Path, wanted: int, file_format: str) -> int:
    """Write so many bytes of pictures, brighter where the label is 1; returns the number of rows."""
    import tensorflow_datasets as tfds

    folder.mkdir()
    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(SIDE, SIDE, 3), encoding_format="jpeg"),
            "label": tfds.features.ClassLabel(names=["dark", "bright"]),
        }
    )
    identity = tfds.core.dataset_info.DatasetIdentity(
        name="simulated", version=tfds.core.Version("1.0.0"), data_dir=str(folder), module_name="simulated"
    )
    info = tfds.core.DatasetInfo(builder=identity, features=features, supervised_keys=("image", "label"))
    writer = tfds.core.SequentialWriter(info, A_SHARD, file_format=file_format)
    writer.initialize_splits(["train"])
    rows, written, pool = 0, 0, list(_pictures())
    while written < wanted:
        block = [_commented(pool[row % DISTINCT], row) for row in range(rows, rows + 100)]
        examples = [{"image": picture, "label": (rows + at) % 2} for at, picture in enumerate(block)]
        writer.add_examples({"train": examples})
        rows, written = rows + len(block), written + sum(map(len, block))
    writer.close_splits(["train"])
    return rows


def judged(folder: str) -> dict[str, float]:
    """Run the whole path on the shards in this process, and say what it took."""
    from pipelines.run import run
    from pipelines.task import DataRequest

    task = _task()
    import keras  # noqa: F401
    import mlflow  # noqa: F401
    import tensorflow  # noqa: F401

    started = _peak_megabytes()
    report = run(task, DataRequest(folder))
    rows = report.data.splits["train"] + report.data.splits["valid"]
    return {
        "started_megabytes": started,
        "peak_megabytes": _peak_megabytes(),
        "seconds": report.seconds,
        "rows_per_second": rows / report.contenders[0].cost.train_seconds,
    }


def _task() -> Any:
    from pipelines.contenders.pictures import area
    from pipelines.contenders.tables import prior
    from pipelines.data.images import OwnImages
    from pipelines.data.sample_set import SampleSet
    from pipelines.objectives.classification import Classification
    from pipelines.task import Baseline, Network, Recipe, Sources, Task

    return Task(
        name="benchmarks/shards",
        summary="Bright or dark noise",
        sources=Sources(sample=SampleSet("none"), own=OwnImages(channels=0)),
        objective=Classification(),
        networks=(Network("patches", _patches),),
        baselines=(Baseline("prior", prior, column="image"), Baseline("area", area, column="image")),
        recipe=Recipe(epochs=1, batch_size=64),
    )


def _patches(train: Any, objective: Any, recipe: Any) -> Any:
    """A network so small that reading and decoding are what is measured: patches of 16 x 16 pixels, then their mean."""
    import keras
    from keras import layers

    from pipelines.models.inputs import keras_inputs
    from pipelines.task import Architecture

    raw = keras_inputs(train, ["image"])
    encode = keras.Model(raw, layers.Rescaling(1 / 127.5, offset=-1)(raw["image"]))
    inputs = keras.Input(encode.output_shape[1:])
    hidden = layers.GlobalAveragePooling2D()(layers.Conv2D(16, 16, strides=16, activation="relu")(inputs))
    return Architecture(encode, keras.Model(inputs, layers.Dense(objective.outputs)(hidden)), xla=False)


def _in_a_process(place: Path, rows: int, size: int) -> Measured:
    """The run in a process and a current folder of its own; its peak memory is what the kernel says of it."""
    root = Path(__file__).resolve().parents[1]
    process = subprocess.Popen(
        [sys.executable, *PROGRAM, "--run", str(place / "set")],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(root), "CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES", "")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the run failed with code {process.returncode}; its messages stand above")
    found = json.loads(printed.splitlines()[-1])
    found["peak_megabytes"] = max(found["peak_megabytes"], _megabytes(usage.ru_maxrss))
    return Measured(rows=rows, bytes=size, **found)


def _peak_megabytes() -> float:
    import resource

    return _megabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _megabytes(peak: int) -> float:
    """Linux counts in KiB, macOS in bytes."""
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def _pictures() -> Iterator[bytes]:
    import numpy as np
    from PIL import Image

    chance = np.random.default_rng(0)
    for number in range(DISTINCT):
        pixels = chance.integers(0, 240, (SIDE, SIDE, 3)) + 15 * (number % 2)
        held = io.BytesIO()
        Image.fromarray(pixels.astype(np.uint8)).save(held, "jpeg", quality=85)
        yield held.getvalue()


def _commented(picture: bytes, row: int) -> bytes:
    """The JPEG with the row's number as a comment behind its first marker, so that no two records are equal."""
    comment = f"row {row}".encode()
    return picture[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + picture[2:]


if __name__ == "__main__":
    main()
