"""From records to one of their features: pictures, sounds and texts, decoded by TFDS's features, many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipelines.data import tfds_rows

AT_ONCE = 32
"""Records that are decoded beside each other; TensorFlow's own threads share the work."""

AT_ONCE_BYTES = 64 << 20
"""Of decoded values in flight: fewer large pictures are decoded beside each other."""

LARGEST = 1 << 20
"""Bytes that a picture whose size is not known before it is decoded is taken for."""


InChannels = Callable[[NDArray[Any], int], NDArray[Any]]
"""(n, h, w, c) uint8, channels -> (n, h, w, channels) uint8."""


class Decoder(Protocol):
    """Turns records into the values of one feature.

    Attributes:
        shape: of one value.
        dtype: of the values.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __call__(self, records: Sequence[bytes]) -> NDArray[Any]:
        """(n, *shape) values of n records."""
        ...


class Pictures:
    """A picture feature as (n, height, width, channels) uint8.

    Args:
        name: of the feature, which is a TFDS `Image`, or a `Tensor` of uint8.
        size: height and width that pictures of differing sizes are resized to, by antialiased bilinear interpolation.
        channels: makes grey pictures of RGB ones, or the reverse; 0 keeps what they are.
        in_channels: does so.
        keep: whether a set whose pictures have one size keeps it.
    """

    dtype: np.dtype[Any] = np.dtype(np.uint8)

    def __init__(
        self,
        name: str,
        feature: Any,
        size: int,
        channels: int,
        in_channels: Callable[[NDArray[Any], int], NDArray[Any]],
        keep: bool = True,
    ) -> None:
        height, width, stored = feature.shape
        self._fixed = None not in (height, width) and (keep or (height, width) == (size, size))
        self._stored = (height, width, stored) if self._fixed else (size, size, stored)
        self._name, self._feature, self._in_channels = name, feature, in_channels
        self._channels = channels or stored
        self.shape: tuple[int, ...] = (*self._stored[:2], self._channels)

    def __call__(self, records: Sequence[bytes]) -> NDArray[Any]:
        import tensorflow as tf

        with tf.device("CPU:0"):
            pixels = np.asarray(self._graph(tf.constant(records, tf.string)))
        return self._in_channels(pixels, self._channels)

    @cached_property
    def _graph(self) -> Any:
        import tensorflow as tf

        read = _only(self._name, self._feature)

        def one(record: Any) -> Any:
            picture = read(record)
            return tf.ensure_shape(picture if self._fixed else resized(picture, self._stored[0]), self._stored)

        row_bytes = int(np.prod(self._stored)) if self._fixed else LARGEST
        return _mapped(one, tf.TensorSpec(self._stored, tf.uint8), row_bytes)


def resized(picture: Any, size: int) -> Any:
    """A uint8 picture in the graph, (size, size, channels), by antialiased bilinear interpolation."""
    import tensorflow as tf

    changed = tf.image.resize(picture, (size, size), antialias=True)
    return tf.cast(tf.clip_by_value(tf.round(changed), 0, 255), tf.uint8)


class Waves:
    """A sound feature as (n, length) float32 in [-1, 1].

    Args:
        name: of the feature, a TFDS `Audio` of one channel.
        length: samples of each value.
        fit: (samples,) float32 in [-1, 1], samples a second -> (length,).
    """

    dtype: np.dtype[Any] = np.dtype(np.float32)

    def __init__(
        self, name: str, feature: Any, rate: int, length: int, fit: Callable[[NDArray[np.float32], int], NDArray[Any]]
    ) -> None:
        self._name, self._feature, self._rate, self._fit = name, feature, rate, fit
        self.shape: tuple[int, ...] = (length,)

    def __call__(self, records: Sequence[bytes]) -> NDArray[Any]:
        import tensorflow as tf

        with tf.device("CPU:0"):
            sounds = self._graph(tf.constant(records, tf.string))
        heard, ends = tfds_rows.full_scale(sounds.values.numpy()), sounds.row_splits.numpy()
        return np.stack([self._fit(heard[ends[row] : ends[row + 1]], self._rate) for row in range(len(records))])

    @cached_property
    def _graph(self) -> Any:
        import tensorflow as tf

        gives = tf.RaggedTensorSpec([None], self._feature.tf_dtype, ragged_rank=0)
        return _mapped(_only(self._name, self._feature), gives, LARGEST)


class Texts:
    """A text feature as (n,) object str."""

    dtype: np.dtype[Any] = np.dtype(object)
    shape: tuple[int, ...] = ()

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, records: Sequence[bytes]) -> NDArray[Any]:
        import tensorflow as tf

        parsed = (tf.train.Example.FromString(record) for record in records)
        raw = [example.features.feature[self._name].bytes_list.value[0] for example in parsed]
        texts = np.empty(len(raw), dtype=object)
        texts[:] = [text.decode("utf-8", "replace") for text in raw]
        return texts


def _only(name: str, feature: Any) -> Callable[[Any], Any]:
    """A serialised record -> this feature of it, decoded; the others are not even parsed."""
    import tensorflow_datasets as tfds

    alone = tfds.features.FeaturesDict({name: feature})
    return lambda record: alone.deserialize_example(record)[name]


def _mapped(one: Callable[[Any], Any], gives: Any, row_bytes: int) -> Any:
    """One traced function for any number of records, several of which are decoded beside each other."""
    import tensorflow as tf

    beside = max(1, min(AT_ONCE, AT_ONCE_BYTES // max(1, row_bytes)))

    def decode(records: Any) -> Any:
        return tf.map_fn(one, records, fn_output_signature=gives, parallel_iterations=beside)

    return tf.function(decode, input_signature=[tf.TensorSpec((None,), tf.string)])
