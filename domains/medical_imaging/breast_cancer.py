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
from pipelines.task import Limits, Network, Protocol, Recipe, Sources, Task

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
    protocol=Protocol(kind="cross-validation", folds=5, repeats=3),
    limits=Limits(primary_at_least=0.97, score="auroc"),
)
