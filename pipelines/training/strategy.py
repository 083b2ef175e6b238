"""The devices a run computes on. The one place where a distribution strategy is opened."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cache
from typing import Any


@cache
def opened() -> Any:
    """The strategy of this process, opened once: a second one in a process meets the first one's collectives.

    Workers that TF_CONFIG names train together (`MultiWorkerMirroredStrategy`); several GPUs, or CPUs made by
    `split_cpu`, as replicas (`MirroredStrategy`); a TPU as it is; else TensorFlow's default, one device.
    """
    import tensorflow as tf

    if "TF_CONFIG" in os.environ:
        return tf.distribute.MultiWorkerMirroredStrategy()
    if tf.config.list_physical_devices("TPU"):
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu="local")
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    for kind in ("GPU", "CPU"):
        devices = [device.name for device in tf.config.list_logical_devices(kind)]
        if len(devices) > 1:
            return tf.distribute.MirroredStrategy(devices)
        if devices:
            break
    return tf.distribute.get_strategy()


def split_cpu(parts: int) -> None:
    """Make several logical devices of the CPU, to try distribution out on one machine; before TensorFlow starts."""
    import tensorflow as tf

    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration() for _ in range(parts)])


def chief() -> bool:
    """Whether this process alone writes checkpoints and records: worker 0, or the only one."""
    task = json.loads(os.environ.get("TF_CONFIG", "{}")).get("task", {})
    return bool(task.get("type", "worker") in ("chief", "worker") and int(task.get("index", 0)) == 0)


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
    import tensorflow as tf

    found: list[str] = []
    for device in tf.config.list_physical_devices("GPU"):
        name = tf.config.experimental.get_device_details(device).get("device_name", "")
        found.append(f"GPU:{len(found)} {name}".strip())
    found += [device.name for device in tf.config.list_physical_devices("TPU")]
    return found or [
        f"CPU x {len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()} cores"
    ]


def make_deterministic(seed: int) -> None:
    """Let TensorFlow choose only operations that give the same numbers in any process on the same hardware.

    Holds for the rest of the process. Seeds alone do not: threads add floats up in any order.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
