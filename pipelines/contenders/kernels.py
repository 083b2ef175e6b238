"""A Gaussian kernel for few rows and for many."""

from __future__ import annotations

from typing import Any

MANY_ROWS = 20_000
"""From here on the time of a support vector machine, which grows with the square of the rows, is hours."""

LANDMARKS = 300


def gaussian(rows: int) -> tuple[tuple[Any, ...], str, str]:
    """The last steps of a classifier with a Gaussian kernel.

    For few rows a support vector machine, calibrated by sigmoid; for many, logistic regression on the kernel with
    `LANDMARKS` training rows (Nystroem), whose time grows with the rows.

    Reference: Williams and Seeger (2001), "Using the Nystroem method to speed up kernel machines", NIPS 13.

    Returns:
        The steps, and what their parameters `C` and `gamma` are called in the pipeline.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.kernel_approximation import Nystroem
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import SVC

    if rows < MANY_ROWS:
        machine = CalibratedClassifierCV(SVC(), cv=3, ensemble=False)
        return (machine,), "calibratedclassifiercv__estimator__C", "calibratedclassifiercv__estimator__gamma"
    steps = (Nystroem(n_components=LANDMARKS), LogisticRegression(max_iter=300))
    return steps, "logisticregression__C", "nystroem__gamma"
