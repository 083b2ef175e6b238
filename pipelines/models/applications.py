"""Large networks of Keras for pictures: DenseNet, EfficientNet, ConvNeXt; from scratch, or from weights in a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.data.examples import Examples
from pipelines.errors import BadInput
from pipelines.models.vision import began
from pipelines.objectives.objective import Objective
from pipelines.task import Architecture, Recipe

SMALLEST = 32
"""Pixels a side below which these networks have nothing left to halve; smaller pictures are doubled."""

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and standard deviation of red, green and blue in [0, 1]."""


@dataclass(frozen=True)
class Application:
    """One of `keras.applications`.

    Args:
        function: its name there.
        scale, offset: of each colour, from [-1, 1] to what it was made for.

    References: Huang et al. (2017), arXiv 1608.06993; Tan and Le (2019), arXiv 1905.11946; Liu et al. (2022), "A ConvNet
    for the 2020s", arXiv 2201.03545.
    """

    function: str
    scale: tuple[float, ...] = (127.5, 127.5, 127.5)
    offset: tuple[float, ...] = (127.5, 127.5, 127.5)


APPLICATIONS: Mapping[str, Application] = {
    "densenet-121": Application(
        "DenseNet121",
        tuple(0.5 / each for each in IMAGENET[1]),
        tuple((0.5 - mean) / spread for mean, spread in zip(*IMAGENET, strict=True)),
    ),
    "efficientnet-b0": Application("EfficientNetB0"),
    "convnext-tiny": Application("ConvNeXtTiny"),
}


def application(name: str, changes: Any = None) -> Callable[[Examples, Objective, Recipe], Architecture]:
    """A large network for pictures (h, w, 1 or 3), all of whose weights are trained.

    `recipe.weights` names a file of weights to start from, as Keras saves them without the top
    (`.weights.h5`, or the `_notop.h5` that `keras.applications` downloads); without it training starts from chance.

    Args:
        name: one of `APPLICATIONS`.
        changes: as of `vision.residual`.
    """

    def build(train: Examples, objective: Objective, recipe: Recipe) -> Architecture:
        import keras
        from keras import layers

        known = APPLICATIONS[name]
        encode, inputs, hidden = began(train, recipe, changes)
        if len(inputs.shape) != 4:
            raise BadInput(f"protocol.networks={name} takes pictures, not volumes")
        if min(inputs.shape[1:3]) < SMALLEST:
            hidden = layers.UpSampling2D(-(-SMALLEST // min(inputs.shape[1:3])), interpolation="bilinear")(hidden)
        if hidden.shape[-1] == 1:
            hidden = layers.Concatenate()([hidden] * 3)
        hidden = layers.Rescaling(list(known.scale), list(known.offset))(hidden)
        base = getattr(keras.applications, known.function)(
            include_top=False, weights=None, input_shape=hidden.shape[1:], pooling="avg"
        )
        if recipe.weights:
            _load(base, name, Path(recipe.weights))
        hidden = layers.Dropout(recipe.dropout)(base(hidden))
        return Architecture(encode, keras.Model(inputs, layers.Dense(objective.outputs)(hidden)), xla=False)

    return build


def _load(base: Any, name: str, path: Path) -> None:
    """Weights from a file, which holds numbers and no code.

    Raises:
        BadInput: there is none, or it is of another network.
    """
    if path.suffix != ".h5":
        raise BadInput(f"recipe.weights={path}: expected a file of weights as Keras writes it, `NAME.weights.h5`")
    try:
        base.load_weights(path)
    except OSError as error:
        raise BadInput(f"recipe.weights={path} cannot be read; is it a file of weights of {name}?") from error
    except Exception as error:  # what does not fit shows as one of many types
        raise BadInput(f"recipe.weights={path} holds the weights of another network than {name}") from error
