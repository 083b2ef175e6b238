"""What personal data looks like: e-mail addresses, phone and card numbers, IBANs, national identity numbers.

A text is searched for what has the form of a kind, and each find is checked: by its checksum or the rules of its
country (python-stdnum), by the numbering plans of the world (phonenumbers). One number in ten passes the checksum of
a card by chance, so a kind is told of a column only where at least half of what has its form passes. National numbers
that are nothing but digits look like any other number: they are told where a whole column passes.

Nothing here returns what it found, only how often and where it was.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

EMAIL, IBAN, CARD, NATIONAL, PHONE, PERSON = (
    "e-mail address", "IBAN", "card number", "national identity number", "phone number", "name of a person",
)  # fmt: skip

MARKS = {EMAIL: "[email]", IBAN: "[iban]", CARD: "[card]", NATIONAL: "[identity]", PHONE: "[phone]"}
"""What stands in a text in place of what was found."""

HALF = 0.5
"""Of what has the form of a kind, so much has to be one."""

BARE_VALUES, BARE_SHARE = 20, 0.9
"""National numbers without any sign but digits: so many of a column at least, and this share of its values."""

DENSE = re.compile(r"(?:\d[^\d]{0,4}){5}\d")
"""Six digits near to each other, as all kinds but e-mail addresses have: most texts need no further look."""

APART = r"(?<![A-Za-z0-9])(?:{})(?![A-Za-z0-9])"


@dataclass(frozen=True)
class Form:
    """One way to write one kind.

    Args:
        pattern: where it may be.
        length: of the text at a match, how many characters belong to it; 0 where it is none.
        plain: whether it may be nothing but digits.
    """

    kind: str
    pattern: re.Pattern[str]
    length: Callable[[str], int]
    plain: bool = False


def kinds_in(values: Iterable[str]) -> dict[str, list[int]]:
    """Kind -> which of a column's values hold it, by their places; kinds that are there by chance are left out."""
    written: Counter[Form] = Counter()
    checked: dict[Form, list[int]] = defaultdict(list)
    bare: dict[int, str] = {}
    seen = 0
    for place, value in enumerate(values):
        seen += 1
        if value.isdecimal() and 9 <= len(value) <= 13:
            bare[place] = value
        for form, valid, _ in _matches(value):
            written[form] += 1
            if valid:
                checked[form].append(place)
    found: dict[str, set[int]] = defaultdict(set)
    for form, places in checked.items():
        if len(places) >= HALF * written[form]:
            found[form.kind].update(places)
    if _national_numbers(list(bare.values()), seen):
        found[NATIONAL].update(bare)
    return {kind: sorted(places) for kind, places in found.items()}


def masked(text: str) -> str:
    """The text with `[email]`, `[card]` and so on in place of what is one."""
    spans: list[tuple[int, int, str]] = []
    for form, valid, (start, end) in _matches(text):
        if valid and all(end <= first or start >= last for first, last, _ in spans):
            spans.append((start, end, MARKS[form.kind]))
    for start, end, mark in sorted(spans, reverse=True):
        text = text[:start] + mark + text[end:]
    return text


def _matches(text: str) -> Iterator[tuple[Form, bool, tuple[int, int]]]:
    """Whatever has the form of a kind, whether it is one, and where; kinds that are surest first."""
    email, *others = forms()
    if "@" in text:
        yield from _matches_of(email, text)
    if DENSE.search(text):
        digits = text.isdecimal()
        for form in others if not digits else [form for form in others if form.plain]:
            yield from _matches_of(form, text)


def _matches_of(form: Form, text: str) -> Iterator[tuple[Form, bool, tuple[int, int]]]:
    for match in form.pattern.finditer(text):
        length = form.length(match.group())
        yield form, bool(length), (match.start(), match.start() + length)


@cache
def forms() -> tuple[Form, ...]:
    """All ways to write all kinds, e-mail addresses first; compiled once."""
    local, label = r"[\w.%+'-]{1,64}", r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    email = Form(EMAIL, re.compile(rf"(?<![\w.%+'-]){local}@(?:{label}\.)+[A-Za-z]{{2,24}}(?![A-Za-z0-9])"), len)
    iban = Form(IBAN, re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]){11,30}"), _iban)
    # A decimal is no card number, however long it is.
    digits = r"(?<![\d.,-])\d(?:[ -]?\d){12,18}(?![ -]?\d|[.,]\d)"
    card = Form(CARD, re.compile(rf"(?<![A-Za-z]){digits}(?![A-Za-z])"), _card, plain=True)
    national = tuple(
        Form(NATIONAL, re.compile(APART.format(pattern)), _national(modules), plain=modules[0] in PLAIN)
        for pattern, *modules in NATIONALS
    )
    abroad = Form(PHONE, re.compile(r"(?<![A-Za-z0-9.+])(?:\+|00)[1-9](?:[ ()./-]{0,2}\d){6,14}(?![\d])"), _phone)
    american = re.compile(r"(?<![A-Za-z0-9.-])(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}(?![A-Za-z0-9-]|\.\d)")
    return (email, iban, card, *national, abroad, Form(PHONE, american, _phone))


