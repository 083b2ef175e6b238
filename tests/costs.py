"""Reports with costs that are easy to reckon with."""

from pipelines.report.document import Cost, DataCard, Estimate, Report, Scorecard, Verdict
from pipelines.report.machine import Machine

FIRST = Cost(2.0, 900.0, 300.0, 17, 40.0, 0.25, 3.0, 100.0, 1.5, 2.5, 50.0, 6e9)
SECOND = Cost(6.0, 800.0, 500.0, 18, 41.0, 0.5, 9.0, 20.0, 1.6, 2.6, 40.0, 2e9)
MACHINE = Machine("AMD EPYC", 2, 25.3, (), 50.0, 18.0, "2026-11-28")


def report(*costs, **fields):
    cards = tuple(
        Scorecard(name, kind, {"auroc": Estimate(0.8, 0.7, 0.9)}, cost)
        for (name, kind), cost in zip((("mlp", "network"), ("forest", "classical")), costs, strict=False)
    )
    data = DataCard("sample", False, 10, "0" * 64, {"train": 6, "valid": 2, "test": 2})
    return Report("a/b", 0, 1.0, data, cards, (), Verdict("mlp", "yes"), "auroc", **fields)
