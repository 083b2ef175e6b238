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
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

EMAIL, IBAN, CARD, NATIONAL, PHONE, PERSON, BIRTH = (
    "e-mail address", "IBAN", "card number", "national identity number", "phone number", "name of a person",
    "date of birth",
)  # fmt: skip

MARKS = {EMAIL: "[email]", IBAN: "[iban]", CARD: "[card]", NATIONAL: "[identity]", PHONE: "[phone]"}
"""What stands in a text in place of what was found."""

HALF = 0.5
"""Of what has the form of a kind, so much has to be one."""

BARE_VALUES, BARE_SHARE = 20, 0.9
"""National numbers without any sign but digits: so many of a column at least, and this share of its values."""

DENSE = re.compile(r"(?:\d[^\d]{0,4}){5}\d")
"""Six digits near to each other, as all kinds but e-mail addresses have: most texts need no further look."""

TYPED = {
    **dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f"), " "),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2212"), "-"),
}
"""Spaces and hyphens of printed pages, each as the one sign that keyboards have for it."""

APART = r"(?<![A-Za-z0-9])(?:{})(?![A-Za-z0-9])"


@dataclass(frozen=True)
class Form:
    """One way to write one kind.

    Args:
        pattern: where it may be.
        length: of the text that begins at a match, how many characters belong to it; 0 where it has the form and is
            none; None where it has not even the form.
        plain: whether it may be nothing but digits.
    """

    kind: str
    pattern: re.Pattern[str]
    length: Callable[[str], int | None]
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


def masked(text: str, kinds: Collection[str] | None = None) -> str:
    """The text with `[email]`, `[card]` and so on in place of what is one.

    Args:
        kinds: which; None for all.
    """
    spans: list[tuple[int, int, str]] = []
    taken = bytearray(len(text))
    for form, valid, (start, end) in _matches(text):
        if valid and (kinds is None or form.kind in kinds) and not any(taken[start:end]):
            taken[start:end] = b"1" * (end - start)
            spans.append((start, end, MARKS[form.kind]))
    parts, place = [], 0
    for start, end, mark in sorted(spans):
        parts += [text[place:start], mark]
        place = end
    return "".join([*parts, text[place:]])


def _matches(text: str) -> Iterator[tuple[Form, bool, tuple[int, int]]]:
    """Whatever has the form of a kind, whether it is one, and where; kinds that are surest first."""
    email, *others = forms()
    text = text if text.isascii() else text.translate(TYPED)
    if "@" in text:
        yield from _matches_of(email, text)
    if DENSE.search(text):
        digits = text.isdecimal()
        for form in others if not digits else [form for form in others if form.plain]:
            yield from _matches_of(form, text)


def _matches_of(form: Form, text: str) -> Iterator[tuple[Form, bool, tuple[int, int]]]:
    """What looks like one and is none is gone over again from its second character: neighbours may hide one."""
    place = 0
    while match := form.pattern.search(text, place):
        start = match.start()
        length = form.length(text[start : start + LONGEST])
        place = start + max(1, length or 0)
        if length is not None:
            yield form, bool(length), (start, place if length else match.end())


@cache
def forms() -> tuple[Form, ...]:
    """All ways to write all kinds, e-mail addresses first; compiled once."""
    local, label = r"[\w.%+'-]{1,64}", r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    address = re.compile(rf"{local}@(?:{label}\.)+(?!(?:{NO_DOMAINS})(?![A-Za-z0-9]))[A-Za-z]{{2,24}}(?![A-Za-z0-9])")
    email = Form(EMAIL, re.compile(rf"(?<![\w.%+'-])(?!git@){address.pattern}"), _whole(address))
    iban = Form(IBAN, re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?= ?[A-Za-z0-9])"), _iban)
    # A decimal is no card number, however long it is.
    card = Form(CARD, re.compile(r"(?<![A-Za-z0-9])(?<!\d[.,-])[2-6](?=(?:[ -]?\d){12})"), _card, plain=True)
    national = tuple(
        Form(NATIONAL, each, _national(each, modules), plain=modules[0] in PLAIN)
        for each, modules in ((re.compile(APART.format(pattern)), modules) for pattern, *modules in NATIONALS)
    )
    abroad = re.compile(
        r"(?<![A-Za-z0-9.+])(?:\+(?!\d{1,3}\.\d{4})|00(?=\d{1,3}[ (/-]))[1-9](?=(?:[ ()./-]{0,3}\d){6})"
    )
    american = re.compile(r"(?<![A-Za-z0-9.-])(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}(?![A-Za-z0-9-]|\.\d)")
    return (email, iban, card, *national, Form(PHONE, abroad, _phone), Form(PHONE, american, _american(american)))


LONGEST = 340
"""Characters of the longest e-mail address, and more than any number has."""

