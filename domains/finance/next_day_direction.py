"""Will the index close higher tomorrow than today?

Data: `sample` is the S&P 500 index at the close, 1990 to 2022, from skfolio (8313 real trading days); your own is a CSV
or Parquet file of prices by date: `--data prices.csv --target AAPL`.

A row is a day on which the close moved; its columns are what was known at the close before: returns over a day to a
year, volatilities, and how far the price lies below the year's highest. The walk goes forward in six stretches, 2000 to
2022, each predicted by what was learned from all days before it, one day left out at each border.

Expected: next to nothing. A coin has an AUROC of .5; the network's is .498 (.484 to .512), boosting's .506 (.491 to
.521), and that of a logistic regression .512 (.499 to .526), which no verdict tells apart. Whoever finds much more
should look for a day that was seen before it was over. A minute on 2 cores.
"""

from pipelines.contenders import tables
from pipelines.data.next_day import OwnDirections, SampleDirections
from pipelines.data.sample_set import SampleSet
from pipelines.models.tabular import mlp
from pipelines.objectives.classification import Classification
from pipelines.task import Baseline, Card, Network, Protocol, Recipe, Sources, Task

TASK = Task(
    name="finance/next-day-direction",
    summary="Whether the index closes higher on the next day",
    sources=Sources(
        sample=SampleDirections(SampleSet("pipelines.data.builders.stock_prices.StockIndex")), own=OwnDirections()
    ),
    objective=Classification(positive="up"),
    networks=(Network("mlp", mlp),),
    baselines=(
        Baseline("prior", tables.prior),
        Baseline("linear", tables.linear),
        Baseline("boosting", tables.boosting),
    ),
    recipe=Recipe(epochs=20, batch_size=128, learning_rate=1e-3, weight_decay=0.1, dropout=0.3, patience=5, width=64),
    protocol=Protocol(kind="walk-forward", by="time", folds=6, test=0.7178, valid=0.2, purge=1),
    card=Card(
        purpose="To show what an honest test says of forecasting tomorrow's direction of an index: next to nothing.",
        users="Whoever is offered a model that knows tomorrow's prices; teachers and students.",
        decides="Nobody should decide by it: there is nothing to gain.",
        not_for=(
            "trading: its AUROC is that of a coin",
            "proving that markets cannot be forecast: it is one index, by its own past alone",
        ),
        failures=(
            "It has learned nothing that holds on later days. Where a run says more, look for a day that was seen "
            "before it was over.",
            "Being right about the direction is not earning: costs, and how far the price moves, are not in it.",
        ),
        origins={
            "stock_index": "The S&P 500 index at the close on 8313 days, 1990 to 2022, without dividends, from the "
            "package skfolio (BSD-3). It does not say whose prices they are.",
        },
    ),
)
