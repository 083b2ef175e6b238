"""Tables that nobody has seen before."""

import numpy as np
import pandas as pd


def loans(rows=200, seed=0):
    """Names, categories, missing values, sensitive columns and a target that the columns say something about."""
    chance = np.random.default_rng(seed)
    income, job = chance.lognormal(3, 0.5, rows), chance.choice(["clerk", "farmer", "nurse", None], rows)
    late = chance.random(rows) < 1 / (1 + np.exp(-(income - 22) / 6 - (job == "nurse")))
    return pd.DataFrame({
        "name": [f"Person {number}" for number in range(rows)],
        "sex": chance.choice(["f", "m"], rows),
        "age": chance.integers(18, 80, rows),
        "income": np.where(chance.random(rows) < 0.1, np.nan, income.round(2)),
        "job": job,
        "visits": chance.integers(0, 9, rows),
        "customer": np.arange(rows) // 2,
        "day": pd.date_range("2024-01-01", periods=rows).strftime("%Y-%m-%d"),
        "grade": np.array(["low", "mid", "high"])[np.digitize(income, (16, 24))],
        "defaulted": np.where(late, "yes", "no"),
    })  # fmt: skip
