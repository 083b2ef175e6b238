"""`--set recipe.epochs=5`: changing a recipe or protocol for one run; unknown keys and wrong types are refused."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, get_type_hints

from pipelines.errors import BadInput
from pipelines.task import Protocol, Recipe


def apply(assignments: Sequence[str], recipe: Recipe, protocol: Protocol) -> tuple[Recipe, Protocol]:
    """The recipe and the protocol after `key=value` assignments.

    Raises:
        BadInput: no `=`, an unknown key (the nearest is suggested), or a value of the wrong type or out of range.
    """
    parts: dict[str, Any] = {"recipe": recipe, "protocol": protocol}
    changes: dict[str, dict[str, tuple[str, Any]]] = {part: {} for part in parts}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise BadInput(f"--set {assignment}: write key=value, for example --set recipe.epochs=5")
        key = key.strip()
        part, name = _find(key, parts)
        changes[part][name] = (assignment, _parse(key, text.strip(), get_type_hints(type(parts[part]))[name]))
    return _changed(recipe, changes["recipe"]), _changed(protocol, changes["protocol"])


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


def _parse(key: str, text: str, kind: Any) -> Any:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind, config={"allow_inf_nan": False}).validate_python(text)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]["msg"]
        raise BadInput(f"--set {key}={text}: {problem[0].lower()}{problem[1:]}") from error
