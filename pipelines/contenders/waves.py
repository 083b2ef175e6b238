"""The classical models for sound: statistics of cepstral coefficients."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contenders.kernels import gaussian
from pipelines.contenders.tables import prior
from pipelines.data.examples import Examples
from pipelines.objectives.objective import Objective
from pipelines.task import Baseline, Candidate

WINDOW_SECONDS, HOP_SECONDS, MELS, COEFFICIENTS, SEGMENTS = 0.032, 0.016, 40, 13, 3


def baselines(rate: int) -> tuple[Baseline, ...]:
    """The line-up for waves of `rate` samples a second."""
    return (
        Baseline("prior", prior, column="wave"),
        Baseline("mfcc-logistic", partial(mfcc_logistic, rate), column="wave"),
        Baseline("mfcc-svm", partial(mfcc_svm, rate), column="wave"),
    )


def mfcc_logistic(rate: int, train: Examples, objective: Objective) -> Candidate:
    """Logistic regression on MFCC statistics; the penalty is tuned."""
    from scipy.stats import loguniform
    from sklearn.linear_model import LogisticRegression

    return Candidate(_pipeline(rate, LogisticRegression(max_iter=300)), {"logisticregression__C": loguniform(1e-3, 10)})


def mfcc_svm(rate: int, train: Examples, objective: Objective) -> Candidate:
    """Support vector machine with a Gaussian kernel on MFCC statistics, calibrated by sigmoid; both settings tuned.

    From 20 000 rows on the kernel is approximated (`kernels.gaussian`).
    """
    from scipy.stats import loguniform

    steps, penalty, width = gaussian(len(train))
    return Candidate(_pipeline(rate, *steps), {penalty: loguniform(0.3, 100), width: loguniform(3e-4, 3e-2)})


def _pipeline(rate: int, *steps: Any) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    return make_pipeline(FunctionTransformer(mfcc_statistics, kw_args={"rate": rate}), StandardScaler(), *steps)


def mfcc_statistics(waves: NDArray[Any], rate: int) -> NDArray[np.float32]:
    """(n, samples) waves -> (n, 4 x segments x 13): mean and deviation of the coefficients and their change in time.

    Each wave is cut into three segments of equal length, so that the order of sounds is kept.

    Reference: Davis and Mermelstein (1980), IEEE Transactions on Acoustics, Speech and Signal Processing 28(4).
    """
    blocks = [_statistics(waves[start : start + 256], rate) for start in range(0, len(waves), 256)]
    return np.concatenate(blocks)


def _statistics(waves: NDArray[Any], rate: int) -> NDArray[np.float32]:
    from scipy.fft import dct

    window, hop = int(rate * WINDOW_SECONDS), int(rate * HOP_SECONDS)
    if waves.shape[1] < window * 4:
        waves = np.pad(waves, ((0, 0), (0, window * 4 - waves.shape[1])))
    frames = np.lib.stride_tricks.sliding_window_view(waves, window, axis=1)[:, ::hop] * np.hanning(window)
    power = np.abs(np.fft.rfft(frames, axis=2)) ** 2
    cepstrum = dct(np.log(power @ mel_filters(rate, window) + 1e-8), axis=2, norm="ortho")[:, :, :COEFFICIENTS]
    change = np.gradient(cepstrum, axis=1)
    parts = []
    for series in (cepstrum, change):
        for segment in np.array_split(series, SEGMENTS, axis=1):
            parts += [segment.mean(axis=1), segment.std(axis=1)]
    return np.concatenate(parts, axis=1).astype(np.float32)


def mel_filters(rate: int, window: int) -> NDArray[np.float64]:
    """(window / 2 + 1, 40) triangular filters, evenly spaced in mel (O'Shaughnessy 1987) from 0 to half the rate."""

    def to_mel(hertz: Any) -> Any:
        return 2595 * np.log10(1 + hertz / 700)

    frequencies = to_mel(np.linspace(0, rate / 2, window // 2 + 1))[:, np.newaxis]
    edges = np.linspace(0, to_mel(rate / 2), MELS + 2)
    rising = (frequencies - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies) / (edges[2:] - edges[1:-1])
    filters: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling))
    return filters
