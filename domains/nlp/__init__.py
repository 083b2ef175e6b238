"""Written language."""
