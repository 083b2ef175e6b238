"""Will this applicant default on the loan?

Data: `sample` is Lucas and Barrabes' credit data from modeldata (4454 real loans of a Spanish lender, missing values
kept); `public` is the German credit set of the UCI repository through TFDS; your own is a CSV or Parquet file with one
applicant a row: `--data loans.csv --target defaulted --sensitive sex --sensitive age`.

A row is one application; rows are independent, so folds are stratified by outcome. The set is small: one holdout of
890 rows could not tell an AUROC of .84 from one of .82, so every row is tested once by 5-fold cross-validation.
Age and marital status are what bias is measured on, and no model sees them: lenders may not use them.

A lender's scorecard competes too, and every probability is also told as points: 600 at odds of 50 to 1 for paying back,
20 more double them. More seniority, income or assets must not raise the risk, more debt or a larger loan not lower it:
every contender is tested for it (`--set protocol.obey=yes` lets a boosting compete that must). `--set
protocol.refer=right:0.9` gives the uncertain cases to a person; `tapeline predict --reasons 4` says what moved each
decision.

Expected: AUROC about .845 for the network and .844 for the best baseline (boosting); two minutes on 2 cores.
"""

from pipelines.contenders.tables import BASELINES, SCORECARD
from pipelines.data.public_set import PublicSet
from pipelines.data.sample_set import SampleSet
from pipelines.data.tables import OwnTable
from pipelines.models.tabular import ft_transformer, mlp, tabm
from pipelines.objectives.classification import Classification
from pipelines.space import Between, OneOf
from pipelines.task import Card, Limits, Network, Protocol, Recipe, Sensitive, Sources, Task

# TFDS does not name the numeric set's entries; these were matched to the documented columns of german.data.
GERMAN = PublicSet(
    "german_credit_numeric",
    positive="Bad",
    vector="features",
    entries=(
        "CheckingAccount", "Duration", "History", "AmountHundreds", "Savings", "Employment", "PersonalStatus",
        "Residence", "Property", "Age", "OtherPlans", "Credits", "Dependents", "Telephone", "ForeignWorker",
        "NewCar", "UsedCar", "NoOtherDebtor", "CoApplicant", "Rents", "Owns", "UnskilledNonResident",
        "UnskilledResident", "Skilled",
    ),
)  # fmt: skip

TASK = Task(
    name="finance/credit-default",
    summary="Which loan applicants will default",
    sources=Sources(
        sample=SampleSet(
            "pipelines.data.builders.credit_data.CreditData",
            directions={"Seniority": -1, "Income": -1, "Assets": -1, "Debt": 1, "Amount": 1},
        ),
        public={"german_credit_numeric": GERMAN},
        own=OwnTable(),
    ),
    objective=Classification(),
    networks=(
        Network(
            "mlp",
            mlp,
            search={
                "learning_rate": Between(3e-4, 1e-2, log=True),
                "weight_decay": Between(1e-3, 0.3, log=True),
                "dropout": OneOf(0.1, 0.3, 0.5),
                "width": OneOf(64, 128),
            },
        ),
        Network("tabm", tabm, unasked=False),
        Network("ft-transformer", ft_transformer, unasked=False),
    ),
    baselines=(*BASELINES, SCORECARD),
    recipe=Recipe(
        epochs=40, batch_size=128, learning_rate=2e-3, weight_decay=0.03, dropout=0.3, patience=10, width=128
    ),
    protocol=Protocol(kind="cross-validation", folds=5, points="20:600:50"),
    sensitive=(Sensitive("Age", bands=(25, 35, 50)), Sensitive("Marital")),
    limits=Limits(primary_at_least=0.8, score="auroc"),
    card=Card(
        purpose="To show, on real loans, whether a network ranks applicants by their risk of default better "
        "than a lender's scorecard and other classical models. What competes is the kind of model a "
        "lender would use to support a decision.",
        users="Analysts and model validators of a lender who want to compare kinds of models; teachers and students.",
        decides="A person at the lender. A probability, its points and its reasons support that person. An "
        "applicant who is refused can ask for the reasons, for a person to look again, and contest "
        "the decision.",
        not_for=(
            "deciding on real applicants: the loans are those of one bank, of a time that nobody noted",
            "refusing anybody by the probability alone, without a person and without reasons",
            "setting prices or limits of loans, or finding fraud: it was not tested for either",
        ),
        failures=(
            "All rows are loans that were given. How those would have paid who were refused is not in the data, so "
            "risks of people unlike the bank's customers are not known (reject inference).",
            "Young applicants (below 25) are decided bad far more often than those of 50 and more, beyond chance; "
            "see the groups below.",
            "Income is missing in 381 of 4454 rows; models learn from its being missing, which elsewhere may mean "
            "something else.",
        ),
        origins={
            "credit_data": "4454 customers of a bank, from the table credit_data of R's package modeldata (MIT "
            "licence), which took it from github.com/gastonstat/CreditScoring (data of Lluís A. "
            "Belanche Muñoz).",
            "german_credit_numeric": "Statlog (German Credit), Hofmann 1994, UCI Machine Learning Repository (CC "
            "BY 4.0), through TensorFlow Datasets: 1000 loans of the 1970s, 300 of them "
            "bad.",
        },
    ),
)
