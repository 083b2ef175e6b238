"""From the numbers stored in a DICOM file to grey levels as a radiologist sees them.

Stored values > rescale slope and intercept > VOI look-up table or window > photometric interpretation, as in PS3.3,
C.7.6.3, C.11.1 and C.11.2 of the standard. Without a window the percentiles 0.5 and 99.5 of the file are black and
white.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.data.pictures.sizes import eight_bit, extremes

TRANSFORMATION, VOI = "PixelValueTransformationSequence", "FrameVOILUTSequence"
"""Where files of many frames keep what others have at the top."""


class Grey(NamedTuple):
    """(frames, h, w) uint8, the percentiles that were used if any, and how the levels were chosen, in words."""

    pixels: NDArray[np.uint8]
    scale: tuple[float, float] | None
    how: str


def grey(data: Any, stored: NDArray[Any], first: int = 0, scale: tuple[float, float] | None = None) -> Grey:
    """Grey levels of some frames.

    Args:
        data: the pydicom data set.
        stored: (frames, h, w) values as stored.
        first: number of the first of these frames.
        scale: the percentiles found at the first reading of the whole file.
    """
    values = np.stack([_rescaled(data, frame, first + place) for place, frame in enumerate(stored)])
    usual = _window(data, 0)
    windows = [] if usual is None else [_window(data, first + place) or usual for place in range(len(values))]
    return _seen(data, values, _padding(data, stored), windows, scale)


def grey_of_slices(slices: Sequence[Any], stored: NDArray[Any], scale: tuple[float, float] | None = None) -> Grey:
    """Grey levels of a volume whose slices are files of their own: all through the window of the one in the middle.

    Args:
        slices: the pydicom data set of each.
        stored: (slices, h, w) values as stored.
        scale: as of `grey`.
    """
    values = np.stack([_rescaled(each, plane, 0) for each, plane in zip(slices, stored, strict=True)])
    middle = slices[len(slices) // 2]
    window = _window(middle, 0)
    return _seen(middle, values, _padding(middle, stored), [] if window is None else [window] * len(values), scale)


def _seen(
    data: Any,
    values: NDArray[np.float32],
    padding: NDArray[np.bool_] | None,
    windows: Sequence[tuple[float, float]],
    scale: tuple[float, float] | None,
) -> Grey:
    """Values as a radiologist sees them; `windows` has one for each, or is empty."""
    how = "by the window in the header"
    if "VOILUTSequence" in data:
        pixels = _by_table(data, values)
    elif windows:
        function = str(data.get("VOILUTFunction", "LINEAR") or "LINEAR")
        pixels = np.stack([windowed(each, *one, function) for each, one in zip(values, windows, strict=True)])
    elif _plain(data):
        pixels, how = eight_bit(values, 0, 2 ** int(data.BitsStored) - 1), ""
    else:
        scale = scale or extremes(values if padding is None else values[~padding])
        pixels, how = eight_bit(values, *scale), "between percentiles 0.5 and 99.5 of each file"
    if str(data.PhotometricInterpretation) == "MONOCHROME1":
        pixels = np.uint8(255) - pixels
    if padding is not None:
        pixels[padding] = 0
    return Grey(pixels, scale, how)


def windowed(values: NDArray[Any], centre: float, width: float, function: str = "LINEAR") -> NDArray[np.uint8]:
    """Values through a window, as PS3.3 C.11.2.1.2 and C.11.2.1.3 define it.

    Args:
        values: in the unit of the window.
        function: `LINEAR`, `LINEAR_EXACT` or `SIGMOID`.
    """
    if function == "SIGMOID":
        away = np.clip(-4 * (np.asarray(values, np.float32) - centre) / max(width, 1e-6), -60, 60)
        return np.asarray(np.rint(255 / (1 + np.exp(away))), np.uint8)
    if function == "LINEAR_EXACT":
        return eight_bit(values, centre - width / 2, centre + width / 2)
    return eight_bit(values, centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2)


def _rescaled(data: Any, stored: NDArray[Any], frame: int) -> NDArray[np.float32]:
    """Of one frame, in Hounsfield units or whatever the file measures in."""
    if "ModalityLUTSequence" in data:
        from pydicom.pixels import apply_modality_lut

        return np.asarray(apply_modality_lut(stored, data), np.float32)
    slope = _number(_of_frame(data, frame, TRANSFORMATION, "RescaleSlope"))
    intercept = _number(_of_frame(data, frame, TRANSFORMATION, "RescaleIntercept"))
    values = stored.astype(np.float32)
    return values if slope is None or intercept is None else values * np.float32(slope) + np.float32(intercept)


def _window(data: Any, frame: int) -> tuple[float, float] | None:
    """Centre and width, the first of several."""
    centre = _number(_of_frame(data, frame, VOI, "WindowCenter"))
    width = _number(_of_frame(data, frame, VOI, "WindowWidth"))
    return None if centre is None or width is None or width <= 0 else (centre, width)


def _by_table(data: Any, values: NDArray[Any]) -> NDArray[np.uint8]:
    from pydicom.pixels import apply_voi

    bits = int(data.VOILUTSequence[0].LUTDescriptor[2])
    looked_up = apply_voi(np.rint(values).astype(np.int32), data)
    return eight_bit(looked_up, 0, 2 ** (bits if bits in range(1, 17) else 16) - 1)


def _plain(data: Any) -> bool:
    """Whether stored values are grey levels already."""
    measured = any(name in data for name in ("RescaleSlope", "ModalityLUTSequence", "PerFrameFunctionalGroupsSequence"))
    return int(data.BitsStored) <= 8 and not measured and not int(data.get("PixelRepresentation", 0) or 0)


def _padding(data: Any, stored: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Where there is no picture, as around the circle that a scanner sees."""
    value = _number(data.get("PixelPaddingValue"))
    if value is None or not isinstance(data.get("PixelPaddingValue"), int):
        return None
    there: NDArray[np.bool_] = stored == value
    return there if there.any() else None


def _of_frame(data: Any, frame: int, sequence: str, name: str) -> Any:
    """A value at the top of the file, else of this frame, else of all frames."""
    if name in data:
        return data.get(name)
    for groups, place in (("PerFrameFunctionalGroupsSequence", frame), ("SharedFunctionalGroupsSequence", 0)):
        held = data.get(groups)
        if held and place < len(held) and held[place].get(sequence):
            return held[place].get(sequence)[0].get(name)
    return None


def _number(value: Any) -> float | None:
    """The first number of an element; None where there is none."""
    if value is None or value == "":
        return None
    try:
        number = float(value[0] if not isinstance(value, int | float | str) and hasattr(value, "__len__") else value)
    except (TypeError, ValueError, IndexError):
        return None
    return number if np.isfinite(number) else None
