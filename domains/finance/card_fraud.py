"""Is this card payment fraud?

Data: `sample` is simulated (`builders.simulated_cards`: 78 000 payments of 450 customers at 300 terminals in half a
year, 1.1 % of them fraud of four kinds); nobody may give away a bank's. Your own is a table of payments: `--data
payments.csv`, with columns called time, amount, fraud, customer and terminal, or as `--time`, `--target` and `--id`
(the customer) say; x and y, in km, where places are known; other columns are taken as they are. The `creditcard.csv` of
ULB, which has no customers, is read as it is.

A row is a payment. What a model sees of it was known as it was made: the payment itself, how often and how much its
customer and its terminal paid and were paid before in windows of 1, 7 and 30 days, how much of that was fraud as far as
that is known by then, and the customer's last 16 payments as they were. The last fifth of the payments is the test, as
a bank would have it, whose customers stay the same; what was fraud becomes known after seven days
(`protocol.delay`), so payments of the week before validation, and before the test, teach nothing.

Three networks compete: `tabm` on the windows, `gru` on the last payments alone, which nobody made numbers of, and an
`autoencoder` that learns what is genuine. Bias is measured by age band and region, which no model sees. What is asked
is the average precision, for fraud is rare and only what is ranked first is looked into; the section on alerts says
what a day's budget of them finds and saves.

Expected: average precision about .35 for TabM, .32 for boosting and .25 for the GRU, on simulated cards, and .05 and
.02 for the autoencoder and the isolation forest, which learn from genuine payments alone; four minutes on 2 cores.
"""

from functools import partial

from pipelines.contenders.detectors import isolation_forest
from pipelines.contenders.tables import boosting, linear, prior
from pipelines.data.event_series import CHANNELS
from pipelines.data.own_transactions import OwnTransactions
from pipelines.data.sample_transactions import SampleTransactions
from pipelines.data.transactions import HISTORY
from pipelines.models.anomaly import autoencoder
from pipelines.models.recurrent import event_gru
from pipelines.models.tabular import tabm
from pipelines.objectives.classification import Classification
from pipelines.task import Alerts, Baseline, Card, Network, Protocol, Recipe, Sensitive, Sources, Task

BINS = 6
"""Of a number in TabM: fewer than usual, for a narrower input and quicker steps."""

TASK = Task(
    name="finance/card-fraud",
    summary="Which card payments are fraud (sample: simulated cards)",
    sources=Sources(sample=SampleTransactions(), own=OwnTransactions()),
    objective=Classification(primary_of_two="average_precision", decide_by="f1"),
    networks=(
        Network("tabm", partial(tabm, bins=BINS)),
        Network("gru", event_gru(HISTORY, CHANNELS), needs=(HISTORY,)),
        Network("autoencoder", autoencoder, learns_from="normal"),
    ),
    baselines=(
        Baseline("prior", prior),
        Baseline("linear", linear),
        Baseline("boosting", boosting),
        Baseline("isolation-forest", isolation_forest, learns_from="normal"),
    ),
    recipe=Recipe(
        epochs=30, batch_size=256, learning_rate=3e-3, weight_decay=0.03, dropout=0.2, patience=8, width=64,
        monitor="loss",  # the score of the few frauds that validate leaps from epoch to epoch
        trials=5,
    ),
    protocol=Protocol(by="time", delay=7.0),
    sensitive=(Sensitive("age_band"), Sensitive("region")),
    sample_is_simulated=True,
    alerts=Alerts(budget=0.005, cost=5.0),
    card=Card(
        purpose="To rank card payments by how likely they are fraud, so that a team that can look into a few "
        "a day looks into the right ones. On the sample, only to show how such models are compared: "
        "its payments are simulated.",
        users="Fraud analysts and model validators of a bank or a payment service, on their own payments.",
        decides="An analyst looks into each alert and decides whether to block. A customer whose payment is "
        "stopped must reach a person, and be believed until it is known.",
        not_for=(
            "saying anything about real cards: the sample is simulated, and no bank's data are in it",
            "blocking payments by itself, without anybody looking",
            "judging customers: it ranks payments",
        ),
        failures=(
            "A thief who buys as the customer does, near the customer's home (takeover), is hardly found.",
            "A customer or terminal without a past has no windows to learn from.",
            "Fraud changes with what is caught. A ranking that is good on past payments grows old.",
            "Models that learn from genuine payments alone (autoencoder, isolation forest) find next to nothing "
            "here.",
        ),
        origins={
            "simulated_cards": "Made by a program of this project (pipelines/data/builders/card_world.py), which "
            "begins as the simulator of Le Borgne, Siblini, Lebichot and Bontempi (2022). "
            "Nobody's payments are in it.",
        },
    ),
)  # fmt: skip
