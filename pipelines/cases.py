"""Single cases of a run: the surest right, the surest wrong and the least sure tested pictures, and where one looked.

Pictures of a user's own are private: they are shown only where somebody asks for it. Nothing of a row but its picture
and its class goes into the figure, neither its file, nor its id, nor anything of a header.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.examples import Examples
from pipelines.data.pictures import corrupted
from pipelines.explanation.answer import Answer
from pipelines.explanation.cam import grad_cam
from pipelines.explanation.opened import Opened, opened
from pipelines.objectives.automation import confidence
from pipelines.report import figures_cases
from pipelines.report.figures_cases import Case, Group

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pipelines.compete import Trial
    from pipelines.prepare import Prepared

MOST = 4
"""Cases of each kind, at most one a patient."""
TITLES = ("the surest of those that are right", "the surest of those that are wrong", "the least sure")


def shown(prepared: Prepared) -> bool:
    """Whether pictures of single rows may be shown: those of sample and public sets, and whatever was asked for."""
    asked = prepared.protocol.show_cases
    return asked == "yes" or (asked == "sets" and not prepared.own)


def figure_of(trial: Trial, prepared: Prepared, name: str) -> Figure | None:
    """The cases of a network's first test; None where they may not be shown, or there are no maps to show."""
    network = opened(trial.model) if shown(prepared) and prepared.objective.kind == "classification" else None
    if network is None or list(network.kinds.values()) != ["image"]:
        return None
    column, fold, done = next(iter(network.kinds)), prepared.folds[0], trial.folds[0]
    if not corrupted.possible(prepared.dataset.examples.columns[column]) or done.by_group is not None:
        return None
    tested = prepared.dataset.examples.take(fold.test)
    truth, decided = prepared.objective.encode(tested.target), done.predictions.labels()
    sure = confidence(done.predictions, np.nan if done.automation is None else done.automation.around)
    chosen = [_first(order, tested.ids) for order in _orders(truth == decided, sure)]
    groups = [
        Group(title, _cases(network, tested, rows, truth, decided, sure, prepared))
        for title, rows in zip(TITLES, chosen, strict=True)
    ]
    if any(group.cases is None for group in groups):
        return None
    return figures_cases.cases(name, groups)


def _orders(right: NDArray[np.bool_], sure: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """Rows in the order in which they are chosen, of each kind."""
    surest = np.argsort(-sure, kind="stable")
    return [surest[right[surest]], surest[~right[surest]], surest[::-1]]


def _first(order: NDArray[np.int64], ids: NDArray[Any] | None) -> NDArray[np.int64]:
    """The first rows of an order, each of another patient."""
    if ids is None:
        return order[:MOST]
    met: dict[str, int] = {}
    for row in order:
        met.setdefault(str(ids[row]), int(row))
        if len(met) == MOST:
            break
    return np.array(list(met.values()), np.int64)


def _cases(
    network: Opened,
    tested: Examples,
    rows: NDArray[np.int64],
    truth: NDArray[Any],
    decided: NDArray[Any],
    sure: NDArray[np.float64],
    prepared: Prepared,
) -> Any:
    """The cases of these rows; None where the network has no map of places."""
    if not len(rows):
        return ()
    some, classes = tested.take(rows), getattr(prepared.objective, "classes", ())
    looked = _looked(network, some, decided[rows].astype(np.int32), len(classes) == 2)
    if looked is None:
        return None
    (column,) = network.kinds
    pictures = np.asarray(some.columns[column][:])
    return tuple(
        Case(pictures[place], looked[place], classes[decided[row]], classes[truth[row]], float(sure[row]))
        for place, row in enumerate(rows)
    )


def _looked(network: Opened, rows: Examples, decided: NDArray[np.int32], two: bool) -> NDArray[np.float64] | None:
    """(n, height, width) where each row's decision comes from: of two classes a negative one speaks against the
    positive class."""
    here = network.numbers(network.encoded(rows))
    if not two:
        return grad_cam(network, here, decided)
    found = grad_cam(network, here, decided)
    against = grad_cam(replace(network, answer=_against(network.answer)), here, decided)
    if found is None or against is None:
        return None
    return np.where((decided == 1)[:, np.newaxis, np.newaxis], found, against)


def _against(answer: Answer) -> Answer:
    return replace(answer, of=lambda outputs, chosen: -answer.of(outputs, chosen))
