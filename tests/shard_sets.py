"""Small simulated sets written as TFDS writes them, in either file format, and the same rows in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

RATE, LENGTH = 8000, 4000


def rows(n: int, seed: int = 0) -> list[dict[str, Any]]:
    """Pictures that are brighter, sounds that are higher and texts that are kinder where the label is 1."""
    chance = np.random.default_rng(seed)
    found = []
    for number in range(n):
        label = int(chance.integers(2))
        time = np.arange(LENGTH) / RATE
        sound = np.sin(2 * np.pi * (300 + 300 * label) * time) * 8000 + chance.normal(size=LENGTH) * 500
        found.append({
            "picture": (chance.integers(0, 120, (12, 10, 3)) + 100 * label).astype(np.uint8),
            "sound": sound.astype(np.int64),
            "words": f"row {number} is {'good' if label else 'bad'} {'so ' * int(chance.integers(5))}",
            "label": label,
            "age": float(chance.integers(20, 80)),
            "sex": "f" if chance.integers(2) else "m",
            "person": f"p{number // 2 + 1000 * seed}",
        })  # fmt: skip
    return found


def features(**changed: Any) -> Any:
    """What the records hold; `changed` replaces or, by None, removes some."""
    import tensorflow_datasets as tfds

    kinds = {
        "picture": tfds.features.Image(shape=(12, 10, 3), encoding_format="png"),
        "sound": tfds.features.Audio(shape=(None,), sample_rate=RATE),
        "words": tfds.features.Text(),
        "label": tfds.features.ClassLabel(names=["bad", "good"]),
        "age": np.float32,
        "sex": tfds.features.ClassLabel(names=["f", "m"]),
        "person": tfds.features.Text(),
        **changed,
    }
    return tfds.features.FeaturesDict({name: kind for name, kind in kinds.items() if kind is not None})


def write(
    folder: Path,
    splits: dict[str, list[dict[str, Any]]],
    file_format: str = "tfrecord",
    described: Any = None,
    a_shard: int = 7,
    supervised: tuple[str, str] | None = ("picture", "label"),
) -> Path:
    """Write a set with so many rows a shard, by TFDS's own writer."""
    import tensorflow_datasets as tfds

    folder.mkdir(parents=True)
    described = described or features()
    identity = tfds.core.dataset_info.DatasetIdentity(
        name="simulated", version=tfds.core.Version("1.0.0"), data_dir=str(folder), module_name="simulated"
    )
    info = tfds.core.DatasetInfo(builder=identity, features=described, supervised_keys=supervised)
    writer = tfds.core.SequentialWriter(info, a_shard, file_format=file_format)
    writer.initialize_splits(list(splits))
    for split, held in splits.items():
        writer.add_examples({split: [{name: row[name] for name in described} for row in held]})
    writer.close_splits(list(splits))
    return folder
