"""Choosing how to execute a training by measuring it on its own first batches, where that pays.

The budget is 5 % of what the training is expected to take, at most 10 s. Updates without XLA are timed in this process.
XLA may need minutes to compile a network, and cannot be stopped while it does, so where nothing is known of the network
it is tried in a process of its own, which is given up when the budget is spent.
"""

from __future__ import annotations

import dataclasses
import datetime
import importlib
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.objectives import stored
from pipelines.objectives.objective import Objective
from pipelines.task import Recipe
from pipelines.training import precision
from pipelines.training.feed import Rows, feed_of
from pipelines.training.loop import Loop
from pipelines.training.plan import Plan
from pipelines.training.remembered import Measured, key_of, recall, remember
from pipelines.training.step import Supervised
from pipelines.training.strategy import is_deterministic
from pipelines.training.timing import seconds_per_step

SHARE, MOST_SECONDS = 0.05, 10.0
"""Of the expected training, and at most: what may be spent on measuring."""

SHORT = 2.0
"""Seconds of budget below which nothing is worth trying: tracing a network alone takes about so long."""

CHILD_SECONDS = 6.0
"""Of budget that a process of its own needs at least, to import TensorFlow and compile a small network."""

GLANCE, LOOK = 0.05, 0.2
"""Seconds of a timed call: to find out how long the training will take, and in the other process."""

FEW_UPDATES = 300
"""A training of fewer is not timed: the timing itself would be a large part of it."""

TRIED = 256
"""Rows that the trial is given; steps take them again and again."""


def measured_plan(
    start: Plan,
    loop_of: Callable[[Plan], Loop],
    rows: Rows,
    objective: Objective,
    core: Any,
    network: str,
) -> Plan:
    """The quicker of XLA and no XLA, if this training is long enough to find out, or it was found out before.

    Args:
        start: the plan to begin with; one that the user asked for, or that does not keep rows resident, stays.
        loop_of: the traced loop of a plan; it is restarted by whoever trains with it.
        rows: resident training rows.
        core: the network, not trained.
        network: its layers and shapes as text.
    """
    if start.why != "not measured" or is_deterministic():
        return start
    loop = loop_of(start)
    recipe = loop.recipe
    key = key_of(network, _settings(recipe, rows))
    if (known := recall(key)) is not None:
        return replace(start, xla=known.compiled_is_quicker, why=str(known))
    updates = recipe.epochs * -(-len(rows) // min(recipe.batch_size, len(rows)))
    if updates < FEW_UPDATES:
        return replace(start, why="too short a training to measure others")
    call = next(iter(feed_of(loop, rows, 0).calls(0, 0)))
    (seconds,) = seconds_per_step([loop], call, GLANCE)
    budget = min(MOST_SECONDS, SHARE * seconds * updates)
    if budget < (SHORT if start.xla else CHILD_SECONDS):
        return replace(start, why=f"{1000 * seconds:.3g} ms a step; too short a training to measure others")
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    if start.xla:
        plain, quicker = seconds_per_step([loop_of(replace(start, xla=False)), loop], call, budget / 16)
        found = Measured(plain, quicker, today)
    else:
        compiled, trouble = _tried(core, objective, recipe, rows, budget)
        found = Measured(seconds, compiled, today, trouble)
    remember(key, found)
    return replace(start, xla=found.compiled_is_quicker, why=str(found))


def _settings(recipe: Recipe, rows: Rows) -> Mapping[str, str]:
    """What of a training changes the time of its update, besides the network."""
    import tensorflow as tf

    first = tf.nest.map_structure(lambda values: f"{values.dtype}{list(values.shape[1:])}", (rows.x, rows.y))
    same = ("batch_size", "optimiser", "accumulate", "average", "clip_norm", "clip_value", "clip_adaptive", "precision")
    return {"rows": str(first), **{name: str(getattr(recipe, name)) for name in (*same, "l1", "l2", "weight_decay")}}


def _tried(core: Any, objective: Objective, recipe: Recipe, rows: Rows, budget: float) -> tuple[float | None, str]:
    """(seconds per update with XLA, or None; why none), found by another process within the budget."""
    program = [sys.executable, "-c", "from pipelines.contenders.planning import trial; trial()"]
    here = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}  # it finds what this one found
    with tempfile.TemporaryDirectory(prefix="tapeline-plan-") as folder:
        try:
            path = Path(folder, "core.keras")
            core.save(path)
            given = _packed(core, path, objective, recipe, rows)
            ended = subprocess.run(  # noqa: S603  our own function
                program, input=given, capture_output=True, timeout=budget, check=True, env=here
            )
            return float(json.loads(ended.stdout.splitlines()[-1])), ""
        except subprocess.TimeoutExpired:
            return None, f"was not ready in {budget:.0f} s"
        except (subprocess.CalledProcessError, OSError, ValueError, TypeError, IndexError, NotImplementedError):
            return None, "could not be tried"


def _packed(core: Any, path: Path, objective: Objective, recipe: Recipe, rows: Rows) -> bytes:
    """What a trial needs; it goes through a pipe, so that no row is written anywhere."""
    import tensorflow as tf

    told: dict[str, Any] = {"core": str(path), "modules": _modules_of(core)}
    told |= {"seconds": LOOK, "objective": stored.to_dict(objective), "recipe": dataclasses.asdict(recipe)}
    few = min(len(rows), max(TRIED, recipe.batch_size))
    flat = [np.asarray(values[:few]) for values in tf.nest.flatten(rows.x)]
    told["inputs"] = tf.nest.map_structure(lambda _: None, rows.x) if isinstance(rows.x, dict) else len(flat)
    arrays: dict[str, NDArray[Any]] = {f"x{number}": values for number, values in enumerate(flat)}
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, y=rows.y[:few], weight=rows.weight[:few], told=_text(told), **arrays)
    return file.getvalue()


def trial() -> None:
    """The other process: time updates with XLA of what stdin brings, and print the seconds."""
    import keras
    import tensorflow as tf

    with np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False) as given:
        told = json.loads(given["told"].tobytes())
        flat = [given[f"x{number}"] for number in range(sum(name.startswith("x") for name in given.files))]
        rows = Rows(_structured(told["inputs"], flat, tf), given["y"], given["weight"])
    for module in told["modules"]:
        importlib.import_module(module)
    core = keras.models.load_model(told["core"], compile=False, safe_mode=True)
    recipe, objective = Recipe(**told["recipe"]), stored.from_dict(told["objective"])
    precision.lower(core, precision.chosen(recipe))
    loop = Loop(Supervised(core, objective.loss, recipe), core, objective.loss, recipe, Plan(resident=True, xla=True))
    (seconds,) = seconds_per_step([loop], next(iter(feed_of(loop, rows, 0).calls(0, 0))), told["seconds"])
    print(json.dumps(seconds))


def _modules_of(core: Any) -> list[str]:
    """Where its layers are defined, beside Keras' own: importing them lets Keras know them by name."""
    found = {type(layer).__module__ for layer in core._flatten_layers()}
    return sorted(name for name in found if not name.startswith("keras."))


def _structured(inputs: Any, flat: list[NDArray[Any]], tf: Any) -> Any:
    if isinstance(inputs, dict):
        return tf.nest.pack_sequence_as(inputs, flat)
    return flat[0] if len(flat) == 1 else flat


def _text(value: Any) -> NDArray[np.uint8]:
    return np.frombuffer(json.dumps(value).encode(), np.uint8)
