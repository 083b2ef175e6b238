"""Networks for sound."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipelines.data.examples import Examples
from pipelines.models.inputs import as_array, keras_inputs
from pipelines.models.normalisation import normalised
from pipelines.objectives.objective import Objective
from pipelines.task import Architecture, Recipe

WINDOW_SECONDS, HOP_SECONDS, MELS = 0.032, 0.016, 40
MASKED = 0.1
"""Share of bands, and of moments, that a training step does not hear."""


def separable_cnn(rate: int) -> Callable[[Examples, Objective, Recipe], Architecture]:
    """Log-mel frames > four 1-D separable convolutions over time > average > outputs, for waves of `rate` Hz.

    The log-mel spectrogram is part of the saved model, which therefore takes waves. `recipe.width` channels, 96 if 0,
    normalised over the batch, in private training within each clip (`normalisation`).

    Reference: separable convolutions for commands, Zhang et al. (2018), "Hello Edge", arXiv 1711.07128.
    """

    def build(train: Examples, objective: Objective, recipe: Recipe) -> Architecture:
        import keras
        from keras import layers

        raw = keras_inputs(train, ["wave"])
        window = int(rate * WINDOW_SECONDS)
        mel = layers.MelSpectrogram(
            fft_length=window,
            sequence_stride=int(rate * HOP_SECONDS),
            sampling_rate=rate,
            num_mel_bins=MELS,
            min_freq=60,
            max_freq=rate / 2,
        )
        frames = layers.Permute((2, 1))(mel(raw["wave"]))
        spectrogram = keras.Model(raw, frames)
        normalise = layers.Normalization(axis=-1)
        sample = as_array(train.columns["wave"][:2000], "wave")
        normalise.adapt(np.asarray(spectrogram({"wave": sample})))
        encode = keras.Model(raw, normalise(frames))

        width = recipe.width or 96
        inputs = keras.Input(encode.output_shape[1:])
        # Each clip is normalised over its own time, so that a voice's or a microphone's colour falls away.
        hidden = layers.LayerNormalization(axis=1, center=False, scale=False)(inputs)
        # SpecAugment (Park et al. 2019) in its simplest form: some bands and some moments are hidden in training.
        hidden = layers.SpatialDropout1D(MASKED)(hidden)
        hidden = layers.Dropout(MASKED, noise_shape=(None, inputs.shape[1], 1))(hidden)
        for block in range(4):
            hidden = layers.SeparableConv1D(width, 7, padding="same", use_bias=False)(hidden)
            hidden = layers.ReLU()(normalised(hidden, recipe))
            if block < 3:
                hidden = layers.MaxPooling1D(2)(hidden)
        hidden = layers.Dropout(recipe.dropout)(layers.GlobalAveragePooling1D()(hidden))
        return Architecture(encode, keras.Model(inputs, layers.Dense(objective.outputs)(hidden)), xla=False)

    return build
