"""What the checks of pictures find, and what they take for a leak that is none: `python -m benchmarks.leaks FILE.npz`.

FILE is MedMNIST's PneumoniaMNIST, or any other `.npz` of its layout with an official split. Told are: validation and
test pictures that are among earlier ones by our mark and by a 64-bit hash of the cosine transform; how near the nearest
others come; how near copies of the training pictures are to them, however they were changed; how often a corner or an
edge alone is taken for a label among few rows; and the same of the outlines of nodules.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn

from pipelines import catalogue
from pipelines.cli.quiet import import_tensorflow
from pipelines.data.images import OwnImages
from pipelines.data.leaks import burnt_in, near_duplicates
from pipelines.data.leaks.pooled import pooled
from pipelines.task import DataRequest, Dataset

Picture = NDArray[np.uint8]

COPIES = 500
"""Training pictures that are copied."""

FEW, SUBSETS, FURTHEST = (100, 200, 400), 40, 4
"""Training rows of a small set, sets of each size, and bits by which two hashes of one picture may differ."""


def packed(quality: int) -> Callable[[Picture], Picture]:
    """A copy in JPEG of a quality."""

    def copy(picture: Picture) -> Picture:
        held = io.BytesIO()
        Image.fromarray(picture).save(held, "jpeg", quality=quality)
        return np.asarray(Image.open(held))

    return copy


def smaller(picture: Picture) -> Picture:
    """A copy that was three quarters as large for a while."""
    height, width = picture.shape
    shrunk = Image.fromarray(picture).resize((width * 3 // 4, height * 3 // 4))
    return np.asarray(shrunk.resize((width, height)))


CHANGES: Mapping[str, Callable[[Picture], Picture]] = {
    "JPEG of quality 70": packed(70),
    "JPEG of quality 30": packed(30),
    "a fifth brighter": lambda each: np.clip(each * 1.2, 0, 255).astype(np.uint8),
    "gamma of 0.8": lambda each: (255 * (each / 255) ** 0.8).astype(np.uint8),
    "smaller and back": smaller,
    "shifted by a pixel": lambda each: np.roll(each, 1, axis=1),
}


def main() -> None:
    """Read, count, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.leaks", description=__doc__)
    parser.add_argument("file", metavar="FILE.npz", help="pictures in the layout of MedMNIST, with an official split")
    asked = parser.parse_args()
    import_tensorflow(debug=False)
    data = OwnImages().load(DataRequest(asked.file))
    if data.official is None:
        parser.error(f"{asked.file} has no official split")
    of_split(data, data.official)
    of_corners(asked.file, data, np.flatnonzero(data.official == "train"))
    nodules = catalogue.find("medical_imaging/lung-nodule").sources.sample.load(DataRequest())
    _, textured = near_duplicates.marks(nodules.examples.columns["image"], np.arange(len(nodules.examples)))
    print(f"lung nodules: {(~textured).sum():,} of {len(textured):,} pictures are outlines, which are not compared")
    of_corners("lung nodules", nodules, np.arange(len(nodules.examples)))


def of_split(data: Dataset, official: NDArray[Any]) -> None:
    """Near duplicates across the official split, by both ways; and how near copies are."""
    column = data.examples.columns["image"]
    train = np.flatnonzero(official == "train")
    later = np.flatnonzero(official != "train")
    whole, _ = near_duplicates.marks(column, np.arange(len(column)))
    mean = whole.mean(axis=0)
    own = _unit(whole - mean)
    nearest = (own[later] @ own[train].T).max(axis=1)
    same = nearest >= near_duplicates.SAME
    among = f"{same.sum()} of {len(later):,} pictures are among training rows"
    print(f"{among}; the nearest other {nearest[~same].max():.3f}")
    equal = {column[row].tobytes() for row in train}
    print(f"{sum(column[row].tobytes() in equal for row in later)} of them are equal to the last bit")
    hashes = _hashes(column)
    apart = np.array([(hashes[train] ^ hashes[row]).sum(axis=1).min() for row in later])
    print(f"a hash of the cosine transform (distance up to {FURTHEST}) takes {(apart <= FURTHEST).sum()} for the same")
    some = train[:COPIES]
    for name, change in CHANGES.items():
        copies = np.stack([change(column[row][..., 0]) for row in some])[..., np.newaxis]
        marks, _ = near_duplicates.marks(copies, np.arange(len(copies)))
        like = (_unit(marks - mean) * own[some]).sum(axis=1)
        low, middle = np.quantile(like, (0.05, 0.5))
        found = (like >= near_duplicates.SAME).mean()
        print(f"{name}: half above {middle:.3f}, all but 5 % above {low:.3f}; {found:.2f} found")


def of_corners(name: str, data: Dataset, train: NDArray[np.integer[Any]]) -> None:
    """How well places at the border rank, and how often one is taken for a label among few rows."""
    (check,) = burnt_in.burnt_in(data.examples, train)
    print(f"{name}, all rows: {check.detail}")
    chance, taken = np.random.default_rng(0), 0
    for size in FEW:
        for _ in range(SUBSETS):
            rows = np.sort(chance.choice(train, size, replace=False))
            taken += sum(not each.passed for each in burnt_in.burnt_in(data.examples, rows))
    print(f"{name}, {len(FEW) * SUBSETS} sets of {min(FEW)} to {max(FEW)} rows: {taken} false alarms")


def _unit(marks: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(marks / (np.linalg.norm(marks, axis=1, keepdims=True) + 1e-9))


def _hashes(column: Picture) -> NDArray[np.bool_]:
    """(n, 64) whether each of the lowest frequencies is above their median (Zauner 2010, pHash)."""
    small = pooled(column[..., 0].astype(np.float32), 32)
    lowest = dctn(small, axes=(1, 2))[:, :8, :8].reshape(len(small), -1)
    return np.asarray(lowest > np.median(lowest, axis=1, keepdims=True))


if __name__ == "__main__":
    main()
