"""What made a run: versions, commit, devices and the process, as tags. Finding them out never fails a run."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pipelines

LIBRARIES = ("tensorflow", "keras", "scikit-learn", "numpy", "pandas", "skops", "mlflow")


def code_tags() -> dict[str, str]:
    """Tapeline's version, the commit where it runs from a git checkout, and the libraries' versions."""
    tags = {"code_version": pipelines.__version__, "python": platform.python_version()}
    commit = git_commit(Path(pipelines.__file__).parents[1])
    if commit:
        tags |= {"code_version": f"{pipelines.__version__}+{commit}", "mlflow.source.git.commit": commit.split("-")[0]}
    return tags | versions()


def versions() -> dict[str, str]:
    """Installed version of each library, read without importing it."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def sources() -> str:
    """A hash of our own sources: other code may train something else, whatever its version is called."""
    root = Path(pipelines.__file__).parents[1]
    found = hashlib.sha256()
    for path in sorted(path for package in ("pipelines", "domains") for path in (root / package).rglob("*.py")):
        found.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return found.hexdigest()


def git_commit(checkout: Path) -> str | None:
    """The commit of this checkout, with `-dirty` where files differ from it; None where git cannot tell."""
    git = shutil.which("git")
    if git is None or not (checkout / ".git").exists():  # an installed package may lie inside someone else's checkout
        return None
    command = [git, "-C", str(checkout), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None


def devices() -> str:
    """Accelerators that TensorFlow sees, or the processors; TensorFlow is asked only where it is loaded already."""
    if "tensorflow" in sys.modules:
        import tensorflow as tf

        accelerators = [device.name for kind in ("GPU", "TPU") for device in tf.config.list_physical_devices(kind)]
        if accelerators:
            return ", ".join(accelerators)
    return f"{os.cpu_count()} x {platform.machine()} CPU"


def this_process() -> str:
    """Names this process so that another one on the same machine can tell whether it still lives."""
    import psutil

    return f"{machine()} {os.getpid()} {psutil.Process().create_time():.2f}"


def has_ended(process: str) -> bool:
    """Whether the process that `this_process` named is gone; False where that cannot be known from here."""
    import psutil

    try:
        where, pid, started = process.rsplit(" ", 2)
        if where != machine():
            return False
        return bool(abs(psutil.Process(int(pid)).create_time() - float(started)) > 1)
    except psutil.NoSuchProcess:
        return True
    except (ValueError, psutil.Error):
        return False


def machine() -> str:
    """The host and, on Linux, the namespace of process numbers: two containers of one host count as two machines."""
    try:
        namespace = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        namespace = ""
    return f"{platform.node()} {namespace}".strip()
