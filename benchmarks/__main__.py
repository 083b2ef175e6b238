"""`make bench`: every benchmark, one after the other, or the one that is named."""

from __future__ import annotations

import argparse

from benchmarks import training
from benchmarks.workloads import WORKLOADS


def main() -> None:
    """Read the command line and measure."""
    names = [workload.name for workload in WORKLOADS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("benchmark", nargs="?", choices=("training",), help="all of them if it is left out")
    parser.add_argument("--quick", action="store_true", help="a smoke run of a few steps; writes nothing")
    parser.add_argument("--only", metavar="NAME", choices=names, help=f"one of {', '.join(names)}; writes nothing")
    parser.add_argument("--rounds", type=int, default=training.ROUNDS, help="turns of each entrant (default: 7)")
    asked = parser.parse_args()
    if asked.rounds < 1:
        parser.error("--rounds must be at least 1")
    training.main([asked.only] if asked.only else [], asked.rounds, asked.quick)


if __name__ == "__main__":
    main()
