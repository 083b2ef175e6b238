"""`--set recipe.epochs=5`: changing a recipe or protocol for one run; what cannot work is refused."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, get_args, get_type_hints

from pipelines.errors import BadInput
from pipelines.task import Protocol, Recipe

ONLY_WITH = {"drop_every": ("step",), "drop_factor": ("step", "plateau"), "drop_patience": ("plateau",)}
"""Settings of a recipe that only these schedules look at."""


def apply(assignments: Sequence[str], recipe: Recipe, protocol: Protocol) -> tuple[Recipe, Protocol]:
    """The recipe and the protocol after `key=value` assignments.

    Raises:
        BadInput: no `=`, an unknown key (the nearest is suggested), a key given twice, a value of the wrong type or out
            of range, or one that would do nothing beside the others.
    """
    parts: dict[str, Any] = {"recipe": recipe, "protocol": protocol}
    changes: dict[str, dict[str, tuple[str, Any]]] = {part: {} for part in parts}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise BadInput(f"--set {assignment}: write key=value, for example --set recipe.epochs=5")
        key = key.strip()
        part, name = _find(key, parts)
        if name in changes[part]:
            raise BadInput(f"--set {assignment}: --set {changes[part][name][0]} says so already; give {key} once")
        kind = get_type_hints(type(parts[part]))[name]
        changes[part][name] = (assignment, _parse(key, text.strip(), kind, getattr(parts[part], name)))
    changed = _changed(recipe, changes["recipe"])
    _require_effect(recipe, changed, changes["recipe"])
    return changed, _changed(protocol, changes["protocol"])


def _changed(declared: Any, changes: dict[str, tuple[str, Any]]) -> Any:
    """What a task declares after all changes, whatever their order: one may only make sense beside another.

    Args:
        changes: field -> (the assignment as it was given, its value).
    """
    values = {name: value for name, (_, value) in changes.items()}
    try:
        return replace(declared, **values)
    except ValueError as error:
        raise BadInput(f"--set {_blamed(declared, changes, str(error))}: {error}") from error


def _blamed(declared: Any, changes: dict[str, tuple[str, Any]], message: str) -> str:
    """The first assignment with which this is refused."""
    values: dict[str, Any] = {}
    for name, (assignment, value) in changes.items():
        values[name] = value
        try:
            replace(declared, **values)
        except ValueError as error:
            if str(error) == message:
                return assignment
    raise AssertionError("all changes together were refused before")


def keys() -> list[str]:
    """Every key that can be set."""
    return [f"recipe.{each.name}" for each in fields(Recipe)] + [f"protocol.{each.name}" for each in fields(Protocol)]


def _find(key: str, parts: dict[str, Any]) -> tuple[str, str]:
    part, _, name = key.partition(".")
    if part in parts and name in {each.name for each in fields(parts[part])}:
        return part, name
    near = difflib.get_close_matches(key, keys(), 1, 0.5)
    hint = f"did you mean {near[0]}? " if near else ""
    raise BadInput(f"--set {key}: there is no such key; {hint}The keys are {', '.join(keys())}")


def _require_effect(declared: Recipe, recipe: Recipe, changes: dict[str, tuple[str, Any]]) -> None:
    """Refuse a change that nothing will look at. What a task declares may stand by for another schedule."""
    for name, (assignment, value) in changes.items():
        if value == getattr(declared, name):
            continue
        if recipe.schedule not in (schedules := ONLY_WITH.get(name, (recipe.schedule,))):
            needed = " or ".join(f"recipe.schedule={each}" for each in schedules)
            raise BadInput(
                f"--set {assignment}: it does nothing with recipe.schedule={recipe.schedule}; set {needed} as well"
            )
        if name == "dp_clip" and not recipe.private:
            raise BadInput(
                f"--set {assignment}: it does nothing without recipe.dp_epsilon or recipe.dp_noise; for training that "
                "is not private there is recipe.clip_norm"
            )


def _parse(key: str, text: str, kind: Any, declared: Any) -> Any:
    """The value that the text stands for.

    Args:
        kind: `int`, `float`, `str`, or a Literal of words.
        declared: what the task declares, which shows what a value looks like.
    """
    if words := get_args(kind):
        if text not in words:
            near = difflib.get_close_matches(text.lower(), words, 1, 0.5)
            hint = f"did you mean {near[0]}? " if near else ""
            raise BadInput(f"--set {key}={text}: {hint}write one of {', '.join(words[:-1])} or {words[-1]}")
        return text
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or (kind is float and not math.isfinite(value)):
        wanted = "a whole number" if kind is int else "a finite number"
        raise BadInput(f"--set {key}={text}: write {wanted}, as in {key}={declared}")
    return value
