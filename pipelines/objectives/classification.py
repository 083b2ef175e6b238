"""Classification: which of two or more classes a row belongs to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import BadInput
from pipelines.evaluation import scores
from pipelines.objectives.objective import Predictions

MOST_CLASSES = 100
"""More distinct labels than this are taken for numbers or identifiers, not classes."""

POSITIVE_WORDS = ("true", "yes", "y", "positive", "bad", "default", "fraud", "malignant", "pneumonia")

SURE = 1e-7
"""What the true class lacks in probability at least, where a loss is focused."""


@dataclass(frozen=True)
class Classification:
    """Learn class probabilities by cross-entropy: one logit for two classes, one each for more.

    Args:
        positive: the label that counts as positive when there are two; None finds one in `POSITIVE_WORDS` or else
            takes the rarer.
        classes: the labels in the order of the outputs, the positive one last of two; found by `resolve`.
        decide_by: how the decision threshold is chosen on validation rows; `evaluation.thresholds.RULES` has the ways.
        label_smoothing: share of each label spread evenly over all classes (Szegedy et al. 2016).
        focal: power by which rows that are decided well already count less (Lin et al. 2017, arXiv 1708.02002).
        primary_of_two: which score decides who wins, where there are two classes. The average precision looks at the
            rows ranked first alone, which counts where positives are rare.
    """

    positive: str | None = None
    classes: tuple[str, ...] = ()
    decide_by: str = "balanced_accuracy"
    label_smoothing: float = 0.0
    focal: float = 0.0
    primary_of_two: Literal["auroc", "average_precision"] = "auroc"
    kind: str = "classification"

    @property
    def binary(self) -> bool:
        """Whether there are two classes, so that there is a positive one, a threshold and a ROC curve."""
        return len(self.classes) == 2

    @property
    def ordered(self) -> bool:
        """Whether classes are grades, so that some errors are larger than others (`ordinal`)."""
        return False

    @property
    def primary(self) -> str:
        return self.primary_of_two if self.binary else "accuracy"

    @property
    def outputs(self) -> int:
        return 1 if self.binary else len(self.classes)

    def resolve(self, target: NDArray[Any], positive: str | None = None) -> Self:
        positive = positive or self.positive
        labels, counts = np.unique(labels_of(target), return_counts=True)
        names = [str(label) for label in labels]
        if len(names) < 2:
            raise BadInput(f"the target has one class only ({names[0] if names else 'no row'}); two or more are needed")
        if len(names) > min(MOST_CLASSES, max(2, len(target) // 2)):
            raise BadInput(
                f"the target has {len(names)} distinct values in {len(target)} rows, which is a number or an "
                f"identifier, not a class; this task classifies, so name a column of labels with --target"
            )
        if len(names) == 2:
            names = _positive_last(names, counts, positive)
        elif positive is not None:
            raise BadInput(f"a positive class ({positive!r}) needs two classes, but the target has {len(names)}")
        return replace(self, classes=tuple(names))

    def fitted(self, target: NDArray[Any]) -> Self:
        return self

    def encode(self, target: NDArray[Any]) -> NDArray[np.int64]:
        """(n,) raw labels -> (n,) class index; in two classes 1 is the positive one."""
        index = {name: position for position, name in enumerate(self.classes)}
        labels = labels_of(target)
        distinct, inverse = np.unique(labels, return_inverse=True)
        if strange := [str(label) for label in distinct if label not in index]:
            raise BadInput(f"the label {strange[0]!r} was not seen before; the classes are {', '.join(self.classes)}")
        codes = np.array([index[str(label)] for label in distinct], dtype=np.int64)
        return codes[inverse] if len(distinct) else np.zeros(0, np.int64)

    def learnable(self, encoded: NDArray[Any]) -> NDArray[np.int32]:
        return encoded.astype(np.int32)

    def loss(self, target: Any, outputs: Any) -> Any:
        """(batch,) cross-entropy in nats of (batch, outputs) logits."""
        import tensorflow as tf

        smooth = self.label_smoothing
        if self.binary:
            truth = tf.cast(target, outputs.dtype)[:, tf.newaxis]
            truth = truth * (1 - smooth) + smooth / 2
            return self._focused(tf.nn.sigmoid_cross_entropy_with_logits(truth, outputs)[:, 0])
        truth = tf.one_hot(target, len(self.classes), dtype=outputs.dtype)
        truth = truth * (1 - smooth) + smooth / len(self.classes)
        return self._focused(tf.nn.softmax_cross_entropy_with_logits(truth, outputs))

    def _focused(self, loss: Any) -> Any:
        """(batch,) cross-entropies, each times what its true class lacks in probability, to the power `focal`."""
        import tensorflow as tf

        # Not quite down to 0, where a root has no slope.
        return loss * tf.maximum(1 - tf.exp(-loss), SURE) ** self.focal if self.focal else loss

    def activate(self, outputs: Any) -> Any:
        import keras

        return keras.layers.Activation("sigmoid" if self.binary else "softmax", name="probability", dtype="float32")(
            outputs
        )

    def predict(self, values: NDArray[Any]) -> Predictions:
        """(n, outputs) activated outputs, or (n, classes) probabilities of a classical model -> Predictions."""
        values = np.asarray(values, dtype=np.float64)
        if values.shape[1] == 1:
            values = np.hstack([1 - values, values])
        return Predictions(values)

    def scores(
        self, target: NDArray[Any], predictions: Predictions, weight: NDArray[Any] | None = None
    ) -> dict[str, float]:
        labels = predictions.labels()
        if self.binary:
            return scores.binary_scores(target, predictions.values[:, 1], labels, weight)
        return scores.multiclass_scores(target, predictions.values, labels, weight)

    def greater_is_better(self, score: str) -> bool:
        return scores.GREATER_IS_BETTER[score]


def labels_of(target: NDArray[Any]) -> NDArray[np.str_]:
    """Labels as text; whole numbers without a decimal point, so that 1, 1.0 and "1" are one class."""
    if target.dtype.kind == "f":
        if not np.isfinite(target).all():
            raise BadInput("the target has missing values; every row needs a label")
        if (target == np.floor(target)).all():
            return target.astype(np.int64).astype(np.str_)
    elif target.dtype == object and any(label is None or label != label for label in target):
        raise BadInput("the target has missing values; every row needs a label")
    return target.astype(np.str_)


def _positive_last(names: list[str], counts: NDArray[np.int64], positive: str | None) -> list[str]:
    if positive is not None and positive not in names:
        raise BadInput(f"the positive class {positive!r} is not in the target; its classes are {', '.join(names)}")
    if positive is None:
        known = [name for name in names if name.lower() in POSITIVE_WORDS]
        if set(names) in ({"0", "1"}, {"-1", "1"}):  # 1 against 2 says nothing: either may be the good one
            known = ["1"]
        positive = known[0] if len(known) == 1 else names[int(np.argmin(counts))]
    return [name for name in names if name != positive] + [positive]
