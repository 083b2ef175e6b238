"""`make bench`: every benchmark, one after the other."""

from benchmarks import training

if __name__ == "__main__":
    training.main()
