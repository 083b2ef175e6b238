"""How numbers and names are written for a person, in the terminal and on the page alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

SPOKEN: Mapping[str, str] = {
    "auroc": "AUROC", "average_precision": "avg precision", "expected_calibration_error": "calibration error",
    "f1": "F1", "rmse": "RMSE", "mae": "MAE", "r2": "R²", "tpr": "TPR", "fpr": "FPR", "ppv": "PPV",
    "sharpe": "Sharpe", "referable_auroc": "referable AUROC",
}  # fmt: skip

SIZES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))

EXPLAINED: Mapping[str, str] = {
    "auroc": "chance that a positive ranks above a negative, 0.5 is guessing",
    "average_precision": "precision averaged over all thresholds, guessing gives the share of positives",
    "accuracy": "share decided rightly",
    "selection_rate": "share decided positive",
    "tpr": "share of positives found",
    "fpr": "share of negatives wrongly decided positive",
    "ppv": "share of positive decisions that are right",
    "mean_error": "prediction minus truth",
    "quadratic_kappa": "agreement beyond chance, errors of more grades weighing more; 0 is guessing, 1 full agreement",
    "referable_auroc": "chance that a row to be referred ranks above one that is not",
    "sharpe": "mean over standard deviation of daily returns after costs, a year",
    "annual_return": "a year, after costs",
    "max_drawdown": "largest loss from a peak, as a share of it",
    "turnover": "traded a year, in multiples of wealth, buying and selling both counted",
    "tail_loss": "mean loss of the worst 5 % of the days",
}


def number(value: float, digits: int = 3) -> str:
    """A number to read, with fewer digits where it is large; `undefined` for NaN, and no sign where nothing is left."""
    if value != value:
        return "undefined"
    size = abs(value)
    return f"{value:z,.{digits if size < 10 else 2 if size < 100 else 1 if size < 1000 else 0}f}"


def signed(value: float, digits: int = 3) -> str:
    """`number` with its sign, for differences."""
    return f"+{number(value, digits)}" if value >= 0 else number(value, digits)


def interval(low: float, high: float, digits: int = 3, how: Callable[[float, int], str] = number) -> str:
    """Both ends of an interval; `-` where one is not known."""
    return "-" if low != low or high != high else f"{how(low, digits)} to {how(high, digits)}"


def spoken(metric: str) -> str:
    """How a score or metric is called in a heading."""
    return SPOKEN.get(metric, metric.replace("_", " "))


def in_full(metric: str) -> str:
    """The same where there is room."""
    return "average precision" if metric == "average_precision" else spoken(metric)


def together(names: Sequence[str]) -> str:
    """`tabm`; `tabm and gru`; `tabm, gru and autoencoder`."""
    return " and ".join(each for each in (", ".join(names[:-1]), names[-1]) if each)


def explained(names: Sequence[str]) -> str:
    """What these metrics are, for those that are not said by their name."""
    return "; ".join(f"{in_full(name)}: {EXPLAINED[name]}" for name in names if name in EXPLAINED)


def short(value: float) -> str:
    """Three digits and a letter: 12.3 k; `-` where not known."""
    if math.isnan(value):
        return "-"
    size, letter = next((each for each in SIZES if abs(value) >= each[0]), (1.0, ""))
    return f"{value / size:.3g} {letter}"
