"""DICOM files: which they are, and how their pixels become pictures. Nothing in a message comes out of a header."""

from __future__ import annotations

import logging
import math
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.pictures.dicom_grey import grey
from pipelines.data.pictures.dicom_header import texts
from pipelines.data.pictures.raster import RESIZED, SQUASHED
from pipelines.data.pictures.sizes import cube, in_channels, resized
from pipelines.data.pictures.wanted import MOST_PIXELS, MOST_SAMPLES, UNREADABLE, First, Odd, Wanted
from pipelines.errors import BadInput

SUFFIXES = (".dcm", ".dicom", ".ima")
MAGIC, MAGIC_AT = b"DICM", 128
INVERTED = "whose black and white were exchanged (MONOCHROME1)"
BURNT_IN = "whose header says that words are burnt into the picture"


def is_dicom(path: Path) -> bool:
    """By its suffix, or by its first bytes where it has none of letters: hospitals name files by numbers."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return True
    if path.name.upper().startswith("DICOMDIR") or any(letter.isalpha() for letter in suffix):
        return False
    try:
        with path.open("rb") as file:
            return file.read(MAGIC_AT + len(MAGIC))[MAGIC_AT:] == MAGIC
    except OSError:
        return False


def require(where: Path) -> None:
    """DICOM can be read here.

    Raises:
        BadInput: pydicom is missing.
    """
    try:
        import pydicom
    except ImportError as error:
        raise BadInput(f"{where}: DICOM files need the extra `medical`: pip install 'tapeline[medical]'") from error
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    logging.getLogger("pydicom").disabled = True  # it quotes what it finds odd
    with suppress(ImportError):  # decodes JPEG-LS and lossless JPEG; without it those files are told and left out
        import gdcm

        gdcm.Trace.ErrorOff()
        gdcm.Trace.WarningOff()
    for module in (r"pydicom(\.|$)", r"pipelines\.data\.pictures\."):  # which warns in the name of who called it
        warnings.filterwarnings("ignore", module=module)


def read(path: Path, wanted: Wanted) -> First:
    """All frames of a file: a row each, or one volume.

    Raises:
        Odd: it is no DICOM file, damaged, without pixels, or compressed in a way that is not read.
    """
    data = opened(path)
    frames = _frames(data)
    if wanted.dimensions == 3 and frames == 1:
        raise Odd("is a single picture, where volumes are learned from; give files of many frames, or NIfTI")
    pixels, scale, how = _decoded(data, stored(data), 0, None)
    pixels = in_channels(pixels, wanted.channels)
    height, width = pixels.shape[1:3]
    changes = {INVERTED} if str(data.PhotometricInterpretation) == "MONOCHROME1" else set()
    changes |= {f"whose grey levels were chosen {how}"} if how else set()
    changes |= {RESIZED} if (height, width) != (wanted.size, wanted.size) else set()
    changes |= {SQUASHED} if height != width else set()
    changes |= {BURNT_IN} if str(data.get("BurnedInAnnotation", "")).strip().upper() == "YES" else set()
    if wanted.dimensions == 3:
        shown = cube(pixels, wanted.size)[np.newaxis]
    else:
        shown = np.stack([resized(frame, wanted.size) for frame in pixels])
    return First(shown, texts(data, wanted.fields), scale, frozenset(changes), volume=frames > 1)


def read_row(path: Path, wanted: Wanted, row: int, scale: tuple[float, float] | None) -> NDArray[np.uint8]:
    """(*sides, channels): one row of the file again."""
    data = opened(path)
    if wanted.dimensions == 3:
        pixels = in_channels(_decoded(data, stored(data), 0, scale)[0], wanted.channels)
        return cube(pixels, wanted.size)
    pixels = in_channels(_decoded(data, stored(data, row), row, scale)[0], wanted.channels)
    return resized(pixels[0], wanted.size)


def frames_of(path: Path) -> int:
    """How many pictures a DICOM file holds, by its header; 0 where that cannot be read."""
    from pydicom import dcmread

    try:
        return _frames(dcmread(path, stop_before_pixels=True))
    except Exception:  # pydicom's reader raises almost anything on damaged bytes
        return 0


def opened(path: Path) -> Any:
    """The data set of a file that has pixels.

    Raises:
        Odd: it is damaged, or has none.
    """
    from pydicom import dcmread

    if path.stat().st_size == 0:
        raise Odd("is empty: 0 bytes")
    try:
        data = dcmread(path)
    except UNREADABLE:
        raise
    except Exception as error:  # pydicom's reader raises almost anything on damaged bytes
        raise Odd("is a damaged DICOM file, or none") from error
    if not any(name in data for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise Odd("is a DICOM file without pixels, such as a report or a plan")
    return data


def _frames(data: Any) -> int:
    try:
        frames = max(1, int(data.get("NumberOfFrames", 1) or 1))
        samples = frames * int(data.Rows) * int(data.Columns) * int(data.get("SamplesPerPixel", 1) or 1)
    except Exception as error:
        raise Odd("is a damaged DICOM file: it does not say how large its pictures are") from error
    if int(data.Rows) * int(data.Columns) > MOST_PIXELS or samples > MOST_SAMPLES:
        raise Odd(f"unpacks to {samples:,} numbers; at most {MOST_SAMPLES:,} are read")
    return frames


def stored(data: Any, frame: int | None = None) -> NDArray[Any]:
    """(frames, h, w) or (frames, h, w, 3) as stored, RGB where it was YBR; one frame if it is named.

    Raises:
        Odd: the pixels are damaged, or compressed in a way that is not read.
    """
    from pydicom.pixels import pixel_array

    try:
        pixels = np.asarray(pixel_array(data, index=frame))
    except (NotImplementedError, RuntimeError, ImportError, AttributeError) as error:
        if compressed(data):
            raise Odd("is compressed in a way that is not read; convert it to an uncompressed file") from error
        raise Odd("is a damaged DICOM file: its pixels cannot be read") from error
    except Exception as error:
        raise Odd("is a damaged DICOM file, cut short perhaps: its pixels cannot be read") from error
    per_pixel = int(data.get("SamplesPerPixel", 1) or 1)
    whole = pixels.ndim - (1 if per_pixel > 1 else 0)
    return pixels if whole == 3 else pixels[np.newaxis]


def compressed(data: Any) -> bool:
    """Whether the pixels lie in the file in packed form."""
    syntax = getattr(getattr(data, "file_meta", None), "TransferSyntaxUID", None)
    try:
        return syntax is not None and bool(syntax.is_compressed)
    except ValueError:  # a transfer syntax that nobody knows
        return True


def _decoded(
    data: Any, stored: NDArray[Any], first: int, scale: tuple[float, float] | None
) -> tuple[NDArray[np.uint8], tuple[float, float] | None, str]:
    """(frames, h, w, 1 or 3) uint8, the percentiles used, and how the levels were chosen."""
    if stored.ndim == 4 and stored.shape[-1] != 3:
        raise Odd(f"has {stored.shape[-1]} values a pixel; 1 and 3 are read")
    try:
        if str(data.PhotometricInterpretation) == "PALETTE COLOR":
            from pydicom.pixels import apply_color_lut

            stored = np.stack([apply_color_lut(frame, data) for frame in stored])[..., :3]
        if stored.ndim == 3:
            pixels, scale, how = grey(data, stored, first, scale)
            return pixels[..., np.newaxis], scale, how
    except Exception as error:
        raise Odd("is a damaged DICOM file: its grey levels cannot be made out") from error
    bits = stored.dtype.itemsize * 8
    full = 2.0**bits - 1 if stored.dtype.kind in "iu" else math.nan
    if stored.dtype == np.uint8:
        return stored, None, ""
    return np.rint(np.clip(stored / full, 0, 1) * 255).astype(np.uint8), None, ""
