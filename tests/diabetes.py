"""A regression task for the contract test: no shipped domain has one yet, and the objective must be held too."""

from pipelines.contenders.tables import BASELINES
from pipelines.data.sample_set import SampleSet
from pipelines.data.tables import OwnTable
from pipelines.models.tabular import mlp
from pipelines.objectives.regression import Regression
from pipelines.task import Network, Protocol, Recipe, Sensitive, Sources, Task

TASK = Task(
    name="tests/diabetes",
    summary="How far diabetes progresses in a year (scikit-learn's set)",
    sources=Sources(sample=SampleSet("pipelines.data.builders.diabetes.Diabetes"), own=OwnTable()),
    objective=Regression(error="huber"),
    networks=(Network("mlp", mlp),),
    baselines=BASELINES,
    recipe=Recipe(epochs=40, batch_size=32, learning_rate=2e-3, width=64, dropout=0.2, weight_decay=0.03),
    protocol=Protocol(kind="cross-validation", folds=5),
    sensitive=(Sensitive("sex", keep=True),),
)
