"""What all tests share."""

import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# What a test measures is its own: neither read from a person's cache nor left there.
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="tapeline-cache-")
