"""The devices a run computes on. The one place where a distribution strategy is opened."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any


def scope() -> AbstractContextManager[Any]:
    """Where models, optimisers and loops are made: for now TensorFlow's default strategy, one device."""
    import tensorflow as tf

    opened: AbstractContextManager[Any] = tf.distribute.get_strategy().scope()
    return opened


def replicas() -> int:
    """How many replicas learn together."""
    import tensorflow as tf

    return int(tf.distribute.get_strategy().num_replicas_in_sync)


def sum_over_replicas(gradients: list[Any]) -> list[Any]:
    """The gradients of the global batch, from those of each replica's rows; called as one replica sees it."""
    import tensorflow as tf

    if replicas() == 1:
        return gradients
    summed: list[Any] = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, gradients)
    return summed


def per_replica(value_of: Callable[[int], Any]) -> Any:
    """A value of its own for each replica of this process, made from the number of the replica in the whole job."""
    import tensorflow as tf

    strategy = tf.distribute.get_strategy()
    if strategy.num_replicas_in_sync == 1:
        return value_of(0)
    return strategy.experimental_distribute_values_from_function(
        lambda context: value_of(int(context.replica_id_in_sync_group))
    )


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
