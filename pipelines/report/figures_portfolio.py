"""The figure of portfolios: what wealth became, and how far it fell from its highest, day by day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.portfolio import equity
from pipelines.report.document import Estimate
from pipelines.report.figures import COLOURS, DASHES, _blank, _title

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def equity_curves(
    net: Mapping[str, NDArray[np.float64]], time: NDArray[Any], scores: Mapping[str, Estimate], every: int
) -> Figure:
    """Wealth after costs on a scale of ratios, and below it the drawdown.

    Args:
        net: contender -> (n,) daily returns after costs.
        time: (n,) seconds since 1970 of each day.
        scores: contender -> its Sharpe ratio.
        every: days from one rebalancing to the next.
    """
    figure = _blank(8.6, 6.0)
    wealth, fallen = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": (3, 1)})
    days = np.asarray(time, np.float64).astype("datetime64[s]").astype("datetime64[D]")
    days = np.concatenate([days[:1] - np.timedelta64(1, "D"), days])
    for place, (name, returns) in enumerate(net.items()):
        grown, below = equity(returns)
        look = {"color": COLOURS[place % len(COLOURS)], "linestyle": DASHES[place % len(DASHES)], "linewidth": 1.3}
        wealth.plot(days, grown, label=f"{name}: Sharpe {scores[name]}", **look)
        fallen.plot(days, 100 * below, **look)
    wealth.set_yscale("log")
    wealth.yaxis.set_major_formatter("{x:g}")
    wealth.yaxis.set_minor_formatter("{x:g}")
    wealth.set_ylabel("wealth, 1 at the start")
    fallen.set_ylabel("below the peak (%)")
    for axes in (wealth, fallen):
        axes.grid(visible=True, which="both", alpha=0.3)
    wealth.legend(loc="upper left", fontsize=8)
    _title(figure, f"What each portfolio became on tested days, after costs\n(rebalanced every {every} days)")
    return figure
