"""Card: what nobody can measure about a model. What it is for, for whom, what not for, who decides, where it fails.

A task declares it of its own sample sets; a user says it of their own data in a TOML file.
After Mitchell et al. (2019), Model Cards for Model Reporting, FAT*.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from pipelines.errors import BadInput

EXAMPLE = 'purpose = "what the model is meant for"'
LONGEST = 4000
"""Characters of one text."""
MOST = 50
"""Texts in one list."""


@dataclass(frozen=True)
class Card:
    """What a model is for, said by people.

    Args:
        purpose: what it is meant for, in a sentence or two.
        users: who should use it.
        decides: who decides, and what a person can do about a decision.
        not_for: uses that it is not meant for.
        failures: where it is known to fail.
        origins: name of a data set (`credit_data`) -> where it comes from, under which licence; an empty name is any.
        contact: who answers for the model.
    """

    purpose: str
    users: str
    decides: str
    not_for: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    contact: str = ""

    def origin(self, source: str) -> str:
        """Where the data of this source (`sample credit_data/1.0.0`) come from; empty where the card does not say."""
        name = source.partition(" ")[2].partition("/")[0]
        return self.origins.get(name, self.origins.get("", ""))


def read_card(path: Path) -> Card:
    """The card in a TOML file: `purpose`, `users` and `decides` are texts, `not_for` and `failures` lists of them;
    `data` says where the data come from, `contact` who answers.

    Raises:
        BadInput: it cannot be read, or says something else; the message names the key and what would be right.
    """
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"--card {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"--card {path} is not TOML in UTF-8: {error}; a line looks like {EXAMPLE}") from error
    known = {each.name for each in fields(Card)} - {"origins"} | {"data"}
    if strange := sorted(set(told) - known):
        raise BadInput(f"--card {path}: there is no key {strange[0]!r}; it may say {', '.join(sorted(known))}")
    if "purpose" not in told:
        raise BadInput(f"--card {path} says no purpose; write {EXAMPLE}")
    purpose, users, decides, contact, data = (
        _text(path, key, told.get(key, "")) for key in ("purpose", "users", "decides", "contact", "data")
    )
    not_for, failures = (_texts(path, key, told.get(key, [])) for key in ("not_for", "failures"))
    return Card(purpose, users, decides, not_for, failures, {"": data} if data else {}, contact)


def _text(path: Path, key: str, value: Any) -> str:
    if not isinstance(value, str) or (key == "purpose" and not value.strip()):
        raise BadInput(f"--card {path}: {key} must be a text in quotes")
    if len(value) > LONGEST:
        raise BadInput(f"--card {path}: {key} has {len(value)} characters; say it in {LONGEST}")
    return value.strip()


def _texts(path: Path, key: str, values: Any) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise BadInput(f'--card {path}: {key} must be a list of texts, ["like", "this"]')
    if len(values) > MOST:
        raise BadInput(f"--card {path}: {key} has {len(values)} entries; {MOST} are the most")
    return tuple(_text(path, key, value) for value in values)
