"""Training over epochs: update, validate, keep the best weights, stop early; and never lose what was done."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import BadInput, TrainingFailed
from pipelines.training.checkpoint import Checkpoints, Saved, Snapshot, collected, numbered
from pipelines.training.feed import Call, Feed, Rows, feed_of, validation_pass
from pipelines.training.health import HEALTH
from pipelines.training.interruption import Deferred, deferred
from pipelines.training.loop import Loop, gathered
from pipelines.training.nonfinite import first_non_finite
from pipelines.training.schedule import Plateau
from pipelines.training.strategy import replicas, workers
from pipelines.training.workers import agreed, saved_by_chief

MOST_HALVINGS = 3
"""How often the learning rate is halved after a loss that is not finite, before the training fails."""

MEASURE_EVERY = {False: 128, True: 1024}
"""Updates between two whose gradients are measured, by whether XLA compiles the others: the measured one never is."""

KEEP_EVERY = 500
"""Updates between two states in memory that a loss that is not finite is rolled back to."""

_PLAIN = ("epoch", "position", "best_epoch", "factor", "halvings", "steps", "measured")

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Trained:
    """What a training leaves besides the weights.

    Args:
        metrics: one value per epoch, by name.
        best_epoch: the epoch, from 0, whose weights were kept.
        steps: updates that were made, those that were rolled back included.
        rows: training rows that this process learned from, each as often as it was; those that only fill a batch up
            are not among them.
        merit: of that epoch: the score that was watched, or the validation loss, negated.
        notes: what happened on the way: where it was resumed, when it was rolled back.
    """

    metrics: dict[str, tuple[float, ...]]
    best_epoch: int
    steps: int
    rows: float
    merit: float
    notes: tuple[str, ...] = ()


@dataclass
class Standing:
    """Where a training stands; with the step's variables it is all that going on needs.

    Args:
        position: steps done of this epoch, of which `sums` are the sums.
        measured: the step of the whole training that was last measured; -1 before any was.
        health: what it showed, repeated in the history until the next one is.
        kept: the weights of the best epoch.
        factor: of the learning rate, halved at each roll-back.
        steps: updates that were made so far, those that were rolled back included: private training has to count
            them. Those since a checkpoint are forgotten by a process that is killed, and so is whatever they gave.
    """

    epoch: int = 0
    position: int = 0
    sums: dict[str, Floats] = field(default_factory=dict)
    history: dict[str, list[float]] = field(default_factory=dict)
    best: float = -np.inf
    best_epoch: int = 0
    kept: list[NDArray[Any]] = field(default_factory=list)
    factor: float = 1.0
    halvings: int = 0
    steps: int = 0
    plateau: dict[str, float] = field(default_factory=dict)
    measured: int = -1
    health: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def saved(self, state: Snapshot) -> Saved:
        """For a checkpoint."""
        plain = {name: getattr(self, name) for name in _PLAIN}
        lists = {
            "history": {name: list(values) for name, values in self.history.items()},
            "notes": list(self.notes),
            "plateau": dict(self.plateau),
            "health": dict(self.health),
        }
        sums = {f"sums/{name}": value for name, value in self.sums.items()}
        arrays = {"best": np.array(self.best), **sums, **dict(numbered("state", state.values))}
        return Saved({**arrays, **dict(numbered("kept", self.kept))}, {**plain, **lists})

    @classmethod
    def of(cls, saved: Saved) -> tuple[Standing, Snapshot]:
        """What `saved` gave."""
        arrays = saved.arrays
        notes = dict(saved.notes)
        notes["history"] = {name: list(values) for name, values in notes["history"].items()}
        sums = {name.partition("/")[2]: value for name, value in arrays.items() if name.startswith("sums/")}
        standing = cls(**notes, sums=sums, best=float(arrays["best"]), kept=collected("kept", arrays))
        return standing, Snapshot.of(collected("state", arrays))


def fit(
    loop: Loop,
    train: Rows,
    valid: Rows,
    seed: int,
    score: Callable[[NDArray[Any]], float] | None,
    watch: Callable[[int, int], None],
    checkpoints: Checkpoints | None = None,
) -> Trained:
    """Train `loop.core` and leave the best epoch's weights in it.

    Args:
        score: validation outputs -> a number to maximise; None watches the validation loss.
        watch: called with (epochs done, epochs at most).
        checkpoints: where to save now and then, and to go on from if something is there already.

    Raises:
        TrainingFailed: a loss became non-finite, and again after each of `MOST_HALVINGS` roll-backs.
        BadInput: no training row, or no validation row, has any weight.
        KeyboardInterrupt, SystemExit: a signal asked to stop; the state was saved, if there are checkpoints.
    """
    if not (train.weight.any() and valid.weight.any()):
        raise BadInput("every training row, or every validation row, has weight 0; nothing can be learned from them")
    feed, validate = feed_of(loop, train, seed), validation_pass(loop, valid)
    training = Training(loop, feed, validate, score, checkpoints, len(train))
    with deferred() if checkpoints is not None or workers() > 1 else nullcontext(Deferred()) as stop:
        training.go_on(watch, stop)
    return training.ended()


class Training:
    """One training from its start, or from its newest checkpoint, to its end."""

    def __init__(
        self,
        loop: Loop,
        feed: Feed,
        validate: Callable[[], tuple[float, NDArray[Any]]],
        score: Callable[[NDArray[Any]], float] | None,
        checkpoints: Checkpoints | None,
        rows: int,
    ) -> None:
        self.loop, self.feed, self.validate, self.score, self.checkpoints = loop, feed, validate, score, checkpoints
        self.at = Standing(kept=self._weights())
        self.plateau = Plateau.of(loop.recipe)
        self.rows = rows
        saved = saved_by_chief(checkpoints.newest() if checkpoints is not None else None)
        if saved is not None:
            self.at, state = Standing.of(saved)
            state.restore(loop.step.state)
            self._restore_plateau()
            self.at.notes.append(f"resumed in epoch {self.at.epoch + 1}")
        self.good = self.at.saved(Snapshot(loop.step.state))
        self._before = self.at.steps
        self._updates = 0

    @property
    def over(self) -> bool:
        """Whether the epochs, the patience, or the steps that privacy pays for are used up."""
        recipe, at = self.loop.recipe, self.at
        spent = at.steps + self.feed.steps - at.position > recipe.epochs * self.feed.steps  # only after a roll-back
        return (
            at.epoch >= recipe.epochs or at.epoch - 1 - at.best_epoch >= recipe.patience or (recipe.private and spent)
        )

    def go_on(self, watch: Callable[[int, int], None], stop: Deferred) -> None:
        """Train until the end, or until told to stop."""
        if self.at.epoch:
            watch(self.at.epoch, self.loop.recipe.epochs)
        told = False
        while not self.over and not (told := agreed(bool(stop))):
            if self._epoch(stop):
                watch(self.at.epoch, self.loop.recipe.epochs)
        if self.checkpoints is not None and (told or stop):
            self.checkpoints.save(self._now(), wait=True)
        if told and not stop:
            raise KeyboardInterrupt  # another worker was told to stop

    def ended(self) -> Trained:
        """With the best weights in the core.

        Raises:
            TrainingFailed: roll-backs have spent what privacy pays for before an epoch was done.
        """
        if self.checkpoints is not None:
            self.checkpoints.settle()
            if self.checkpoints.trouble:
                self.at.notes.append(self.checkpoints.trouble)
        if not self.at.history:
            raise TrainingFailed(
                f"{'; '.join(self.at.notes)}; the steps that privacy pays for leave no whole epoch; "
                f"try --set recipe.learning_rate={self.loop.recipe.learning_rate / 10:g}"
            )
        Snapshot.of(self.at.kept).restore(self.loop.core.variables)
        metrics = {name: tuple(values) for name, values in self.at.history.items()}
        rows = self.rows * (self.at.steps - self._before) / self.feed.steps
        return Trained(metrics, self.at.best_epoch, self.at.steps, rows, self.at.best, tuple(self.at.notes))

    def _epoch(self, stop: Deferred) -> bool:
        """Make what is left of this epoch; False where it was interrupted or rolled back."""
        for call in self.feed.calls(self.at.epoch, self.at.position):
            if not all(self._made(part) for part in self._parts(call)):
                return False
            if self.at.position < self.feed.steps:
                self._save()
                if agreed(bool(stop)):
                    return False
        found = {name: value / self.feed.weight for name, value in self.at.sums.items()}
        loss, outputs = self.validate()
        if not np.isfinite(loss):
            self._roll_back("validation", self.feed.steps)
            return False
        self._remember({name: float(value) for name, value in found.items()} | {"valid_loss": loss}, outputs)
        self._save()
        return True

    def _parts(self, call: Call) -> list[Call]:
        """The call; or its first step alone, if that one is to be measured, and the rest."""
        number = self.at.epoch * self.feed.steps + call.start
        due = self.at.measured < 0 or number - self.at.measured >= MEASURE_EVERY[self.loop.plan.xla]
        if self.loop.health is None or not due:
            return [call]
        self.at.measured = number
        alone, rest = call._replace(stop=call.start + 1), call._replace(start=call.start + 1)
        return [alone, rest] if rest.start < rest.stop else [alone]

    def _made(self, call: Call) -> bool:
        """Make the updates of a call; False where the loss was not finite and the state was rolled back."""
        at = self.at
        if self.loop.health is not None and at.epoch * self.feed.steps + call.start == at.measured:
            sums = self.loop.measure(*call.arguments, self._span(call)[0], self._clock(call))
            seen = np.asarray(sums.pop(HEALTH))
            if float(sums.get("skipped", 0)):  # an overflow of float16, which says nothing of the gradient; once more
                at.measured = -1
            else:
                at.health = self.loop.health.summary(seen)
        else:
            sums = self.loop.train(*call.arguments, *self._span(call), self._clock(call))
        found = {name: np.asarray(value) for name, value in sums.items()}
        made = int(found.pop("steps"))
        at.steps += made
        if not np.isfinite(found["loss"]):
            self._roll_back("training", call.start + made)
            return False
        at.sums = {name: at.sums.get(name, np.zeros((), np.float32)) + value for name, value in found.items()}
        at.position = call.stop
        self._updates += made
        return True

    def _span(self, call: Call) -> tuple[Any, Any]:
        """First and last step of a call, counted within what it brings."""
        import tensorflow as tf

        return tf.constant(call.start - call.origin), tf.constant(call.stop - call.origin)

    def _clock(self, call: Call) -> tuple[Any, Any, Any]:
        """(number of the call's first step in the whole training, of all steps, the learning rate at its peak)."""
        import tensorflow as tf

        first, total = self.at.epoch * self.feed.steps + call.origin, self.feed.steps * self.loop.recipe.epochs
        rate = self.loop.recipe.learning_rate * self.at.factor * (1.0 if self.plateau is None else self.plateau.scale)
        return tf.constant(float(first)), tf.constant(float(total)), tf.constant(float(rate))

    def _remember(self, found: dict[str, float], outputs: NDArray[Any]) -> None:
        """Close the epoch: its values into the history, its weights kept if they are the best so far."""
        at = self.at
        merit = -found["valid_loss"]
        if self.score is not None:
            merit = found["valid_score"] = self.score(outputs)
        for name, value in (found | at.health).items():
            at.history.setdefault(name, [np.nan] * at.epoch).append(value)
        if merit > at.best:
            at.best, at.best_epoch, at.kept = merit, at.epoch, self._weights()
        if self.plateau is not None:
            self.plateau.saw(merit)
            at.plateau = self.plateau.state()
        at.epoch, at.position, at.sums = at.epoch + 1, 0, {}

    def _weights(self) -> list[NDArray[Any]]:
        """The weights that validation judged: averaged ones, where the step keeps some."""
        return Snapshot(self.loop.averaged or self.loop.core.variables).values

    def _restore_plateau(self) -> None:
        self.plateau = Plateau.of(self.loop.recipe)
        if self.plateau is not None and self.at.plateau:
            self.plateau.restore(self.at.plateau)

    def _now(self) -> Saved:
        return self.at.saved(Snapshot(self.loop.step.state))

    def _save(self) -> None:
        """To the disk where that is due; in memory every `KEEP_EVERY` updates, whatever the clock says."""
        due = self.checkpoints is not None and self.checkpoints.due()
        if not due and self._updates < KEEP_EVERY:
            return
        now = self._now()
        if self._updates >= KEEP_EVERY:
            self.good, self._updates = now, 0
        if self.checkpoints is not None and due:
            self.checkpoints.save(now)

    def _roll_back(self, which: str, step: int) -> None:
        """Return to the last good state with half the learning rate.

        Raises:
            TrainingFailed: that was done `MOST_HALVINGS` times already.
        """
        at, recipe = self.at, self.loop.recipe
        where = f"the {which} loss was not finite in epoch {at.epoch + 1}, step {step} of {self.feed.steps}"
        halvings, notes, steps, factor = at.halvings + 1, at.notes, at.steps, at.factor
        self.at, state = Standing.of(self.good)
        state.restore(self.loop.step.state)
        self._restore_plateau()
        if halvings > MOST_HALVINGS:
            broken = self._broken(at.epoch, step - 1, factor)
            raise TrainingFailed(
                f"{where}{f' ({broken})' if broken else ''}, and again "
                f"after the learning rate was halved {MOST_HALVINGS} times; "
                f"try --set recipe.learning_rate={recipe.learning_rate / 2 ** (MOST_HALVINGS + 1):g} "
                "or --set recipe.clip_norm=1"
            )
        self.at.halvings, self.at.factor, self.at.steps, self._updates = halvings, 0.5**halvings, steps, 0
        self.at.notes = [*notes, f"{where}; rolled back to epoch {self.at.epoch + 1}, the learning rate halved"]
        renew: Callable[[], None] | None = getattr(self.loop.step, "renew", None)
        if renew is not None:
            renew()
            self.good = self._now()

    def _broken(self, epoch: int, step: int, factor: float) -> str | None:
        """What was not finite in this step: the steps since the last good state are made again, and then looked at."""
        if replicas() > 1 or self.loop.recipe.private:  # private rows are looked at no more often than is counted
            return None
        self.at.factor = factor
        while self.at.epoch <= epoch:
            last = step if self.at.epoch == epoch else self.feed.steps
            for call in self.feed.calls(self.at.epoch, self.at.position):
                if call.start < last:
                    self.loop.train(
                        *call.arguments, *self._span(call._replace(stop=min(call.stop, last))), self._clock(call)
                    )
                if call.stop > last:
                    return self._looked_at(call, last)
            self.at.epoch, self.at.position = self.at.epoch + 1, 0
        return None

    def _looked_at(self, call: Call, step: int) -> str | None:
        """The layer, or the gradient, that is not finite in one step of a call."""
        data, rows, mask, _ = call.arguments
        inputs, target, weight = gathered(data, rows[step - call.origin], mask[step - call.origin])
        found = first_non_finite(self.loop.core, self.loop.loss, inputs, target, weight)
        return f"{found} is not finite" if found else None
