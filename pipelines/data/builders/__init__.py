"""One TFDS builder per sample set."""
