"""Keeping what libraries write to stderr from a user, who sees our own lines: all of it is back with --debug."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import warnings


def import_tensorflow(debug: bool) -> None:
    """Import TensorFlow and look for devices, without the lines that its C++ writes before logging can be configured.

    What it writes is shown where the import fails.
    """
    if debug or "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("PYTHONWARNINGS", "ignore")  # of the processes that a search starts
    warnings.simplefilter("ignore")
    sys.stderr.flush()
    with tempfile.TemporaryFile() as written:
        kept = os.dup(2)
        os.dup2(written.fileno(), 2)
        try:
            import tensorflow as tf

            tf.config.list_physical_devices()
        except Exception:  # an interruption is no failure of the import
            os.dup2(kept, 2)
            written.seek(0)
            os.write(2, written.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    logging.getLogger("absl").setLevel(logging.ERROR)
