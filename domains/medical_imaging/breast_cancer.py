"""Is this breast mass malignant, from measurements of its cells' nuclei?

Data: `sample` is the Wisconsin diagnostic set of scikit-learn (569 real fine-needle aspirates, 30 measurements of the
nuclei in each picture); your own is a CSV with one patient a row: `--data cells.csv --target diagnosis`.

A row is one patient. 569 rows are few, so every row is tested three times, by 5-fold cross-validation with 3 repeats;
the corrected t-test then knows that the repeats are not independent.

Expected: AUROC about .995 for everything but the prior; the network rarely tells itself apart. About 2 minutes.
"""

from pipelines.contenders.tables import BASELINES
from pipelines.data.sample_set import SampleSet
from pipelines.data.tables import OwnTable
from pipelines.models.tabular import mlp
from pipelines.objectives.classification import Classification
from pipelines.space import Between, OneOf
from pipelines.task import USUAL_POINTS, Card, Limits, Network, Protocol, Recipe, Sources, Task

TASK = Task(
    name="medical_imaging/breast-cancer",
    summary="Malignant or benign, from measurements of cell nuclei",
    sources=Sources(sample=SampleSet("pipelines.data.builders.breast_cancer.BreastCancer"), own=OwnTable()),
    objective=Classification(),
    networks=(
        Network(
            "mlp",
            mlp,
            search={
                "learning_rate": Between(3e-4, 1e-2, log=True),
                "weight_decay": Between(1e-3, 0.3, log=True),
                "dropout": OneOf(0.0, 0.2, 0.4),
                "width": OneOf(32, 64),
            },
        ),
    ),
    baselines=BASELINES,
    recipe=Recipe(epochs=60, batch_size=32, learning_rate=2e-3, weight_decay=0.03, dropout=0.2, patience=15, width=64),
    protocol=Protocol(kind="cross-validation", folds=5, repeats=3, operate_at=USUAL_POINTS),
    limits=Limits(primary_at_least=0.97, score="auroc"),
    card=Card(
        purpose="To compare models on a set that everybody knows: is a breast mass malignant, from thirty "
        "measures of cell nuclei that a person outlined in a picture of a fine needle aspirate.",
        users="Teachers, students and researchers of methods.",
        decides="A physician, by the biopsy and everything else that is known of the patient. No model here "
        "has a part in it.",
        not_for=(
            "diagnosing anybody: it is no medical device and was tested on 569 patients of one hospital before 1995",
            "reading pictures: it takes measures that somebody made of them",
            "screening: every mass here was suspicious enough for a needle",
        ),
        failures=(
            "It cannot be said whom it treats worse: the set has no attribute of the patients, not even their age.",
            "Measures depend on who outlined the nuclei, with which program; those of other laboratories may differ.",
            "More than a third of the masses are malignant; where fewer are, alarms are wrong more often than here.",
        ),
        origins={
            "breast_cancer": "Breast Cancer Wisconsin (Diagnostic), Wolberg, Street and Mangasarian 1995, UCI "
            "Machine Learning Repository, doi 10.24432/C5DW2B (CC BY 4.0), inside scikit-learn.",
        },
    ),
)
