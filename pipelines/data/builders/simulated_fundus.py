"""Pictures of simulated eyes, graded for diabetic retinopathy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from pipelines.data.builders.fundus import PIXELS, Eye, draw
from pipelines.data.builders.sample_facts import SampleFacts

SEED = 7
PATIENTS = 800
GRADES = (0.45, 0.15, 0.2, 0.1, 0.1)
"""How frequent each grade is among patients; in screening there are fewer ill ones."""

ALIKE = 0.7
"""Chance that both eyes of a patient have one grade; else the left eye is one grade off."""

MISREAD = 0.1
"""Chance that the grader notes the grade above or below."""

AGES = {"<50": 0.5, "50-64": 3.0, ">=65": 9.0}
"""Age band -> drusen in an eye, on average."""

HANDHELD = 0.4
"""Share of the patients that were photographed with it."""


class SimulatedFundus(tfds.core.GeneratorBasedBuilder):
    """1600 pictures of the fundus of both eyes of 800 patients, grades 0 to 4 of diabetic retinopathy. SIMULATED.

    Source: `fundus.draw`, seeded, so that each preparation gives the same rows. Nobody's eyes are in it, and good
    scores on it promise nothing for patients.

    A row is an eye: 48 x 48 pixels, RGB, with optic disc, macula, arteries and veins, uneven light, and lesions by its
    grade on the International Clinical Diabetic Retinopathy scale (Wilkinson et al. 2003, Ophthalmology 110(9)), drawn
    larger than life: 0 none; 1 microaneurysms (2 and more, 5 on average); 2 more of them, haemorrhages (4 on average),
    exudates and cotton-wool spots in some; 3 haemorrhages in all four quadrants (2 and more in each), beaded veins in
    60 %; 4 new vessels or blood before the retina, beside the lesions of grade 2 or 3. How many there are is drawn by
    chance, so neighbouring grades overlap; every eye may have specks that look like faint microaneurysms. Both eyes of
    a patient have one grade (70 %) or neighbouring ones, and a left eye is a mirrored right one: patients must be held
    out whole. The label is a grader's, who notes a neighbouring grade in 10 % of the eyes.

    Groups, which no model sees, with what was built in: `camera`, a handheld one (40 % of the patients) is four times
    as blurred, darker and noisier, so that small lesions drown; `age`, in three bands of equal size, older eyes have
    more drusen, pale spots that look like exudates. Grades are as frequent in all of them.
    """

    VERSION = tfds.core.Version("1.0.0")
    FACTS = SampleFacts(
        target="grade",
        groups=("camera", "age"),
        id="patient",
        simulated=True,
        notes=(
            "the pictures were drawn by a program; nobody's eyes are in them",
            f"in {100 * MISREAD:.0f} % of the eyes the label is a grade beside the one that was drawn, as graders "
            "differ",
        ),
    )

    def _info(self) -> Any:
        features = {
            "image": tfds.features.Image(shape=(PIXELS, PIXELS, 3), dtype=np.uint8, encoding_format="png"),
            "grade": tfds.features.ClassLabel(names=[str(grade) for grade in range(len(GRADES))]),
            "patient": tfds.features.Text(),
            "camera": tfds.features.Text(),
            "age": tfds.features.Text(),
        }
        return tfds.core.DatasetInfo(
            builder=self, description=self.__doc__, features=tfds.features.FeaturesDict(features)
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        for patient in range(PATIENTS):
            for place, (eye, row) in enumerate(eyes(patient)):
                yield 2 * patient + place, row | {"image": draw(eye, np.random.default_rng([SEED, patient, place]))}


def eyes(patient: int) -> Iterator[tuple[Eye, dict[str, str]]]:
    """Right and left eye of a patient: what is to be drawn, and what is noted of it."""
    chance = np.random.default_rng([SEED, patient])
    grade, pigment = int(chance.choice(len(GRADES), p=GRADES)), float(chance.random())
    camera = "handheld" if chance.random() < HANDHELD else "tabletop"
    age = str(chance.choice(list(AGES)))
    for right in (True, False):
        own = grade if right or chance.random() < ALIKE else _beside(grade, chance)
        noted = _beside(own, chance) if chance.random() < MISREAD else own
        row = {"grade": str(noted), "patient": f"patient {patient + 1}", "camera": camera, "age": age}
        yield Eye(right, own, int(chance.poisson(AGES[age])), pigment, camera), row


def _beside(grade: int, chance: np.random.Generator) -> int:
    """A neighbouring grade."""
    highest = len(GRADES) - 1
    return abs(grade - 1) if grade == highest or (grade and chance.random() < 0.5) else grade + 1
