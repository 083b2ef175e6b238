"""Trained networks of every objective, small and quick."""

import numpy as np
from rows_with_a_secret import table

from pipelines.contenders.network import NetworkContender
from pipelines.contenders.normal import NormalNetwork
from pipelines.data.examples import Examples
from pipelines.models.allocation import gru_forecast, gru_weights
from pipelines.models.anomaly import autoencoder
from pipelines.models.tabular import mlp, tabm
from pipelines.objectives.allocation import Allocation
from pipelines.objectives.classification import Classification
from pipelines.objectives.forecast import Forecast
from pipelines.objectives.regression import Regression
from pipelines.task import Network, Recipe

RECIPE = Recipe(epochs=4, batch_size=64, learning_rate=5e-3, dropout=0.0, width=8, patience=9, plan="resident")
ASSETS = ("up", "down", "flat")


def prices(n=60, days=200, seed=0):
    """Windows of daily returns of three assets, and the returns of the day after."""
    returns = np.random.default_rng(seed).normal([0.002, -0.002, 0.0], 0.01, (n + days, 3)).astype(np.float32)
    windows = np.stack([returns[start : start + days] for start in range(n)])
    return Examples({"returns": windows}, returns[days : days + n].astype(np.float64), {"returns": "series"})


def trained(name):
    """(fitted, examples) of a small network."""
    classes = Classification()
    two, three, number = table(200), table(200, classes=3), table(200, classes=0)
    allocation = Allocation(assets=ASSETS)
    made = {
        "two": (NetworkContender, mlp, classes.resolve(two.target), two),
        "two, members": (NetworkContender, tabm, classes.resolve(two.target), two),
        "three": (NetworkContender, mlp, classes.resolve(three.target), three),
        "three, members": (NetworkContender, tabm, classes.resolve(three.target), three),
        "number": (NetworkContender, mlp, Regression().resolve(number.target), number),
        "number, members": (NetworkContender, tabm, Regression().resolve(number.target), number),
        "errors": (NormalNetwork, autoencoder, classes.resolve(two.target), two),
        "weights": (NetworkContender, gru_weights, allocation, prices()),
        "forecast": (NetworkContender, gru_forecast, Forecast(allocation), prices()),
    }
    kind, build, objective, examples = made[name]
    learns = "normal" if name == "errors" else "labels"
    contender = kind(Network("small", build, learns_from=learns), objective, RECIPE)
    return contender.fit(examples, examples, 0), examples
