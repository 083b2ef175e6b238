"""Is this row unlike the others?

Data: `sample` is the Statlog Shuttle set as anomaly detection knows it (49097 real readings of nine sensors of a space
shuttle, 7.15 % anomalous), for want of a public table of money with real anomalies; your own is any CSV or Parquet file
with one payment, account or claim a row: `--data claims.csv --target odd --positive yes`.

Contenders learn from normal rows alone, as where anomalies are too rare, or too new, to learn from. Labels say which
training rows are normal; they choose thresholds, settings and the best epoch on validation rows, for networks and
classical models alike; and they judge. So a table without any cannot be judged here: label some rows. With `--set
recipe.contaminated=yes` known anomalies stay among the training rows, as they would where nobody had labelled them.

A row is one reading; the source does not say which followed which, so rows are divided by chance, stratified: 9819 are
tested, 702 of them anomalous. What decides is the average precision, which looks at the rows ranked first; guessing
reaches .07.

Expected: ...
"""

from pipelines.contenders.detectors import BASELINES
from pipelines.data.sample_set import SampleSet
from pipelines.data.tables import OwnTable
from pipelines.models.anomaly import autoencoder, deep_svdd
from pipelines.objectives.classification import Classification
from pipelines.space import Between, OneOf
from pipelines.task import Network, Protocol, Recipe, Sources, Task

TASK = Task(
    name="finance/anomaly",
    summary="Which rows of a table are anomalous",
    sources=Sources(
        sample=SampleSet("pipelines.data.builders.shuttle.Shuttle"),
        own=OwnTable("that says which rows are anomalous (models learn from the others, and are judged by it)"),
    ),
    objective=Classification(primary_of_two="average_precision"),
    networks=(
        Network(
            "autoencoder",
            autoencoder,
            search={
                "learning_rate": Between(5e-4, 1e-2, log=True),
                "dropout": OneOf(0.0, 0.1, 0.2),
                "width": OneOf(32, 64, 128),
            },
            learns_from="normal",
        ),
        Network(
            "deep-svdd",
            deep_svdd,
            search={
                "learning_rate": Between(1e-4, 1e-2, log=True),
                "weight_decay": Between(1e-3, 0.3, log=True),
                "width": OneOf(32, 64, 128),
            },
            learns_from="normal",
        ),
    ),
    baselines=BASELINES,
    recipe=Recipe(epochs=40, batch_size=256, learning_rate=2e-3, weight_decay=0.01, patience=10, width=64),
    protocol=Protocol(),
)