NATIONALS: tuple[tuple[str, ...], ...] = (
    (r"\d{3}-\d{2}-\d{4}", "us.ssn"),
    (r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]", ""),  # United Kingdom: no checksum
    (r"\d{3} \d{3} \d{4}", "gb.nhs"),
    (r"[12] ?\d{2} ?\d{2} ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}", "fr.nir"),
    (r"\d{2} \d{3} \d{3} \d{3}", "de.idnr"),
    (r"\d{8}-?[A-Z]|[XYZ]-?\d{7}-?[A-Z]", "es.dni", "es.nie"),
    (r"[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]", "it.codicefiscale"),
    (r"(?:\d{2})?\d{6}[-+]\d{4}", "se.personnummer", "dk.cpr"),
    (r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]", "fi.hetu"),
    (r"\d{6} \d{5}", "no.fodselsnummer"),
    (r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", "be.nn"),
    (r"756\.\d{4}\.\d{4}\.\d{2}", "ch.ssn"),
    (r"\d{3}[ -]\d{3}[ -]\d{3}", "ca.sin"),
    (r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[0-9A-Z]\d", "mx.curp"),
    (r"\d{3}\.\d{3}\.\d{3}-\d{2}", "br.cpf"),
    (r"\d{4} \d{4} \d{4}", "in_.aadhaar"),
    (r"\d{17}[\dX]", "cn.ric"),
    (r"\d{6}-\d{7}", "kr.rrn"),
)
"""How national identity numbers are written, and the modules of python-stdnum that check them."""

PLAIN = ("fr.nir", "cn.ric")
"""Of these, those that may be digits alone and are long enough to be told from other numbers all the same."""

BARE = ("nl.bsn", "pl.pesel", "de.idnr", "gb.nhs", "tr.tckimlik", "ro.cnp", "no.fodselsnummer", "za.idnr", "br.cpf")
"""National identity numbers that are often written as nothing but digits."""


def _national(modules: list[str]) -> Callable[[str], int]:
    return lambda text: len(text) * (modules == [""] or any(_checked(module, text) for module in modules))


def _national_numbers(bare: list[str], values: int) -> bool:
    """Whether a column of so many values is one of national numbers: nearly all are those of one country."""
    least = max(BARE_VALUES, BARE_SHARE * values)
    if len(set(bare)) < least:
        return False
    return any(sum(_checked(module, value) for value in bare) >= least for module in BARE)


def _checked(module: str, text: str) -> bool:
    return bool(_stdnum(module).is_valid(text))


@cache
def _stdnum(module: str) -> Any:
    return import_module(f"stdnum.{module}")


def _iban(text: str) -> int:
    """Words may follow it without a sign: its country says how long it is, and two of its digits check that."""
    ends = [match.end() for match in re.finditer(r"[A-Za-z0-9]", text)]
    possible = (end for end in ends[14:34] if not text[end : end + 1].isalnum())
    return next((end for end in possible if _checked("iban", text[:end])), 0)


CARDS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}"
    r"|(?:6011|64[4-9]\d|65\d\d|62\d\d)\d{12,15}|3(?:0[0-5]|[689]\d)\d{11,16}|35(?:2[89]|[3-8]\d)\d{12,15}"
)
"""Visa, Mastercard, American Express, Discover and UnionPay, Diners, JCB: what a number starts with and its length."""


def _card(text: str) -> int:
    digits = re.sub(r"\D", "", text)
    return len(text) * (len(set(digits)) > 1 and CARDS.fullmatch(digits) is not None and _checked("luhn", digits))


def _phone(text: str) -> int:
    import phonenumbers

    written = "+" + text[2:] if text.startswith("00") else text
    try:
        number = phonenumbers.parse(written, None if written.startswith("+") else "US")
    except phonenumbers.NumberParseException:
        return 0
    return len(text) * phonenumbers.is_valid_number(number)
