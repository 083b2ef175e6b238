"""The devices a run computes on. The one place where a distribution strategy is opened."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

from pipelines.errors import BadInput
from pipelines.training.meeting import connected, meet

_state = {"deterministic": False}


@cache
def opened() -> Any:
    """The strategy of this process, opened once: a second one in a process meets the first one's collectives.

    Workers that TF_CONFIG names train together (`MultiWorkerMirroredStrategy`); several GPUs, or CPUs made by
    `split_cpu`, as replicas (`MirroredStrategy`); a TPU as it is; else TensorFlow's default, one device.

    Raises:
        BadInput: the port of this worker cannot be had.
        WorkerLost: not all workers came in time.
    """
    import tensorflow as tf

    if job := cluster():
        addresses = [each for kind in ("chief", "worker") for each in job["cluster"].get(kind, ())]
        mine = job["cluster"][job["task"]["type"]][int(job["task"]["index"])]
        if mine in addresses:
            meet(addresses, addresses.index(mine))
        return connected(tf.distribute.MultiWorkerMirroredStrategy)
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
    task = cluster().get("task", {})
    return bool(task.get("type", "worker") in ("chief", "worker") and int(task.get("index", 0)) == 0)


def workers() -> int:
    """How many processes train together."""
    addresses = cluster().get("cluster", {})
    return max(1, sum(len(addresses.get(kind, ())) for kind in ("chief", "worker")))


def cluster() -> dict[str, Any]:
    """What TF_CONFIG says of the job; empty where it is not set.

    Raises:
        BadInput: it is not what TensorFlow understands.
    """
    said = os.environ.get("TF_CONFIG") or "{}"
    try:
        found = json.loads(said)
        if not found:
            return {}
        kind, index = found["task"]["type"], found["task"]["index"]
        found["cluster"][kind][int(index)]
    except (ValueError, TypeError, LookupError) as error:
        raise BadInput(
            'TF_CONFIG must be like {"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", '
            f'"index": 0}}}}; received {said[:200]}'
        ) from error
    return dict(found)


def replicas() -> int:
    """How many replicas learn together."""
    import tensorflow as tf

    return int(tf.distribute.get_strategy().num_replicas_in_sync)


def sum_over_replicas(values: list[Any]) -> list[Any]:
    """Each value's sum over all replicas, on every one of them; called as one replica sees it.

    All travel as one vector for each type: between machines a message costs far more than what is in it.
    """
    import tensorflow as tf

    if replicas() == 1:
        return values
    found = dict.fromkeys(range(len(values)))
    for dtype in dict.fromkeys(value.dtype for value in values):
        places = [place for place, value in enumerate(values) if value.dtype == dtype]
        vector = tf.concat([tf.reshape(values[place], [-1]) for place in places], axis=0)
        total = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, vector)
        parts = tf.split(total, [int(values[place].shape.num_elements()) for place in places])
        found |= {place: tf.reshape(part, values[place].shape) for place, part in zip(places, parts, strict=True)}
    return list(found.values())


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
    return found or [f"CPU x {cores()} cores"]


def cores() -> int:
    """That this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def synchronise(core: Any) -> None:
    """Let every BatchNormalization of a core take its statistics over all replicas.

    Otherwise several replicas would not train what one does: each would normalise by its own few rows. Keras'
    `synchronized=True` gives the same numbers with three messages where this needs one.
    """
    import keras

    for layer in core._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer._moments = partial(_moments_over_replicas, axes=layer._reduction_axes)


def _moments_over_replicas(inputs: Any, mask: Any, axes: Sequence[int]) -> tuple[Any, Any]:
    """Mean and variance per channel over the rows of all replicas, of which each has as many.

    Raises:
        BadInput: the layer is given a mask.
    """
    import tensorflow as tf

    if mask is not None:
        raise BadInput("BatchNormalization of masked rows cannot be trained on several devices; use LayerNormalization")
    sums = [tf.reduce_mean(each, axis=axes) / replicas() for each in (inputs, tf.square(inputs))]
    mean, square = sum_over_replicas(sums)
    return mean, tf.maximum(square - tf.square(mean), 0.0)


def make_deterministic(seed: int) -> None:
    """Let TensorFlow choose only operations that give the same numbers in any process on the same hardware.

    Holds for the rest of the process. Seeds alone do not: threads add floats up in any order.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    _state["deterministic"] = True


def is_deterministic() -> bool:
    """Whether `make_deterministic` was called in this process."""
    return _state["deterministic"]
