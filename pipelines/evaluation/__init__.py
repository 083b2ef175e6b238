"""Judging predictions: scores, intervals, comparison, calibration, thresholds, bias. NumPy only."""
