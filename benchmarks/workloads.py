"""Five trainings of real shape on simulated data. Only time and memory are looked at, never what is learned.

A workload says how many rows, in batches of how many, and which network: the project's own Keras network (its
trainable core, so nobody's time holds any encoding of raw rows) and, by the same name in `torch_networks`, the same
layers in PyTorch. Every entrant trains with Adam at 1e-3 on the same float32 rows in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import Examples
from pipelines.objectives.classification import Classification
from pipelines.task import Recipe

WORDS = 8000
"""Size of the simulated vocabulary."""

TOKENS = {"lstm": 60, "transformer": 128}
WIDTH, HEADS, FEED_FORWARD, BLOCKS, DROPOUT = 64, 4, 128, 2, 0.1
"""The transformer: of a size that is trained from nothing on a CPU."""

LEARNING_RATE = 1e-3


@dataclass(frozen=True)
class Workload:
    """One training.

    Args:
        name: how it is called on the command line and in `torch_networks`.
        title: how tables and figures call it.
        rows, batch: rows of the training set and of one update; the last batch of an epoch is ragged.
        shape: of one row.
        classes: two give one logit.
        network: () -> the Keras network, untrained, on the current strategy.
        vocabulary: rows are token numbers below this; 0 for float32 rows.
        worth_compiling: what the network's architecture says of itself (`Architecture.xla`); None where nothing is
            known, as of any network that a user brings.
        heavy: whether an update takes a second or so, too much for a smoke run.
    """

    name: str
    title: str
    rows: int
    batch: int
    shape: tuple[int, ...]
    classes: int
    network: Callable[[], Any]
    vocabulary: int = 0
    worth_compiling: bool | None = True
    heavy: bool = False

    @property
    def steps(self) -> int:
        """Updates per epoch."""
        return -(-self.rows // self.batch)

    @property
    def objective(self) -> Classification:
        return Classification(classes=tuple(str(label) for label in range(self.classes)))

    def data(self) -> tuple[NDArray[Any], NDArray[np.int32]]:
        """Simulated: (rows, *shape) standard normal float32 or uniform int32 tokens, and (rows,) random classes."""
        rng = np.random.default_rng(0)
        shape = (self.rows, *self.shape)
        y = rng.integers(self.classes, size=self.rows, dtype=np.int32)
        if self.vocabulary:
            return rng.integers(self.vocabulary, size=shape, dtype=np.int32), y
        return rng.standard_normal(shape, dtype=np.float32), y


def mlp() -> Any:
    """`models.tabular.mlp` on 30 plain numbers: what is compared is training, so nothing widens them."""
    from pipelines.models import tabular

    columns = {f"x{number}": np.linspace(0, 1, 50) for number in range(2)}
    return _like(tabular.mlp(Examples(columns, np.zeros(50)), Classification(classes=("0", "1")), Recipe()), (30,))


def resnet() -> Any:
    """`models.vision.small_resnet` on 28x28 grey pictures."""
    from pipelines.models.vision import small_resnet

    return _of_pictures(small_resnet, Recipe())


def resnet18() -> Any:
    """`models.vision.residual`, 18 layers as wide as in the paper, on 28x28 grey pictures."""
    from pipelines.models.vision import residual

    return _of_pictures(residual((2, 2, 2, 2)), Recipe(width=64))


def _of_pictures(build: Callable[..., Any], recipe: Recipe) -> Any:
    examples = Examples({"image": np.zeros((2, 28, 28, 1), np.uint8)}, np.zeros(2))
    return _like(build(examples, Classification(classes=("0", "1")), recipe), (28, 28, 1))


def lstm() -> Any:
    """`models.text.bidirectional_lstm` on 60 tokens."""
    from pipelines.models.text import bidirectional_lstm

    texts = np.array([" ".join(f"w{number}" for number in range(WORDS))], dtype=object)
    examples = Examples({"text": texts}, np.zeros(1), kinds={"text": "text"})
    return _like(bidirectional_lstm(examples, Classification(classes=("0", "1")), Recipe()), (TOKENS["lstm"],), "int32")


def separable() -> Any:
    """`models.audio.separable_cnn` on 63 frames of 40 log-mel bands: one second at 8 kHz."""
    from pipelines.models.audio import separable_cnn

    examples = Examples({"wave": np.zeros((2, 8000), np.float32)}, np.zeros(2))
    objective = Classification(classes=tuple("0123456789"))
    return _like(separable_cnn(8000)(examples, objective, Recipe()), (63, 40))


def transformer() -> Any:
    """Tokens and their places embedded > two pre-normalised encoder blocks > mean over tokens > four classes.

    Reference: Vaswani et al. (2017), "Attention is all you need", arXiv 1706.03762; normalised before each part as in
    Xiong et al. (2020), arXiv 2002.04745.
    """
    import keras
    from keras import layers

    from benchmarks.places import Places

    inputs = keras.Input((TOKENS["transformer"],), dtype="int32")
    hidden = layers.Dropout(DROPOUT)(Places()(layers.Embedding(WORDS, WIDTH)(inputs)))
    for _ in range(BLOCKS):
        ready = layers.LayerNormalization()(hidden)
        heard = layers.MultiHeadAttention(HEADS, WIDTH // HEADS, dropout=DROPOUT)(ready, ready)
        hidden = hidden + layers.Dropout(DROPOUT)(heard)
        ready = layers.LayerNormalization()(hidden)
        wide = layers.Dropout(DROPOUT)(layers.Dense(FEED_FORWARD, activation="relu")(ready))
        hidden = hidden + layers.Dropout(DROPOUT)(layers.Dense(WIDTH)(wide))
    hidden = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(hidden))
    return keras.Model(inputs, layers.Dense(4)(hidden))


def _like(architecture: Any, shape: tuple[int, ...], dtype: str = "float32") -> Any:
    """The same trainable layers with new weights, for rows of this shape."""
    import keras

    return keras.models.clone_model(architecture.core, input_tensors=keras.Input(shape, dtype=dtype))


WORKLOADS = (
    Workload("mlp", "tabular MLP 30000x30", 30_000, 64, (30,), 2, mlp),
    Workload("resnet", "residual CNN 28x28", 2_000, 64, (28, 28, 1), 2, resnet, worth_compiling=False),
    Workload("resnet18", "ResNet-18, 28x28", 128, 32, (28, 28, 1), 2, resnet18, worth_compiling=False, heavy=True),
    Workload("lstm", "bidirectional LSTM, 60 tokens", 2_000, 64, (60,), 2, lstm, WORDS),
    Workload(
        "transformer", "transformer encoder, 128 tokens", 1_000, 32, (128,), 4, transformer, WORDS, worth_compiling=None
    ),
    Workload(
        "separable", "separable CNN, 63 log-mel frames", 4_000, 64, (63, 40), 10, separable, worth_compiling=False
    ),
)