NO_DOMAINS = "png|jpe?g|gif|svg|webp|bmp|tiff?|pdf|css|js|html?|txt|csv|json|xml|wav|mp[34]"
"""How names of files end: `logo@2x.png` is no address."""

NATIONALS: tuple[tuple[str, ...], ...] = (
    (r"\d{3}-\d{2}-\d{4}", "us.ssn"),
    (r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] \d{2} \d{2} \d{2} [A-D]", ""),  # United Kingdom: no checksum
    (r"\d{3} \d{3} \d{4}", "gb.nhs"),
    (r"[12] ?\d{2} ?\d{2} ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}", "fr.nir"),
    (r"\d{2} \d{3} \d{3} \d{3}", "de.idnr"),
    (r"\d{8}-?[A-Z]|[XYZ]-?\d{7}-?[A-Z]", "es.dni", "es.nie"),
    (r"[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]", "it.codicefiscale"),
    (r"(?:\d{2})?\d{6}[-+]\d{4}", "se.personnummer"),
    (r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]", "fi.hetu"),
    (r"\d{6} \d{5}", "no.fodselsnummer"),
    (r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", "be.nn"),
    (r"756\.\d{4}\.\d{4}\.\d{2}", "ch.ssn"),
    (r"\d{3}-\d{3}-\d{3}", "ca.sin"),
    (r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[0-9A-Z]\d", "mx.curp"),
    (r"\d{3}\.\d{3}\.\d{3}-\d{2}", "br.cpf"),
    (r"\d{4} \d{4} \d{4}", "in_.aadhaar"),
    (r"\d{17}[\dX]", "cn.ric"),
    (r"\d{6}-\d{7}", "kr.rrn"),
)
"""How national identity numbers are written, and the modules of python-stdnum that check them."""

PLAIN = ("fr.nir", "cn.ric")
"""Of these, those that may be digits alone and are long enough to be told from other numbers all the same."""

BARE = ("nl.bsn", "pl.pesel", "de.idnr", "tr.tckimlik", "ro.cnp", "no.fodselsnummer", "za.idnr", "br.cpf")
"""National identity numbers that are often written as nothing but digits."""


def _whole(pattern: re.Pattern[str]) -> Callable[[str], int]:
    def length(text: str) -> int:
        match = pattern.match(text)
        return 0 if match is None else match.end()

    return length


def _national(pattern: re.Pattern[str], modules: list[str]) -> Callable[[str], int]:
    def length(text: str) -> int:
        match = pattern.match(text)
        if match is None:
            return 0
        checked = modules == [""] or any(_checked(module, match.group()) for module in modules)
        return match.end() * checked

    return length


def _ends(text: str, most: int, inside: str) -> list[int]:
    """Where a number of at most so many characters may end that has single signs between them: before a sign, or at the
    end of the text; the longest first."""
    run = re.match(rf"(?:{inside})*", text)
    reach = run.group() if run else ""
    ends = [match.end() for match in re.finditer(r"[A-Za-z0-9]", reach)][:most]
    return [end for end in reversed(ends) if not text[end : end + 1].isalnum()]


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


def _iban(text: str) -> int | None:
    """Words may follow it: its country says how long it is, and two of its digits check that."""
    ends = [end for end in _ends(text, 34, "[A-Za-z0-9] ?") if sum(map(str.isalnum, text[:end])) >= 15]
    return next((end for end in ends if _checked("iban", text[:end])), 0 if ends else None)


CARDS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}"
    r"|(?:6011|64[4-9]\d|65\d\d|62\d\d)\d{12,15}|3(?:0[0-5]|[689]\d)\d{11,16}|35(?:2[89]|[3-8]\d)\d{12,15}"
)
"""Visa, Mastercard, American Express, Discover and UnionPay, Diners, JCB: what a number starts with and its length."""


def _card(text: str) -> int | None:
    """Dates and codes may follow it: what begins like a card and is as long as one counts, the longest first."""
    found = None
    for end in _ends(text, 19, r"\d[ -]?"):
        digits = re.sub(r"\D", "", text[:end])
        if re.match(r"[.,]\d", text[end:]) or CARDS.fullmatch(digits) is None:
            continue
        if _checked("luhn", digits):
            return end
        found = 0
    return found


def _phone(text: str) -> int | None:
    ends = [end for end in _ends(text[1:], 17, r"\d[ ()./-]{0,3}|[(]") if end >= 7]
    written = ("+" + text[2:], 1) if text.startswith("00") else (text, 0)
    return next((end + 1 for end in ends if _is_phone(written[0][: end + 1 - written[1]], None)), 0 if ends else None)


def _american(pattern: re.Pattern[str]) -> Callable[[str], int]:
    def length(text: str) -> int:
        match = pattern.match(text)
        return match.end() * _is_phone(match.group(), "US") if match else 0

    return length


def _is_phone(text: str, region: str | None) -> bool:
    import phonenumbers

    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(text, region)))
    except phonenumbers.NumberParseException:
        return False
