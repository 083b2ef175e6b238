"""Small rows of every kind of data, for the tests of contenders and for the process that loads them again."""

import numpy as np

from pipelines.data.examples import Examples
from pipelines.objectives.classification import Classification
from pipelines.objectives.regression import Regression

RATE = 2000


def objective_of(examples):
    objective = Regression() if examples.target.dtype.kind == "f" else Classification()
    return objective.resolve(examples.target)


def labels(n, classes, signal):
    """Labels as words, the more often the higher the signal; a number where `classes` is 0."""
    if classes == 0:
        return np.asarray(signal, dtype=np.float64) * 10 + 50
    cuts = np.quantile(signal, np.linspace(0, 1, classes + 1)[1:-1])
    return np.array(["low", "mid", "top"] if classes == 3 else ["low", "top"])[np.digitize(signal, cuts)]


def table(classes=2, n=90, seed=0):
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=n)
    with_gaps = signal + rng.normal(size=n)
    with_gaps[::7] = np.nan
    towns = np.array(["Ulm", "Köln", None, "a/b"], dtype=object)[rng.integers(0, 4, n)]
    return Examples(
        columns={
            "income": signal * 1000, "a/b": with_gaps, "a_b": rng.normal(size=n), "name": rng.integers(0, 3, n) * 1.0,
            "size in cm": np.full(n, 0.1), "input": towns,
            "größe ☺": np.array(["x", "y"], dtype=object)[(signal > 0) * 1],
        },
        target=labels(n, classes, signal),
    )  # fmt: skip


def pictures(classes=2, n=60, seed=0):
    rng = np.random.default_rng(seed)
    signal = rng.uniform(2, 6, n)
    y, x = np.mgrid[:12, :12]
    discs = np.hypot(y - 6, x - 6)[None] < signal[:, None, None]
    noise = rng.integers(0, 40, discs.shape)
    return Examples(
        columns={"image": (discs * 200 + noise).astype(np.uint8)[..., None]}, target=labels(n, classes, signal)
    )


def waves(classes=2, n=60, seed=0):
    rng = np.random.default_rng(seed)
    signal = rng.uniform(100, 800, n)
    time = np.arange(RATE // 2) / RATE
    sound = 0.5 * np.sin(2 * np.pi * signal[:, None] * time) + 0.05 * rng.normal(size=(n, len(time)))
    return Examples(columns={"wave": sound.astype(np.float32)}, target=labels(n, classes, signal))


def texts(classes=2, n=60, seed=0):
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=n)
    good, filler = np.array(["great", "lovely", "süß"]), np.array(["the", "tea", "was", "awful", "\n", "你好"])
    rows = [" ".join([*rng.choice(filler, 5), *rng.choice(good, int(3 * (value > 0)) + 1)]) for value in signal]
    values = np.array(rows, dtype=object)
    return Examples(columns={"text": values}, target=labels(n, classes, signal), kinds={"text": "text"})


DATA = {"table": table, "pictures": pictures, "waves": waves, "texts": texts}
