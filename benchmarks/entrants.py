"""Who trains: Keras `fit` in its settings, PyTorch, Tapeline, and the ideal step, which is the limit.

Each builder gets everything ready for one workload and gives back how it trains for a number of epochs. All make the
same updates: the same batch size, Adam at the same rate, the mean loss and nothing else measured, rows in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from benchmarks.workloads import LEARNING_RATE, Workload

FIT, FIT_WITH_ONEDNN = "fit, ", "fit with oneDNN"
"""How the names of its settings begin; and the one beside them."""

ENDLESS = 10**6
"""Epochs: more than anyone waits for."""


class Trainer(NamedTuple):
    """One entrant, ready: `train(epochs)` returns when all updates are made; `plan` says how it executes."""

    train: Callable[[int], None]
    plan: str = ""
    xla: bool = False


@dataclass(frozen=True)
class Entrant:
    """Someone who trains, in a process of its own.

    Args:
        library: imported before any clock starts, with `environment` set.
        build: gets everything ready.
    """

    name: str
    library: str
    build: Callable[[Workload], Trainer]
    environment: Mapping[str, str] = field(default_factory=dict)


def fit_settings(workload: Workload) -> tuple[Entrant, ...]:
    """Keras `fit` with its defaults first, then with many steps per execution, a whole epoch of them, and XLA."""
    counts = sorted({1, min(50, workload.steps), workload.steps})
    return tuple(
        Entrant(_named(count, xla), "keras", partial(keras_fit, steps_per_execution=count, xla=xla))
        for xla in (False, True)
        for count in counts
    )


def fit_with_onednn(workload: Workload) -> Entrant:
    """`fit` with oneDNN's kernels, which TensorFlow leaves off on processors without AVX-512 VNNI.

    A setting of the process, not of `fit`, so it is shown beside the settings of `fit` and not among them.
    """
    build = partial(keras_fit, steps_per_execution=min(50, workload.steps), xla=False)
    return Entrant(FIT_WITH_ONEDNN, "keras", build, {"TF_ENABLE_ONEDNN_OPTS": "1"})


def _named(count: int, xla: bool) -> str:
    settings = [f"steps_per_execution={count}"] * (count > 1) + ["jit_compile"] * xla
    return FIT + (", ".join(settings) or "defaults")


def keras_fit(workload: Workload, steps_per_execution: int, xla: bool) -> Trainer:
    """Keras `fit` on NumPy arrays, which it shuffles; its default on a CPU is one step a call, not compiled."""
    import keras

    x, y = workload.data()
    network, losses = workload.network(), keras.losses
    binary, many = losses.BinaryCrossentropy, losses.SparseCategoricalCrossentropy
    loss = (binary if workload.classes == 2 else many)(from_logits=True)
    settings = {"steps_per_execution": steps_per_execution, "jit_compile": xla}
    network.compile(keras.optimizers.Adam(LEARNING_RATE), loss, **settings)

    def train(epochs: int) -> None:
        network.fit(x, y, batch_size=workload.batch, epochs=epochs, verbose=0)

    return Trainer(train, xla=xla)


def pytorch(workload: Workload) -> Trainer:
    """The training loop that a PyTorch user writes: a new permutation each epoch, rows picked from one tensor."""
    import torch
    from torch import nn

    from benchmarks import torch_networks

    x, y = (torch.from_numpy(values) for values in workload.data())
    if x.is_floating_point() and x.dim() > 2:
        x = x.movedim(-1, 1).contiguous()  # PyTorch has channels first
    binary = workload.classes == 2
    y = y.float()[:, None] if binary else y.long()
    network = getattr(torch_networks, workload.name)()
    criterion = nn.BCEWithLogitsLoss() if binary else nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)

    def train(epochs: int) -> None:
        network.train()
        for _ in range(epochs):
            total = torch.zeros(())
            for rows in torch.randperm(len(x)).split(workload.batch):
                loss = criterion(network(x[rows]), y[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.detach()

    return Trainer(train, f"{torch.get_num_threads()} threads")


def tapeline(workload: Workload) -> Trainer:
    """The training core, executed as it chooses itself."""
    train, plan, xla = tapeline_epochs(workload)
    return Trainer(train, plan, xla)


def tapeline_epochs(
    workload: Workload, ready: Callable[[Any], None] | None = None
) -> tuple[Callable[..., None], str, bool]:
    """The core's own loop over epochs, all but validation: (train so many more, plan, whether XLA compiles it).

    Training may be told `watched=False`, to leave gradient health out.

    Args:
        ready: called with the network before anything is traced.
    """
    import numpy as np

    from pipelines.contenders.planning import measured_plan
    from pipelines.task import Recipe
    from pipelines.training.feed import Rows, feed_of
    from pipelines.training.fit import Training
    from pipelines.training.interruption import Deferred
    from pipelines.training.loop import Loop
    from pipelines.training.plan import Plan, choose
    from pipelines.training.step import Supervised
    from pipelines.training.strategy import replicas

    x, y = workload.data()
    objective, network = workload.objective, workload.network()
    recipe = Recipe(
        batch_size=workload.batch, optimiser="adam", learning_rate=LEARNING_RATE, schedule="constant", warmup=0,
        epochs=ENDLESS, patience=ENDLESS,
    )  # fmt: skip
    if ready is not None:
        ready(network)
    rows = Rows(x, objective.learnable(y), np.ones(len(y), np.float32))
    loops: dict[bool, Loop] = {}

    def loop_of(plan: Plan) -> Loop:
        if plan.xla not in loops:
            core = network if not loops else workload.network()
            loops[plan.xla] = Loop(Supervised(core, objective.loss, recipe), core, objective.loss, recipe, plan)
        return loops[plan.xla]

    start = choose(recipe, x.nbytes, workload.worth_compiling, replicas())
    plan = measured_plan(start, loop_of, rows, objective, network, workload.name)
    loop = loop_of(plan)
    health = loop.health
    unvalidated = (0.0, np.zeros(0, np.float32))
    training = Training(loop, feed_of(loop, rows, seed=0), lambda: unvalidated, None, None, rows=len(y))

    def train(epochs: int, watched: bool = True) -> None:
        stop, last = Deferred(), training.at.epoch + epochs
        loop.health = health if watched else None

        def watch(done: int, most: int) -> None:
            stop.received = 1 if done == last else None

        training.go_on(watch, stop)

    return train, plan.explained, plan.xla


def ideal(workload: Workload, xla: bool) -> Trainer:
    """The limit: forward pass, loss, gradient and update on one batch that never changes, with nothing around them.

    Written without the training core, so that whatever its own step adds counts against it.
    """
    import keras
    import tensorflow as tf

    x, y = (tf.constant(values[: workload.batch]) for values in workload.data())
    network, loss_of = workload.network(), workload.objective.loss
    optimiser = keras.optimizers.Adam(LEARNING_RATE)
    optimiser.build(network.trainable_variables)

    @tf.function(jit_compile=xla)  # type: ignore[untyped-decorator, unused-ignore]
    def updates(x: Any, y: Any, count: Any) -> Any:
        total = tf.constant(0.0)
        for _ in tf.range(count):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(loss_of(y, network(x, training=True)))
            optimiser.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
            total += loss
        return total

    def train(epochs: int) -> None:
        for _ in range(epochs):
            float(updates(x, y, tf.constant(workload.steps)))

    return Trainer(train, xla=xla)


PYTORCH = Entrant("PyTorch", "torch", pytorch)
TAPELINE = Entrant("Tapeline", "keras", tapeline, {"TF_ENABLE_ONEDNN_OPTS": "1"})  # as its command sets it


def ideal_step(xla: bool) -> Entrant:
    """The ideal step, compiled as Tapeline's plan is, in the same environment."""
    return Entrant("ideal step", "keras", partial(ideal, xla=xla), TAPELINE.environment)
