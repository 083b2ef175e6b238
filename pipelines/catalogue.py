"""Finding tasks: `finance/credit-default` is `domains.finance.credit_default.TASK`; other packages add entry points.

There is no registry to fill: a task is where its name says.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil
from importlib.metadata import entry_points

from pipelines.errors import BadInput
from pipelines.task import Task

GROUP = "tapeline.domains"
"""Entry points of this group name packages that hold domains, in the way `domains` does."""


def packages() -> list[str]:
    """The packages to look in: our own, then those that others registered."""
    return ["domains", *sorted({entry.value for entry in entry_points(group=GROUP)} - {"domains"})]


def names() -> list[str]:
    """Every task's name, in order. Imports the domains' folders but no task."""
    found = []
    for package in packages():
        root = importlib.import_module(package)
        for domain in pkgutil.iter_modules(root.__path__):
            if domain.ispkg:
                folder = importlib.import_module(f"{package}.{domain.name}")
                modules = [each.name for each in pkgutil.iter_modules(folder.__path__) if not each.name.startswith("_")]
                found += [f"{domain.name}/{module.replace('_', '-')}" for module in modules]
    return sorted(found)


def find(name: str) -> Task:
    """The task of this name.

    Raises:
        BadInput: there is none; the nearest name is suggested.
    """
    known = names()
    if name not in known:
        short = [each for each in known if each.endswith(f"/{name}")]
        near = short or difflib.get_close_matches(name, known, 1, 0.4)
        hint = f"did you mean {near[0]}? " if near else ""
        raise BadInput(f"there is no task {name!r}; {hint}`tapeline list` shows all")
    path = name.replace("-", "_").replace("/", ".")
    for package in packages():
        if importlib.util.find_spec(f"{package}.{path.partition('.')[0]}") is None:
            continue
        if importlib.util.find_spec(f"{package}.{path}") is not None:
            task: Task = importlib.import_module(f"{package}.{path}").TASK
            return task
    raise BadInput(f"there is no task {name!r}")
