"""Is this row unlike the others?

Data: `sample` is the Statlog Shuttle set as anomaly detection knows it (49097 real readings of nine sensors of a space
shuttle, 7.15 % anomalous), for want of a public table of money with real anomalies; your own is any CSV or Parquet file
with one payment, account or claim a row: `--data claims.csv --target odd --positive yes`.

Contenders learn from normal rows alone, as where anomalies are too rare, or too new, to learn from. Labels say which
training rows are normal, and they judge. Of the validation rows they choose thresholds and the classical models'
settings; the networks, whose settings are declared, stop by their loss on the normal ones (`tapeline tune` lets labels
choose for both). So a table without labels cannot be judged here: label some rows. With `--set recipe.contaminated=yes`
known anomalies stay among the training rows, as they would where nobody had labelled them.

A row is one reading; the source does not say which followed which, so rows are divided by chance, stratified: 9820 are
tested, some 700 of them anomalous. What decides is the average precision, which looks at the rows ranked first;
guessing reaches .07.

Expected: average precision .998 (seed 0) and .990 (seed 1) for the autoencoder, .990 and .998 for LOF, .992 and .987
for deep SVDD, .990 and .985 for the isolation forest: no verdict tells the autoencoder from LOF. Six to nine minutes
on 2 cores that others used as well.
"""

from pipelines.contenders.detectors import BASELINES
from pipelines.data.sample_set import SampleSet
from pipelines.data.tables import OwnTable
from pipelines.models.anomaly import autoencoder, deep_svdd
from pipelines.objectives.classification import Classification
from pipelines.space import Between, OneOf
from pipelines.task import Card, Network, Protocol, Recipe, Sources, Task

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
    card=Card(
        purpose="To compare models that learn what normal rows look like and rank the others by how unlike "
        "they are. The sample, readings of a space shuttle, stands in for tables of money, of which "
        "none with real anomalies is public.",
        users="Analysts who look for unusual payments, accounts or claims in tables of their own and can label some.",
        decides="A person looks into each row that is ranked first and says what it is. Unusual is not wrong.",
        not_for=(
            "accusing anybody: a row is unlike the others, and the model does not know why",
            "saying how well it would do on payments or claims: nine sensors of a shuttle say nothing about them",
            "tables without any label: nothing could be judged there",
        ),
        failures=(
            "Only anomalies of the kinds that are labelled are counted. Whoever finds them may miss others.",
            "Anomalies here are rare but plain: nearly every model finds nearly all of them. Real ones are harder.",
            "Settings of networks are fixed on their loss over normal rows, which need not be best for finding "
            "anomalies.",
        ),
        origins={
            "shuttle": "Statlog (Shuttle), UCI Machine Learning Repository (CC BY 4.0), in the two classes of the "
            "ODDS benchmark (Rayana 2016), from the package river (BSD-3). NASA's readings; the source "
            "does not say of when.",
        },
    ),
)
