"""PNG and JPEG files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pipelines.data.pictures.wanted import MOST_PIXELS, UNREADABLE, First, Odd, Wanted

SUFFIXES = (".png", ".jpg", ".jpeg")
TURNED = frozenset({"exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp"})
"""Where it may stand that a picture lies on its side."""

RESIZED, SQUASHED = "resized", "not square; the proportions changed"


def read(path: Path, wanted: Wanted, headed: bool = True) -> First:
    """One decoded picture, turned upright as its EXIF data says.

    Args:
        headed: whether what is written beside the pixels is read too; for a small picture that is half of the work.

    Raises:
        Odd: it is damaged, too large, or neither PNG nor JPEG.
    """
    from PIL import Image, ImageOps

    if wanted.dimensions == 3:
        raise Odd("is a picture of two dimensions, where volumes are learned from")
    mode = {3: "RGB", 1: "L", 0: ""}[wanted.channels]
    try:
        with Image.open(path, formats=("PNG", "JPEG")) as file:
            if file.width * file.height > MOST_PIXELS:
                raise Odd(f"has {file.width} x {file.height} pixels; at most {MOST_PIXELS:,} are read")
            header = _header(file) if headed else {}
            file.load()  # what a PNG has behind its pixels is known only then
            plain = _eight_bit(file)
            upright = ImageOps.exif_transpose(plain) if TURNED & file.info.keys() else plain
            before = upright.size
            grey = upright.mode in ("1", "L", "LA")
            picture = upright.convert(mode or ("L" if grey else "RGB"))
            if before != (wanted.size, wanted.size):
                picture = picture.resize((wanted.size, wanted.size), Image.Resampling.BILINEAR)
            pixels = np.asarray(picture, dtype=np.uint8)
    except (Odd, *UNREADABLE):
        raise
    except Exception as error:  # Pillow's decoders raise almost anything on damaged bytes
        raise Odd("is a damaged picture, or no PNG or JPEG; export it again or remove it") from error
    changes = {RESIZED} if before != (wanted.size, wanted.size) else set()
    changes |= {SQUASHED} if before[0] != before[1] else set()
    return First(pixels.reshape(1, wanted.size, wanted.size, -1), header, None, frozenset(changes))


def _header(file: Any) -> dict[str, str]:
    """What is written beside the pixels: texts of a PNG, the comment of a JPEG, and EXIF, each by its name."""
    from PIL import ExifTags

    exif = file.getexif()
    tags = {**exif, **exif.get_ifd(ExifTags.IFD.Exif)}
    # What a PNG has behind its pixels is read when `text` is asked for.
    told = {**file.info, **getattr(file, "text", {}), **{ExifTags.TAGS.get(tag, str(tag)): tags[tag] for tag in tags}}
    told = {key: value for key, value in told.items() if key not in ("exif", "icc_profile")}
    return {str(key): _text(str(key), value) for key, value in told.items() if isinstance(value, str | bytes)}


def _text(key: str, value: str | bytes) -> str:
    if isinstance(value, str):
        return value
    if key.startswith("XP"):  # as Windows writes it
        return value.decode("utf-16-le", "replace").rstrip("\0")
    return value.decode("utf-8", "replace")


def _eight_bit(file: Any) -> Any:
    """A picture of 16 bits a pixel scaled to 8, which Pillow's own conversion would clip at 255."""
    from PIL import Image

    if not file.mode.startswith("I"):
        return file
    return Image.fromarray((np.asarray(file).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8))
