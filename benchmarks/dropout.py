"""What dropout costs a dense network's step: `python -m benchmarks.dropout`.

Keras' dropout, ours and none, in an MLP and in TabM, by XLA and in turns: the same rows, 128 a step, whose values do
not matter.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.summary import machine, write

RESULTS = Path(__file__).parent / "results" / "dropout.json"
ROWS, FEATURES, WIDTH, MEMBERS, RATE = 128, 180, 128, 32, 0.3
STEPS = 40
"""Of each turn."""


def main() -> None:
    """Build, take turns, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dropout", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="turns of each (default: 9)")
    asked = parser.parse_args()
    if asked.rounds < 1:
        parser.error("--rounds must be at least 1")
    import keras

    from pipelines.models.dropout import ByteDropout

    dropouts = {"none": None, "Keras": keras.layers.Dropout, "a byte each": ByteDropout}
    found = {}
    for network, members in (("MLP", 0), ("TabM", MEMBERS)):
        entrants = {name: _steps(_network(members, layer)) for name, layer in dropouts.items()}
        seconds: dict[str, list[float]] = {name: [] for name in entrants}
        for _ in range(asked.rounds):
            for name, steps in entrants.items():
                started = time.perf_counter()
                steps()
                seconds[name].append((time.perf_counter() - started) / STEPS)
        found[network] = {name: 1e3 * median(each) for name, each in seconds.items()}
        told = ", ".join(f"{name} {each:.2f}" for name, each in found[network].items())
        print(f"{network}, milliseconds a step by dropout: {told}")
    write({"machine": machine(), "milliseconds_a_step": found}, RESULTS)


def _network(members: int, dropout: Any) -> Any:
    """Two hidden layers, of several members or of one network."""
    import keras

    from pipelines.models.members import MemberDense, SharedDense

    inputs = hidden = keras.Input((FEATURES,))
    for place in range(2):
        if members:
            hidden = SharedDense(WIDTH, members, signs=place == 0, activation="relu")(hidden)
        else:
            hidden = keras.layers.Dense(WIDTH, activation="relu")(hidden)
        hidden = hidden if dropout is None else dropout(RATE)(hidden)
    return keras.Model(inputs, MemberDense(1)(hidden) if members else keras.layers.Dense(1)(hidden))


def _steps(network: Any) -> Callable[[], Any]:
    """`STEPS` updates in one call, compiled."""
    import keras
    import tensorflow as tf

    optimiser = keras.optimizers.AdamW(2e-3)
    optimiser.build(network.trainable_variables)
    x, y = tf.random.normal((ROWS, FEATURES)), tf.cast(tf.random.uniform((ROWS,)) > 0.5, tf.float32)

    def steps() -> Any:
        for _ in tf.range(STEPS):
            with tf.GradientTape() as tape:
                logits = network(x, training=True)[..., 0]
                target = tf.broadcast_to(y[:, None] if len(logits.shape) == 2 else y, tf.shape(logits))
                loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(target, logits))
            optimiser.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
        return loss

    compiled: Callable[[], Any] = tf.function(steps, jit_compile=True)
    compiled()
    return compiled


if __name__ == "__main__":
    main()
