"""The devices a run computes on. The one place where a distribution strategy is opened."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any


def scope() -> AbstractContextManager[Any]:
    """Where models, optimisers and loops are made: for now TensorFlow's default strategy, one device."""
    import tensorflow as tf

    opened: AbstractContextManager[Any] = tf.distribute.get_strategy().scope()
    return opened


def devices() -> list[str]:
    """What TensorFlow sees, for the record: `GPU:0 NVIDIA H100`, or `CPU x 2 cores`."""
    import os

    import tensorflow as tf

    found: list[str] = []
    for device in tf.config.list_physical_devices("GPU"):
        name = tf.config.experimental.get_device_details(device).get("device_name", "")
        found.append(f"GPU:{len(found)} {name}".strip())
    found += [device.name for device in tf.config.list_physical_devices("TPU")]
    return found or [
        f"CPU x {len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()} cores"
    ]
