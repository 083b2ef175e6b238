"""Training that a single row hardly changes: DP-SGD (Abadi et al. 2016, arXiv 1607.00133, algorithm 1).

Each row's gradient is clipped, the sum gets Gaussian noise, batches are drawn by Poisson sampling. What that promises
is counted in `accounting`. It holds for the weights, and for whoever does not know the seed of noise and sampling: with
the seed the noise can be taken away again. A seed that protects is drawn from `secrets`, used for one training only
(another fold, another attempt after a roll-back: another seed), and never reported. Noise is float32 from a Philox
generator, which resists statistics and not cryptanalysis.

Not covered are the training loss, what an encoder was fitted on, and validation rows.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pipelines.data.batches import Epoch
from pipelines.errors import BadInput, TrainingFailed
from pipelines.task import Recipe
from pipelines.training.averaging import Average
from pipelines.training.clipping import clipped
from pipelines.training.independence import require_independent_rows
from pipelines.training.optimisers import make_optimiser
from pipelines.training.precision import needs_loss_scale
from pipelines.training.step import Batch, Clock, penalty
from pipelines.training.strategy import sum_over_replicas
from pipelines.training.workers import from_chief

OVERFLOW = 1e-12
"""Chance that a sampled batch does not fit: over all steps of a training far below any delta."""

SAMPLING = 0x9E3779B9
"""Keeps the stream of random numbers for sampling apart from that of `data.batches.shuffled`."""

ROWS_AT_ONCE = 64
GRADIENTS_AT_ONCE = 1 << 24
"""Rows, and numbers in all their gradients (64 MiB), that are held at a time."""

DRAWS = 64
"""Times that a layer may draw in one forward pass before it meets the draws of the next step."""


def capacity(batch_size: int) -> int:
    """Places that a Poisson-sampled batch of `batch_size` expected rows needs, whatever the number of all rows.

    Far above its mean a binomial is less likely than the Poisson distribution of the same mean (Anderson and Samuels
    1967), so one shape serves every fold.
    """
    from scipy import stats

    return int(stats.poisson.isf(OVERFLOW, batch_size))


def poisson(n: int, batch_size: int, seed: int, epoch: int, steps: int) -> Epoch:
    """Batches that each row joins independently with probability batch_size / n; a function of (seed, epoch) alone.

    Rows may come twice in an epoch, or not at all: that is what the epsilon counts on. Each batch is spread over
    `capacity(batch_size)` places, evenly, so that replicas which divide the places divide the rows.

    Raises:
        BadInput: fewer rows than a batch.
        TrainingFailed: a batch does not fit (`OVERFLOW`). Left-out rows or another draw would be another mechanism.
    """
    if not 1 <= batch_size <= n:
        raise BadInput(f"private training samples recipe.batch_size={batch_size} of {n} training rows; set it to {n}")
    random, width = np.random.default_rng([seed, epoch, SAMPLING]), capacity(batch_size)
    rows, mask = np.zeros((steps, width), np.int32), np.zeros((steps, width), np.float32)
    for step, count in enumerate(random.binomial(n, batch_size / n, steps)):
        if count > width:
            raise TrainingFailed(f"a sampled batch has {count} rows and {width} places; try another seed")
        places = np.arange(count) * width // max(1, count)
        # As many as a binomial says, any of them alike: the same as a coin for each row, without n coins a step.
        rows[step, places] = random.choice(n, count, replace=False, shuffle=False)
        mask[step, places] = 1
    return Epoch(rows, mask)


def secret_seed() -> int:
    """A seed that nobody knows, from the system's own source of randomness; of several workers, the chief's."""
    drawn = from_chief(secrets.token_bytes(8))
    assert drawn is not None  # noqa: S101  for type checkers: the chief always has one
    return int.from_bytes(drawn, "big") >> 1


class Private:
    """Minimise `loss(y, core(x))` so that no row adds more than `clip` to a step's sum of gradients, and add noise.

    The update is by (sum of clipped gradients + N(0, (noise_multiplier * clip)^2)) / recipe.batch_size: the size that
    is expected, since the actual one would tell how many rows were sampled. The noise is a function of (seed, number
    of the step), drawn once for the global batch, the same on every replica, and the same in a resumed run.

    A row's weight multiplies its loss before clipping, so the bound holds for any weight that depends on the row alone;
    class weights count other rows, and are refused by the recipe. A row of weight 0 adds nothing, and neither does one
    whose gradient is not finite. Penalties on weights look at no row and are added after the noise; a layer's own
    losses (activity regularisation) belong to the row. Clipping, averages and the optimiser come after the noise,
    where nothing more is spent.

    Of what it returns, `gradient_norm` is of the noisy gradient and covered; `loss` is the training loss as it is,
    NOT covered by the guarantee, and needed to see that training fails.

    Gradients of single rows come from a vectorised backward pass (Subramani, Vadivelu and Kamath 2021, arXiv
    2010.09063), a few rows at a time, which bounds memory and skips places that no row fills.

    Args:
        core: Keras model, built.
        loss: (y, outputs) -> (batch,) per-example loss.
        clip: largest L2 norm of a row's gradient, over all variables together.
        noise_multiplier: deviation of the noise over `clip`.
        seed: secret, of one training; below 2^63.

    Raises:
        BadInput: a layer mixes rows or keeps statistics of them, or computes in float16.
    """

    def __init__(
        self,
        core: Any,
        loss: Callable[[Any, Any], Any],
        recipe: Recipe,
        *,
        clip: float,
        noise_multiplier: float,
        seed: int,
    ) -> None:
        import keras
        import tensorflow as tf

        require_independent_rows(core)
        if needs_loss_scale(core):
            raise BadInput("recipe.precision=float16 cannot hold single rows' gradients; set float32 or bfloat16")
        if not clip > 0:
            raise BadInput(f"recipe.dp_clip must be positive; received {clip:g}")
        self.core, self.loss, self.recipe, self.clip = core, loss, recipe, clip
        self.optimiser = make_optimiser(recipe, core.trainable_variables)
        self.average = Average(core, recipe.average) if recipe.average else None
        self.noise_multiplier = tf.Variable(0.0, trainable=False, name="noise_multiplier")
        self.seed = tf.Variable(0, dtype=tf.int64, trainable=False, name="noise_seed")
        self.begin(noise_multiplier, seed)
        weights = {id(variable) for variable in core.weights}
        self._generators = [each for each in core.variables if id(each) not in weights]
        # A vectorised backward pass through a loop over time does not exist in TensorFlow; the forward pass does.
        self._copies_weights = any(isinstance(layer, keras.layers.RNN) for layer in core._flatten_layers())
        numbers = sum(int(np.prod(variable.shape)) for variable in core.trainable_variables)
        self._at_once = max(1, min(ROWS_AT_ONCE, GRADIENTS_AT_ONCE // max(1, numbers)))

    def begin(self, noise_multiplier: float, seed: int) -> None:
        """Another training with the same trace: its noise, and its own secret seed."""
        self.noise_multiplier.assign(noise_multiplier)
        self.seed.assign(seed)

    def renew(self) -> None:
        """Another secret seed, for steps that are made once more after a roll-back: the same noise would cancel out."""
        self.seed.assign(secret_seed())

    def sampled(self, n: int, epoch: int, steps: int) -> Epoch:
        """The rows of an epoch's batches, by the seed that is secret now."""
        return poisson(n, self.recipe.batch_size, int(np.asarray(self.seed)), epoch, steps)

    @property
    def state(self) -> list[Any]:
        average = self.average.state if self.average else []
        return [*self.core.variables, *self.optimiser.variables, *average, self.noise_multiplier, self.seed]

    @property
    def sums(self) -> Mapping[str, tuple[int, ...]]:
        return {"loss": (), "gradient_norm": ()}

    def averaged(self) -> list[Any] | None:
        """The variables to validate and to keep, one for each of `core.variables`; None for those themselves."""
        return self.average.variables if self.average else None

    def __call__(self, batch: Batch, clock: Clock) -> dict[str, Any]:
        import tensorflow as tf

        loss, sums = self.clipped_sums(batch)
        loss, *sums = sum_over_replicas([loss, *sums])
        noise = self._noise(clock.step)
        gradients = [
            (total + drawn) / self.recipe.batch_size + slope
            for total, drawn, slope in zip(sums, noise, self._penalty_slopes(), strict=True)
        ]
        norm = tf.linalg.global_norm(gradients)
        self.optimiser.learning_rate.assign(clock.rate)
        variables = self.core.trainable_variables
        self.optimiser.apply(clipped(gradients, variables, self.recipe), variables)
        if self.average:
            self.average.update(clock.step)
        return {"loss": loss, "gradient_norm": norm * self.recipe.batch_size}

    def clipped_sums(self, batch: Batch) -> tuple[Any, list[Any]]:
        """(sum of weighted losses, for each trainable variable the sum of the rows' clipped gradients), no noise."""
        import tensorflow as tf

        size = batch.weight.shape[0] if batch.weight.shape[0] is not None else tf.shape(batch.weight)[0]
        at_once = min(self._at_once, -(-self.recipe.batch_size // self.recipe.accumulate))
        used = tf.cast(batch.weight > 0, tf.int32)
        packed, count = tf.argsort(used, direction="DESCENDING", stable=True), tf.reduce_sum(used)

        def add(start: Any, loss: Any, sums: list[Any]) -> tuple[Any, Any, list[Any]]:
            places = start + tf.range(at_once)
            rows = tf.gather(packed, tf.minimum(places, size - 1))
            x, y = tf.nest.map_structure(lambda values: tf.gather(values, rows), (batch.x, batch.y))
            weight = tf.where(places < size, tf.gather(batch.weight, rows), 0.0)
            losses, gradients = self._of_rows(x, y, weight, rows)
            parts = self._summed([tf.reshape(each, [at_once, -1]) for each in gradients])
            loss += tf.reduce_sum(tf.where(weight > 0, losses, 0.0))
            return start + at_once, loss, [one + other for one, other in zip(sums, parts, strict=True)]

        zeros = [tf.zeros(variable.shape) for variable in self.core.trainable_variables]
        _, loss, sums = tf.while_loop(
            lambda start, *_: start < count, add, (0, tf.constant(0.0), zeros), parallel_iterations=1
        )
        self._advance()
        return loss, sums

    def _summed(self, gradients: list[Any]) -> list[Any]:
        """For each variable the sum of its (rows, numbers) gradients, clipped; 0 for a row that is not finite."""
        import tensorflow as tf

        norm = tf.sqrt(tf.add_n([tf.reduce_sum(tf.square(each), axis=1) for each in gradients]))
        finite = tf.math.is_finite(norm)
        share = tf.where(finite, self.clip / tf.maximum(norm, self.clip), 0.0)
        gradients = tf.cond(
            tf.reduce_all(finite),
            lambda: gradients,
            lambda: [tf.where(finite[:, tf.newaxis], each, 0.0) for each in gradients],
        )
        sums = [tf.tensordot(share, each, 1) for each in gradients]  # a product of matrices, four times as quick
        variables = self.core.trainable_variables
        return [tf.reshape(total, variable.shape) for total, variable in zip(sums, variables, strict=True)]

    def _of_rows(self, x: Any, y: Any, weight: Any, rows: Any) -> tuple[Any, list[Any]]:
        """(rows,) weighted losses and (rows, ...) gradients of some rows, each as if it were alone."""
        import tensorflow as tf

        variables = self.core.trainable_variables
        if self._copies_weights:
            copies = [tf.repeat(tf.convert_to_tensor(each)[tf.newaxis], weight.shape[0], axis=0) for each in variables]
            with tf.GradientTape() as tape:
                tape.watch(copies)
                losses = tf.vectorized_map(
                    lambda row: self._loss_of(row[0], zip(variables, row[1], strict=True)),
                    ((x, y, weight, rows), copies),
                    warn=False,
                )
                total = tf.reduce_sum(losses)
            return losses, _dense(tape.gradient(total, copies), copies)

        def of(row: Any) -> tuple[Any, list[Any]]:
            with tf.GradientTape() as tape:
                value = self._loss_of(row, ())
            return value, _dense(tape.gradient(value, variables), variables)

        # What cannot be vectorised is taken row by row, which is no reason for a warning.
        losses, gradients = tf.vectorized_map(of, (x, y, weight, rows), warn=False)
        return losses, gradients

    def _loss_of(self, row: Any, weights: Any) -> Any:
        """Weighted loss of one row, with other tensors for some variables, and dropout of its own."""
        import keras
        import tensorflow as tf

        x, y, weight, place = row
        shift = tf.stack([place, 0])
        seeds = [(each, tf.convert_to_tensor(each) + tf.cast(shift, each.dtype)) for each in self._generators]
        one = tf.nest.map_structure(lambda values: values[tf.newaxis], (x, y))
        with keras.StatelessScope(state_mapping=[*seeds, *weights], collect_losses=True) as scope:
            outputs = self.core(one[0], training=True)
        value = self.loss(one[1], outputs)[0] + sum(scope.losses)
        return tf.cast(value, tf.float32) * weight

    def _advance(self) -> None:
        """Other dropout in the next step; rows of this one differ in the first number of a generator's state."""
        for generator in self._generators:
            generator.assign(generator + np.array([0, DRAWS], generator.dtype))

    def _noise(self, step: Any) -> list[Any]:
        """One tensor for each trainable variable, from (seed, step)."""
        import tensorflow as tf

        shapes = [variable.shape for variable in self.core.trainable_variables]
        sizes = [int(np.prod(shape)) for shape in shapes]
        key = tf.stack([tf.convert_to_tensor(self.seed), tf.cast(step, tf.int64)])
        drawn = tf.random.stateless_normal([sum(sizes)], key, alg="philox") * (self.noise_multiplier * self.clip)
        return [tf.reshape(part, shape) for part, shape in zip(tf.split(drawn, sizes), shapes, strict=True)]

    def _penalty_slopes(self) -> list[Any]:
        """Gradient of the penalties on weights, which no row enters."""
        import keras
        import tensorflow as tf

        variables = self.core.trainable_variables
        with tf.GradientTape() as tape:
            values = [(variable, tf.convert_to_tensor(variable)) for variable in variables]
            # Within the scope a core's losses are those of its weights alone.
            with keras.StatelessScope(state_mapping=values):
                value = penalty(self.core, self.recipe)
        return _dense(tape.gradient(value, variables), variables)


def _dense(gradients: list[Any], variables: list[Any]) -> list[Any]:
    """Gradients as dense tensors, 0 for a variable that took no part.

    The norm of an embedding's slices would count a repeated word for each time it occurs.
    """
    import tensorflow as tf

    pairs = zip(gradients, variables, strict=True)
    return [tf.zeros(tf.shape(variable)) if each is None else tf.convert_to_tensor(each) for each, variable in pairs]
