"""Importing TensorFlow without the lines that its C++ writes to stderr before logging can be configured."""

from __future__ import annotations

import logging
import os
import sys
import tempfile


def import_tensorflow(debug: bool) -> None:
    """Import TensorFlow and look for devices; what it writes is shown only with `debug` or when the import fails."""
    if debug or "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    with tempfile.TemporaryFile() as written:
        kept = os.dup(2)
        os.dup2(written.fileno(), 2)
        try:
            import tensorflow as tf

            tf.config.list_physical_devices()
        except BaseException:
            os.dup2(kept, 2)
            written.seek(0)
            os.write(2, written.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    logging.getLogger("absl").setLevel(logging.ERROR)
