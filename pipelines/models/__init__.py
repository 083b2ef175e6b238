"""Keras architectures that more than one domain uses."""
