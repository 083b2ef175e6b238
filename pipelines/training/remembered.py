"""What was measured once, kept on the disk of this machine: how fast a network is with and without XLA.

A file for each network, shape of rows, hardware and versions, in the user's cache; one that is missing, damaged or
cannot be written only costs measuring again.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from pipelines.training.strategy import devices

MEASURED_WITH = ("tensorflow", "keras")
MARGIN = 0.95
"""XLA has to undercut so much of the other's seconds: otherwise compiling is not paid back, and noise would decide."""
PROCESSOR = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Measured:
    """Seconds per update, without XLA and with it.

    Args:
        xla: None where it was not ready in time, or could not be compiled, as `trouble` says.
        on: the day, as ISO 8601 writes it.
    """

    plain: float
    xla: float | None
    on: str
    trouble: str = ""

    @property
    def compiled_is_quicker(self) -> bool:
        return self.xla is not None and self.xla < MARGIN * self.plain

    def __str__(self) -> str:
        if self.xla is None:
            return f"measured on {self.on}: {1000 * self.plain:.3g} ms a step, and XLA {self.trouble}"
        return f"measured on {self.on}: {1000 * self.xla:.3g} ms a step with XLA, {1000 * self.plain:.3g} without"


def folder(of: str = "plans") -> Path:
    """Where things of a kind are kept: `tapeline/plans` in the user's cache.

    Raises:
        FileNotFoundError: the user has no home, as in a container that runs as just any number.
    """
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tapeline" / of
    except RuntimeError as error:
        raise FileNotFoundError("no home") from error


def key_of(network: str, settings: Mapping[str, str]) -> str:
    """One name for a network, how it is trained, what it runs on, and the versions of what runs it."""
    versions = {name: metadata.version(name) for name in MEASURED_WITH}
    threads = {name: value for name, value in os.environ.items() if name.startswith(("TF_", "OMP_", "XLA_"))}
    threads.pop("TF_CPP_MIN_LOG_LEVEL", None)
    told = [network, dict(settings), versions, devices(), processor(), threads]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]


def recall(key: str) -> Measured | None:
    """What was measured under this key; None where nothing is known."""
    try:
        found = Measured(**json.loads((folder() / f"{key}.json").read_text(encoding="utf-8")))
        return found if found.plain > 0 and (found.xla is None or found.xla > 0) else None
    except (OSError, ValueError, TypeError):
        return None


def remember(key: str, measured: Measured) -> None:
    """Keep it for the next run, if the disk takes it."""
    with suppress(OSError):
        write(folder() / f"{key}.json", asdict(measured))


def write(path: Path, told: Mapping[str, Any]) -> None:
    """A file of JSON that is whole or not there.

    Raises:
        OSError: the disk does not take it.
    """
    beside = path.with_suffix(f".{os.getpid()}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    with beside.open("w", encoding="utf-8") as file:
        json.dump(dict(told), file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def processor() -> str:
    """The model of the processor, as the system names it."""
    with suppress(OSError):
        for line in PROCESSOR.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
