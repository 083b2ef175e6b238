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
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise BadInput(f"--set {assignment}: write key=value, for example --set recipe.epochs=5")
        key = key.strip()
        part, name = _find(key, parts)
        value = _parse(key, text.strip(), get_type_hints(type(parts[part]))[name])
        try:
            parts[part] = replace(parts[part], **{name: value})
        except ValueError as error:
            raise BadInput(f"--set {assignment}: {error}") from error
    return parts["recipe"], parts["protocol"]


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
