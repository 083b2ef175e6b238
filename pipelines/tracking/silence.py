"""How MLflow is set before it is imported, so that it keeps to itself."""

from __future__ import annotations

import logging
import os


def quiet_mlflow() -> None:
    """Keep MLflow off stdout and stderr, and from reporting usage home; what the user set stays as it is."""
    if "MLFLOW_LOGGING_LEVEL" not in os.environ:
        # It logs with a traceback what it then raises as well, and raising is enough.
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
    # A server that vanishes while a run is recorded is given up after some 30 s instead of minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
