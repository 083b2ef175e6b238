"""Large networks of Keras for pictures: DenseNet, EfficientNet, ConvNeXt; from scratch, or from weights in a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.data.examples import Examples
from pipelines.errors import BadInput
from pipelines.models.changes import Changes
from pipelines.models.vision import Build, began
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

    References: Huang et al. (2017), arXiv 1608.06993; Tan and Le (2019), arXiv 1905.11946; Liu et al. (2022), arXiv
    2201.03545.
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


def application(name: str, changes: Changes | None = None) -> Build:
    """A large network for pictures (h, w, 1 or 3), all of whose weights are trained.

    `recipe.weights` names a file of weights to start from, as Keras saves them without the top
    (`.weights.h5`, or the `_notop.h5` that `keras.applications` downloads); without it training starts from chance.

    Args:
        name: one of `APPLICATIONS`.
        changes: as of `vision.began`.
    """

    def build(train: Examples, objective: Objective, recipe: Recipe) -> Architecture:
        known, begun = APPLICATIONS[name], began(train, recipe, changes)
        pictures = _as_known(begun.hidden, known, name)
        core = _without_top(known, input_tensor=pictures)
        if recipe.weights:
            loaded = _without_top(known, input_shape=pictures.shape[1:])
            _load(loaded, name, Path(recipe.weights))
            core.set_weights([*_before(core, loaded), *loaded.get_weights()])
        return begun.ended(core.output, objective, recipe)

    return build


def _as_known(pictures: Any, known: Application, name: str) -> Any:
    """Pictures in [-1, 1] as the network was made for: large enough, in colour, in its range."""
    from keras import layers

    if len(pictures.shape) != 4:
        raise BadInput(f"protocol.networks={name} takes pictures, not volumes")
    if pictures.shape[-1] not in (1, 3):
        raise BadInput(
            f"protocol.networks={name} takes grey or coloured pictures; these have {pictures.shape[-1]} channels"
        )
    if (side := min(pictures.shape[1:3])) < SMALLEST:
        pictures = layers.UpSampling2D(-(-SMALLEST // side), interpolation="bilinear")(pictures)
    if pictures.shape[-1] == 1:
        pictures = layers.Concatenate()([pictures] * 3)
    return layers.Rescaling(list(known.scale), list(known.offset))(pictures)


def _without_top(known: Application, **inputs: Any) -> Any:
    """The network up to its features. Its layers stay layers of whatever they are put upon, where explanation and
    diagnosis find them."""
    import keras

    return getattr(keras.applications, known.function)(include_top=False, weights=None, pooling="avg", **inputs)


def _before(core: Any, loaded: Any) -> list[Any]:
    """What generators of layers before the network hold."""
    weights: list[Any] = core.get_weights()
    return weights[: len(weights) - len(loaded.get_weights())]


def _load(base: Any, name: str, path: Path) -> None:
    """Weights from a file, which holds numbers and no code.

    Raises:
        BadInput: there is none, or it is of another network.
    """
    if path.suffix != ".h5":
        raise BadInput(f"recipe.weights={path}: expected a file of weights as Keras writes it, `NAME.weights.h5`")
    if not path.is_file():
        raise BadInput(f"recipe.weights: there is no file {path}")
    try:
        base.load_weights(path)
    except OSError as error:
        raise BadInput(f"recipe.weights={path} cannot be read; is it a file of weights of {name}?") from error
    except Exception as error:  # what does not fit shows as one of many types
        raise BadInput(f"recipe.weights={path} holds the weights of another network than {name}") from error
