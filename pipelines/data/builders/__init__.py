"""One TFDS builder per sample set. They import TFDS, so SampleSet imports one only when it is read."""
