"""Ordinal classification: which of several grades, from the lowest to the highest, a row belongs to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import BadInput
from pipelines.evaluation import grades
from pipelines.objectives.classification import Classification, labels_of
from pipelines.objectives.members import Members
from pipelines.objectives.objective import Predictions

MOST_MISSING = 20
"""Whole numbers are grades, and those between them that no row has are grades too, where there are no more than so
many in all."""


@dataclass(frozen=True)
class Ordinal(Classification):
    """Learn probabilities of grades, k of them, by k - 1 questions: is it above the first, the second, ...?

    The chances of being above rise or fall together: logits a_1 >= a_2 >= ... , the first of them the network's own,
    each other one less than the one before by a softplus, so that no order of the answers can contradict itself. The
    loss is the sum of the k - 1 binary cross-entropies, so a row that is decided two grades away costs about twice as
    much as one that is one grade away. Where there are two grades it is the cross-entropy of two classes, and so is
    all else.

    What is decided is the mean of the grades by their probabilities, cut into grades: half way between them, or where
    validation rows have the largest quadratic kappa.

    Args:
        orders: label by label from the lowest to the highest, ways to write the grades; upper and lower case are the
            same. Other labels are grades where they are numbers, unless one of these ways is in numbers.
        refer_from: number of the grade, from 0, from which on somebody is referred; scores tell these from the others.
        learn_by: `cross_entropy` learns as if grades had no order.
        cuts: at which the mean grade is cut; found on validation rows; none cuts half way.

    References: McCullagh (1980), "Regression models for ordinal data", JRSS B 42(2), for cumulative logits; Cao,
    Mirjalili and Raschka (2020), "Rank consistent ordinal regression for neural networks", Pattern Recognition Letters
    140, arXiv 1901.07884 (CORAL), for the loss. There the distance of the logits is the same for all rows; here each
    row has its own, for a network ends with a dense layer whatever it learns.
    """

    orders: tuple[tuple[str, ...], ...] = ()
    refer_from: int = 1
    learn_by: Literal["cumulative", "cross_entropy"] = "cumulative"
    cuts: tuple[float, ...] = ()

    @property
    def ordered(self) -> bool:
        """Whether there are three grades or more."""
        return len(self.classes) > 2

    @property
    def primary(self) -> str:
        return "quadratic_kappa" if self.ordered else super().primary

    @property
    def outputs(self) -> int:
        return len(self.classes) - 1 if self._cumulative else super().outputs

    @property
    def _cumulative(self) -> bool:
        return self.ordered and self.learn_by == "cumulative"

    def resolve(self, target: NDArray[Any], positive: str | None = None) -> Self:
        names = [str(label) for label in np.unique(labels_of(target))]
        self._require_known(names)
        order = self._order(names)
        if len(names) == 2:
            return super().resolve(target, positive or self.positive or (order[-1] if order else None))
        found = super().resolve(target, positive)  # refuses what are no classes
        if order is None:
            ways = ["numbers, such as 0, 1, 2", *(" < ".join(each) for each in self.orders)]
            some = ", ".join([*names[:6], *(["..."] if len(names) > 6 else [])])
            raise BadInput(
                f"the target's labels ({some}) have no order that is known here; write grades as "
                f"{'; or as '.join(ways)}"
            )
        return replace(found, classes=order, refer_from=min(self.refer_from, len(order) - 1))

    def _require_known(self, names: list[str]) -> None:
        """Refuse numbers that are none of the grades: shifted ones would refer others, and -1 often is no grade.

        Raises:
            BadInput: with the numbers.
        """
        numbered = next((each for each in self.orders if all(grade.isdecimal() for grade in each)), ())
        known, found = {float(grade) for grade in numbered}, [_number(name) for name in names]
        strange = [name for name, number in zip(names, found, strict=True) if number not in known]
        if numbered and strange and None not in found:
            raise BadInput(
                f"the target's label {strange[0]} is not one of the grades {', '.join(numbered)}; recode labels that "
                "begin elsewhere, and leave out rows that could not be graded"
            )

    def _order(self, names: list[str]) -> tuple[str, ...] | None:
        """The grades from the lowest to the highest, those that no row has among them; None where nobody can tell."""
        written = {name.casefold(): name for name in names}
        for order in self.orders:
            if len(written) == len(names) and set(written) <= {each.casefold() for each in order}:
                least = order if len(names) > 2 else [each for each in order if each.casefold() in written]
                return tuple(written.get(each.casefold(), each) for each in least)
        try:
            numbers = [float(name) for name in names]
        except ValueError:
            return None
        low, high = min(numbers), max(numbers)
        whole = all(name == str(int(number)) for name, number in zip(names, numbers, strict=True) if number == number)
        if len(names) > 2 and whole and high - low < MOST_MISSING:
            return tuple(str(grade) for grade in range(int(low), int(high) + 1))
        return tuple(names[place] for place in np.argsort(numbers, kind="stable"))

    def loss(self, target: Any, outputs: Any) -> Any:
        """(batch,) sum of the k - 1 cross-entropies in nats of (batch, k - 1) outputs."""
        if not self._cumulative:
            return super().loss(target, outputs)
        import tensorflow as tf

        grade = tf.cast(target, tf.int32)[:, tf.newaxis]
        classes, borders = len(self.classes), tf.range(len(self.classes) - 1)
        truth = tf.cast(grade > borders, outputs.dtype)
        if self.label_smoothing:
            evenly = tf.cast(classes - 1 - borders, outputs.dtype) / classes
            truth = truth * (1 - self.label_smoothing) + self.label_smoothing * evenly
        losses = tf.nn.sigmoid_cross_entropy_with_logits(truth, _cumulated(outputs))
        return tf.reduce_sum(self._focused(losses), axis=1)

    def activate(self, outputs: Any) -> Any:
        """(batch, k - 1) chances of being above each grade but the highest; in float64, where small ones are left."""
        if not self._cumulative:
            return super().activate(outputs)
        import keras

        as_float = keras.layers.Activation("linear", name="logits", dtype="float32")(outputs)
        return keras.layers.Activation("sigmoid", name="above", dtype="float64")(_cumulated(as_float))

    def predict(self, values: NDArray[Any]) -> Predictions:
        """(n, k - 1) chances of being above each grade, or (n, k) probabilities -> Predictions with their decisions."""
        values = np.asarray(values, np.float64)
        if not self.ordered:
            return super().predict(values)
        if values.shape[1] == len(self.classes) - 1:
            edge = np.ones((len(values), 1))
            values = np.maximum(-np.diff(np.hstack([edge, values, 0 * edge]), axis=1), 0.0)
        return Predictions(values, grades.cut(grades.expected_grade(values), self.cuts or self._half_way))

    def expected(self, outputs: Any) -> Any:
        """(..., outputs) of a network -> (...) mean grade, as tensors."""
        import tensorflow as tf

        if self._cumulative:
            return tf.reduce_sum(tf.sigmoid(_cumulated(outputs)), axis=-1)
        steps = tf.range(len(self.classes), dtype=outputs.dtype)
        return tf.reduce_sum(tf.nn.softmax(outputs) * steps, axis=-1)

    def scores(
        self, target: NDArray[Any], predictions: Predictions, weight: NDArray[Any] | None = None
    ) -> dict[str, float]:
        if not self.ordered:
            return super().scores(target, predictions, weight)
        labels = self.decided(predictions).labels()
        return grades.ordinal_scores(target, predictions.values, labels, weight, self.refer_from)

    def decided(self, predictions: Predictions) -> Predictions:
        """The predictions with decisions: their own, else by the cuts."""
        return predictions if predictions.decisions is not None else self.predict(predictions.values)

    @property
    def _half_way(self) -> tuple[float, ...]:
        return grades.half_way(len(self.classes))


def cut_by(objective: Any, truth: NDArray[Any], probabilities: NDArray[Any], weight: NDArray[Any] | None) -> Any:
    """The objective with the cuts that suit validation rows best; any other than of grades as it is."""
    if not getattr(objective, "ordered", False):
        return objective
    expected = grades.expected_grade(probabilities)
    return replace(objective, cuts=grades.choose_cuts(truth, expected, len(objective.classes), weight))


def with_cuts_of(objective: Any, cut: Any) -> Any:
    """The objective of a fitted contender, perhaps of several members, with the cuts of another."""
    if isinstance(objective, Members):
        return replace(objective, each=with_cuts_of(objective.each, cut))
    return replace(objective, cuts=cut.cuts)


def _cumulated(outputs: Any) -> Any:
    """(..., k - 1) outputs -> logits that fall along the last axis."""
    import keras

    steps = keras.ops.softplus(outputs[..., 1:])
    return keras.ops.cumsum(keras.ops.concatenate([outputs[..., :1], -steps], axis=-1), axis=-1)


def _number(name: str) -> float | None:
    try:
        return float(name)
    except ValueError:
        return None
