"""Trainings that are killed at random moments and started again must end with the weights of one that never was.

    python -m benchmarks.kill --kills 200

A small network with dropout and BatchNormalization, deterministic, saved after every few updates. Its last line is
`kills=200 failed=0 identical=true`.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")


@dataclass(frozen=True)
class Deaths:
    """How often a training was killed, how often it could not go on, and whether all ended with the same weights."""

    kills: int
    failed: int
    identical: bool

    def __str__(self) -> str:
        return f"kills={self.kills} failed={self.failed} identical={str(self.identical).lower()}"


def main() -> None:
    """Kill, restart, compare; exit 1 if a restart failed or an end differed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="how often to kill (default 200)")
    parser.add_argument("--term", action="store_true", help="send SIGTERM instead of SIGKILL")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        number = signal.SIGTERM if given.term else signal.SIGKILL
        deaths = die_and_go_on(Path(folder), given.kills, number, given.seed, tell=True)
    print(deaths)
    sys.exit(0 if deaths.identical and not deaths.failed else 1)


def die_and_go_on(folder: Path, kills: int, number: int, seed: int, tell: bool = False) -> Deaths:
    """Train again and again, each time killed until it ends, until that many kills were made."""
    import keras  # noqa: F401  once, before the children are forked; nothing is computed here
    import tensorflow  # noqa: F401

    chance = random.Random(seed)  # noqa: S311  moments, not secrets
    started = time.monotonic()
    wanted = _ended_alone(folder / "alone")
    longest = time.monotonic() - started
    done, failed, identical, training = 0, 0, True, 0
    while done < kills:
        training += 1
        here, started, killed = folder / f"training-{training}", time.monotonic(), 0
        while (fate := _killed_after(here, chance.uniform(0, longest) if done < kills else None, number)) == "killed":
            done, killed = done + 1, killed + 1
        failed += fate == "failed"
        if not killed:  # a moment after the end kills nobody: the first may have had less of the machine
            longest = min(longest, time.monotonic() - started)
        identical = identical and _hash_at(here) == wanted
        shutil.rmtree(here)
        if tell:
            print(f"{done} kills, {training} trainings ended, {failed} failed", file=sys.stderr, flush=True)
    return Deaths(done, failed, identical)


def train(folder: Path) -> None:
    """The training, from where it stands; the hash of its weights and history is written last."""
    import keras
    import numpy as np
    import tensorflow as tf

    from pipelines.objectives.classification import Classification
    from pipelines.task import Recipe
    from pipelines.training.checkpoint import Checkpoints, Snapshot
    from pipelines.training.feed import Rows
    from pipelines.training.fit import fit
    from pipelines.training.loop import Loop
    from pipelines.training.plan import Plan
    from pipelines.training.step import Supervised

    keras.utils.set_random_seed(0)
    tf.config.experimental.enable_op_determinism()
    inputs = keras.Input((10,))
    hidden = keras.layers.BatchNormalization()(keras.layers.Dense(32, activation="relu")(inputs))
    core = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Dropout(0.3)(hidden)))
    recipe, objective = Recipe(epochs=8, batch_size=32, patience=99), Classification(classes=("no", "yes"))
    loop = Loop(Supervised(core, objective.loss, recipe), core, objective.loss, recipe, Plan(True, False, 5))
    chance = np.random.default_rng(0)
    x = chance.normal(size=(700, 10)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] > 0).astype(np.int32)
    train, valid = (Rows(x[at], y[at], np.ones(len(y[at]), np.float32)) for at in (slice(600), slice(600, 700)))
    trained = fit(loop, train, valid, 3, None, lambda done, total: None, Checkpoints(folder / "checkpoints", every=0))
    whole = hashlib.sha256(repr(trained.metrics).encode())
    for value in [*core.get_weights(), *Snapshot(loop.step.state).values]:
        whole.update(np.ascontiguousarray(value).tobytes())
    beside = folder / "end.tmp"
    beside.write_text(whole.hexdigest())
    beside.rename(folder / "end")


def _ended_alone(folder: Path) -> str:
    if _killed_after(folder, None, 0) == "failed":
        raise SystemExit("the training fails even when nobody kills it")
    return _hash_at(folder)


def _killed_after(folder: Path, seconds: float | None, number: int) -> str:
    """Train in a process of its own: `ended`, `killed` after so many seconds, or `failed`."""
    folder.mkdir(parents=True, exist_ok=True)
    child = os.fork()
    if child == 0:
        _as_child(folder)
    deadline = None if seconds is None else time.monotonic() + seconds
    sent = False
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            if sent and (os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 130):
                return "killed"
            return "ended" if os.waitstatus_to_exitcode(status) == 0 else "failed"
        if deadline is not None and time.monotonic() > deadline and not sent:
            os.kill(child, number)
            sent = True
        time.sleep(0.002)


def _as_child(folder: Path) -> Any:
    """Train and leave, whatever happens, without the parent's cleaning up."""

    def stop(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    code = 1
    try:
        signal.signal(signal.SIGTERM, stop)
        train(folder)
        code = 0
    except KeyboardInterrupt:
        code = 130
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def _hash_at(folder: Path) -> str:
    path = folder / "end"
    return path.read_text() if path.exists() else ""


if __name__ == "__main__":
    main()
