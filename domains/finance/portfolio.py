"""How should wealth be divided between these stocks, week after week?

Data: `sample` is skfolio's daily closing prices of 20 stocks of the S&P 500, 1990 to 2022. They are survivors, so what
any portfolio of them earned flatters it; your own is a CSV or Parquet file of prices by date, a column an asset:
`--data prices.csv`.

A row is a day. Weights, none negative, adding up to 1, are decided on what was known at the close before it, from the
returns of the 252 trading days up to there. They are carried out every fifth day, for all contenders alike
(`protocol.rebalance`), drift in between, and whatever is traded costs 10 basis points, in the training of the network
too. The walk goes forward in six stretches, 2000 to 2022, each decided by what was learned from all days before it.

Expected: no network tells itself apart from equal weights: Sharpe ratios of .71 for `gru-weights`, .43 for
`gru-forecast`, whose forecasts cost more in trading and in risk than they bring, and .72 for equal weights, each known
to about .37 only. Ten minutes or so on 2 cores that are free.
"""

from collections.abc import Mapping

from pipelines.contenders.allocations import BASELINES
from pipelines.data.price_windows import OwnWindows, SampleWindows
from pipelines.data.sample_set import SampleSet
from pipelines.models.allocation import gru_forecast, gru_weights
from pipelines.objectives.allocation import Allocation
from pipelines.objectives.forecast import Forecast
from pipelines.space import Axis, Between, OneOf
from pipelines.task import Card, Network, Protocol, Recipe, Sources, Task

SEARCH: Mapping[str, Axis] = {
    "learning_rate": Between(3e-4, 1e-2, log=True),
    "weight_decay": Between(1e-3, 0.3, log=True),
    "dropout": OneOf(0.0, 0.2, 0.4),
    "width": OneOf(8, 16, 32),
}

TASK = Task(
    name="finance/portfolio",
    summary="How to divide wealth between stocks",
    sources=Sources(
        sample=SampleWindows(SampleSet("pipelines.data.builders.stock_prices.StockPrices")), own=OwnWindows()
    ),
    objective=Allocation(costs=0.001, every=5),
    networks=(
        Network("gru-weights", gru_weights, search=SEARCH),
        Network("gru-forecast", gru_forecast, search=SEARCH, forecasts=Forecast),
    ),
    baselines=BASELINES,
    recipe=Recipe(epochs=6, batch_size=64, learning_rate=3e-3, weight_decay=0.03, dropout=0.2, patience=2, width=16),
    protocol=Protocol(kind="walk-forward", by="time", folds=6, test=0.7178, valid=0.2, purge=1),
    card=Card(
        purpose="To find out whether networks that divide wealth between stocks earn more for their risk, "
        "after costs, than simple rules do. On the sample they do not.",
        users="Researchers of investing, and whoever is asked to buy such a model.",
        decides="A person who answers for the money. Nothing here trades.",
        not_for=(
            "investing: no network tells itself apart from equal weights",
            "expecting the returns that are shown: the 20 stocks were chosen knowing that they would survive until "
            "2022",
            "advice to anybody",
        ),
        failures=(
            "What any portfolio of these stocks earned is flattered by hindsight (survivors).",
            "Costs are 10 basis points of whatever is traded, whatever the size of the order; large orders cost more.",
            "Weights are as old as the last rebalancing, and the past of 252 days knows no crash that it did not hold.",
        ),
        origins={
            "stock_prices": "Daily closing prices of 20 stocks of the S&P 500, 1990 to 2022, from the package "
            "skfolio (BSD-3). It does not say whose prices they are.",
        },
    ),
)
