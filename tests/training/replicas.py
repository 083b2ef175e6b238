"""A training as a program of its own, on one device, on two logical ones, or as one worker of two: weights to a file.

python tests/training/replicas.py one|two|worker OUTPUT
"""

import os
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from pipelines.contenders.contender import unwatched
from pipelines.objectives.classification import Classification
from pipelines.task import Recipe
from pipelines.training import strategy
from pipelines.training.feed import Rows
from pipelines.training.fit import fit
from pipelines.training.loop import Loop
from pipelines.training.plan import Plan
from pipelines.training.step import Supervised

OBJECTIVE = Classification(classes=("no", "yes"))
RECIPE = Recipe(epochs=3, batch_size=10, learning_rate=0.05, l2=0.01, clip_norm=0.5, optimiser="adam", patience=9)


def network():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(8, activation="relu")(inputs)
    hidden = keras.layers.BatchNormalization()(hidden)
    return keras.Model(inputs, keras.layers.Dense(1)(hidden))


def rows(n, seed):
    chance = np.random.default_rng(seed)
    x = chance.normal(size=(n, 4)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int32)
    return Rows(x, y, chance.uniform(0.5, 2, n).astype(np.float32))


def main(how, output):
    if how == "two":
        strategy.split_cpu(2)
    opened = strategy.opened()
    found, read = {}, []
    for plan in (Plan(True, False), Plan(False, False, 2)):
        with opened.scope():
            core = network()
            if strategy.replicas() > 1:
                strategy.synchronise(core)
            loop = Loop(Supervised(core, OBJECTIVE.loss, RECIPE), core, OBJECTIVE.loss, RECIPE, plan)
            train, valid = rows(37, 1), rows(23, 2)
            if not plan.resident:
                train, valid = (
                    Rows(lambda at, x=each.x: read.append((len(x), len(at))) or tf.constant(x[at]), each.y, each.weight)
                    for each in (train, valid)
                )
            trained = fit(loop, train, valid, 4, None, unwatched)
        name = "resident" if plan.resident else "streamed"
        for number, weight in enumerate(core.get_weights()):
            found[f"{name}/{number}"] = weight
        found[f"{name}/loss"] = np.array(trained.metrics["loss"])
        found[f"{name}/valid_loss"] = np.array(trained.metrics["valid_loss"])
        found[f"{name}/gradient_norm"] = np.array(trained.metrics["gradient_norm"])
        found[f"{name}/traces"] = np.array(loop.train.experimental_get_tracing_count())
    found["read"] = np.array(sum(rows for of, rows in read if of == 37))
    found["replicas"] = np.array(strategy.replicas() if how == "one" else opened.num_replicas_in_sync)
    np.savez(output, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
