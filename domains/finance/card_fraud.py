"""Is this card payment fraud?"""

from pipelines.contenders.tables import boosting, linear, prior
from pipelines.data.event_series import CHANNELS
from pipelines.data.own_transactions import OwnTransactions
from pipelines.data.sample_transactions import SampleTransactions
from pipelines.data.transactions import HISTORY
from pipelines.models.recurrent import event_gru
from pipelines.models.tabular import tabm
from pipelines.objectives.classification import Classification
from pipelines.task import Alerts, Baseline, Network, Protocol, Recipe, Sensitive, Sources, Task

TASK = Task(
    name="finance/card-fraud",
    summary="Which card payments are fraud (sample: simulated cards)",
    sources=Sources(sample=SampleTransactions(), own=OwnTransactions()),
    objective=Classification(primary_of_two="average_precision", decide_by="f1"),
    networks=(Network("tabm", tabm), Network("gru", event_gru(HISTORY, CHANNELS), needs=(HISTORY,))),
    baselines=(Baseline("prior", prior), Baseline("linear", linear), Baseline("boosting", boosting)),
    recipe=Recipe(
        epochs=12, batch_size=256, learning_rate=2e-3, weight_decay=0.03, dropout=0.2, patience=4, width=64,
        monitor="score", trials=5,
    ),
    protocol=Protocol(by="time", delay=7.0),
    sensitive=(Sensitive("age_band"), Sensitive("region")),
    sample_is_simulated=True,
    alerts=Alerts(budget=0.005, cost=5.0),
)  # fmt: skip
