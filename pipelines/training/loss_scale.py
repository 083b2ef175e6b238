"""Dynamic loss scaling: the loss is multiplied so that small gradients survive in float16, and divided out again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelines.training.strategy import replicas


class LossScale:
    """The factor of the loss. It doubles after `patience` finite updates, and halves when a gradient overflows.

    Args:
        initial: a power of two, so that multiplying and dividing lose no digit.

    Reference: Micikevicius et al. (2018), arXiv 1710.03740, section 3.2; constants as in Keras and PyTorch.
    """

    def __init__(self, initial: float = 2.0**15, patience: int = 2000) -> None:
        import keras

        self.patience = patience
        # Gradients are summed over replicas before they are judged, so each replica keeps the same numbers by itself.
        alone = {"trainable": False, "synchronization": "on_read", "aggregation": "only_first_replica"}
        self.scale = keras.Variable(initial, dtype="float32", name="loss_scale", **alone)
        self.finite = keras.Variable(0.0, dtype="float32", name="finite_updates", **alone)

    @property
    def state(self) -> list[Any]:
        """The factor, and the number of finite updates since it last changed."""
        return [self.scale, self.finite]

    def multiply(self, loss: Any) -> Any:
        """What the gradient is taken of."""
        import tensorflow as tf

        return loss * tf.convert_to_tensor(self.scale)

    def divide(self, gradients: list[Any]) -> list[Any]:
        """The gradients of the loss itself."""
        import tensorflow as tf

        scale = tf.convert_to_tensor(self.scale)
        return [each / scale for each in gradients]

    def saw(self, finite: Any) -> None:
        """Adapt to one more update, whose gradients were finite or not (scalar bool)."""
        import tensorflow as tf

        scale = tf.convert_to_tensor(self.scale)
        count = tf.where(finite, tf.convert_to_tensor(self.finite) + 1.0, 0.0)
        grown = count >= self.patience
        self.scale.assign(tf.where(finite, tf.where(grown, scale * 2.0, scale), tf.maximum(scale / 2.0, 1.0)))
        self.finite.assign(tf.where(grown, 0.0, count))


def only_if(decision: Any, update: Callable[[list[Any]], None], gradients: list[Any]) -> None:
    """Run `update(gradients)` where the scalar bool `decision`, the same on every replica, is True.

    An optimiser meets the other replicas (`merge_call`), which TensorFlow allows under no condition of one replica:
    with several of them all meet first, decide together, and part again.
    """
    import tensorflow as tf

    def either(chosen: Any, act: Callable[[], Any]) -> None:
        def acted() -> Any:
            act()
            return tf.constant(0)

        tf.cond(chosen, acted, lambda: tf.constant(0))

    def together(strategy: Any, chosen: Any, given: list[Any]) -> None:
        first = strategy.experimental_local_results(chosen)[0]
        either(first, lambda: strategy.extended.call_for_each_replica(update, args=(given,)))

    if replicas() == 1 or tf.__internal__.distribute.strategy_supports_no_merge_call():
        either(decision, lambda: update(gradients))
    else:
        tf.distribute.get_replica_context().merge_call(together, args=(decision, gradients))
