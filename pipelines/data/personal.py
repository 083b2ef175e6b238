"""Personal data in a user's own data: found before anything learns from it, told, and kept from models and records.

What a model learns by heart it gives away again: a vocabulary holds the words it was made of, and so does a report that
names groups. So a column of e-mail addresses, names, phone or card numbers is left out, single ones in a text are
masked, and where they would stand in the report itself (labels, groups, names of columns) the run is refused. Whoever
needs such a column asks for it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.data.cells import missing
from pipelines.data.examples import Examples, Kind, OnDemand
from pipelines.data.personal_kinds import BIRTH, HALF, NATIONAL, PERSON, PHONE, kinds_in, masked
from pipelines.data.wording import count, listed, shown
from pipelines.errors import BadInput
from pipelines.task import Beside, DataRequest, Dataset

LOOKED_AT: tuple[Kind, ...] = ("number", "category", "text")

FEWEST_NAMES = 10
"""A column called `name` of no more distinct words than this names kinds of things, not people."""

OF_THINGS = frozenset({"name", "nom", "nombre"})
"""What may name things as well: `Product 17` is nobody."""

NAMES = frozenset({
    "first name", "last name", "middle name", "maiden name", "birth name", "given name", "family name",
    "full name", "surname", "forename", "firstname", "lastname", "fullname", "patient name", "spouse name",
    "customer name", "client name", "applicant name", "holder name", "cardholder name", "account holder",
    "employee name", "contact name", "owner name", "vorname", "nachname", "prenom", "prénom", "apellido", "apellidos",
    "cognome",
    # as elements of DICOM headers are called
    "other patient names", "patient birth name", "patient mother birth name", "responsible person",
    "referring physician name", "performing physician name", "operators name", "physicians of record",
    "name of physicians reading study", "requesting physician",
})  # fmt: skip
CALLED: Mapping[str, frozenset[str]] = {
    PHONE: frozenset({
        "phone", "telephone", "téléphone", "tel", "mobile", "fax", "phone number", "telephone number", "mobile number",
    }),
    NATIONAL: frozenset({
        "ssn", "social security number", "national insurance number", "nino", "nhs number", "passport",
        "passport number", "tax id", "personal number", "personal id", "national id", "identity number", "bsn",
        "pesel", "cpf", "dni", "aadhaar",
    }),
    BIRTH: frozenset({"patient birth date"}),
}  # fmt: skip
"""What columns are called whose numbers follow no rule that could be checked."""

FEWEST_DIGITS = 7
"""Of a number in a column that is called `phone` or `ssn`; `yes` and `no` are none."""

NUMBER = re.compile(r"[A-Za-z]{0,3}[\d\s+()./-]+[A-Za-z]?")
"""How such a number is written; `iPhone-100012` is none."""


@dataclass(frozen=True)
class Found:
    """Personal data in one place.

    Args:
        where: in words, such as `column 'email'`.
        kinds: kind -> how many rows hold it.
        rows: how many there are.
        done: what became of it, in words.
    """

    where: str
    kinds: Mapping[str, int]
    rows: int
    done: str = ""

    def __str__(self) -> str:
        told = " and ".join(_plural(kind) for kind in sorted(self.kinds, key=lambda kind: (-self.kinds[kind], kind)))
        most = max(self.kinds.values())
        return f"{self.where}: {told} in {most:,} of {self.rows:,}" + (f", {self.done}" if self.done else "")


class Masked(OnDemand):
    """A column of texts that is read as it is needed, with marks in place of personal data."""

    def __init__(self, inner: OnDemand, kinds: tuple[str, ...]) -> None:
        self._inner, self._kinds, self.shape, self.dtype = inner, kinds, inner.shape, inner.dtype

    def __getitem__(self, index: Any, /) -> Any:
        found = self._inner[index]
        return masked(found, self._kinds) if isinstance(found, str) else masks(found, self._kinds)

    def only(self, rows: NDArray[np.integer[Any]]) -> Masked:
        return Masked(self._inner.only(rows), self._kinds)

    def hashes(self) -> NDArray[np.uint64]:
        return self._inner.hashes()


def without_personal(dataset: Dataset, request: DataRequest) -> Dataset:
    """The data with personal data left out or masked, and `personal` that says what was found.

    Raises:
        BadInput: it would stand in the report; there is any and `--strict` was given; or `--keep-personal` names no
            column. The message names columns and counts, never a value.
    """
    examples = dataset.examples
    _require_names(dataset)
    if unknown := [name for name in request.keep_personal if name not in examples.columns]:
        raise BadInput(
            f"--keep-personal {unknown[0]!r}: models do not see a column of that name; they see "
            f"{listed(examples.columns, 50)}"
        )
    require_unseen(f"the target {dataset.target!r}", look(dataset.target, examples.target, called=False), "labels")
    for name, values in examples.groups.items():
        require_unseen(f"the group {name!r}", look(name, values), "groups")
    columns, changed, found = dict(examples.columns), dict[str, tuple[str, ...]](), []
    for name, values in examples.columns.items():
        kind = examples.kinds[name]
        if kind not in LOOKED_AT or not (kinds := look(name, values, called=kind != "text")):
            continue
        if name in request.sensitive:
            require_unseen(f"--sensitive {name!r}", kinds, "groups")
        done = "kept as --keep-personal asks"
        if name not in request.keep_personal:
            done, columns[name] = _spared(kind, values, kinds)
            if columns[name] is not None:
                changed[name] = tuple(kinds)
        found.append(Found(f"column {shown(name)}", kinds, len(examples), done))
    ids = [] if examples.ids is None else [Beside("ids", request.id or "", examples.ids)]
    records = [Beside("record", name, values) for name, values in dataset.records.items()]
    for place, name, values in (*ids, *records, *dataset.beside):
        if kinds := look(name, values):
            where = f"{place} {shown(name)}" if name else place
            found.append(Found(where, kinds, len(values), "which no model sees and nothing records"))
    if masked(dataset.source) != dataset.source:
        found.append(Found("the path of the data", kinds_and_rows([dataset.source]), 1, "masked"))
    unasked = [each for each in found if not each.done.startswith("kept")]
    if request.strict and unasked:
        raise BadInput(
            f"--strict: there is personal data in {'; '.join(str(replace(each, done='')) for each in unasked)}; take "
            "it out of the data; a column can be left out with --exclude, or used all the same with --keep-personal"
        )
    left = {name: values for name, values in columns.items() if values is not None}
    if not left:
        raise BadInput(f"nothing is left to learn from: {'; '.join(map(str, found))}; --keep-personal COLUMN uses one")
    kinds_left: dict[str, Kind] = {name: examples.kinds[name] for name in left}
    return replace(
        dataset,
        examples=replace(examples, columns=left, kinds=kinds_left),
        source=masked(dataset.source),
        masked=changed,
        personal=tuple(map(str, found)),
    )


def look(name: str, values: Any, called: bool = True) -> dict[str, int]:
    """Kind of personal data -> how many of a column's values hold it.

    Args:
        values: (n,) words, numbers or texts, in memory or read as they are needed.
        called: whether the name of the column says something as well.
    """
    if isinstance(values, OnDemand):
        return {kind: len(places) for kind, places in kinds_in(str(value) for value in values).items()}
    array = np.asarray(values)
    if array.ndim != 1:
        return {}
    array = array[~missing(array)]
    told, sizes = _distinct(array)
    found = {kind: int(sizes[places].sum()) for kind, places in kinds_in(told).items()}
    return found or (_by_name(name, told, sizes) if called else {})


def kinds_and_rows(values: Sequence[str]) -> dict[str, int]:
    """Kind -> how many of these texts hold it."""
    return {kind: len(places) for kind, places in kinds_in(values).items()}


def masks(values: Any, kinds: Sequence[str]) -> NDArray[Any]:
    """(n,) words or texts with marks in place of personal data of these kinds; missing ones stay missing."""
    return np.array([masked(value, kinds) if isinstance(value, str) else value for value in values], dtype=object)


def masked_as(examples: Examples, kinds: Mapping[str, Sequence[str]]) -> Examples:
    """Rows to predict, masked as those were that the model learned from: column -> kinds."""
    columns = dict(examples.columns)
    columns |= {name: masks(columns[name], told) for name, told in kinds.items() if name in columns}
    return replace(examples, columns=columns)


def _spared(kind: Kind, values: Any, kinds: Mapping[str, int]) -> tuple[str, Any]:
    """What is done, and the column that is left; None where it is left out."""
    if isinstance(values, OnDemand):
        return "masked", Masked(values, tuple(kinds))
    if kind == "number" or (kind == "category" and max(kinds.values()) >= HALF * len(values)):
        return "left out", None
    return "masked", masks(values, tuple(kinds))


def _distinct(array: NDArray[Any]) -> tuple[list[str], NDArray[np.int64]]:
    """What is written in a column, each once, and in how many rows; of numbers only whole ones as long as a kind is."""
    if array.dtype.kind in "fiu":
        numbers = array.astype(np.float64)
        numbers = numbers[(numbers >= 1e5) & (numbers < 1e19) & (numbers == np.floor(numbers))]
        known, sizes = np.unique(numbers, return_counts=True)
        return [str(int(number)) for number in known], sizes
    counts = Counter(map(str, array.tolist()))
    return list(counts), np.fromiter(counts.values(), np.int64, len(counts))


def _by_name(name: str, told: Sequence[str], sizes: NDArray[np.int64]) -> dict[str, int]:
    called = " ".join(_words(name))
    rows = int(sizes.sum())
    if called in NAMES or (called in OF_THINGS and len(told) > min(FEWEST_NAMES, rows // 2)):
        sure = called in NAMES
        letters = np.array(
            [any(map(str.isalpha, each)) and (sure or not any(map(str.isdecimal, each))) for each in told], bool
        )
        return {PERSON: rows} if sizes[letters].sum() >= HALF * rows > 0 else {}
    for kind, names in CALLED.items():
        if called in names:
            digits = np.array(
                [sum(map(str.isdecimal, each)) >= FEWEST_DIGITS and bool(NUMBER.fullmatch(each)) for each in told], bool
            )
            return {kind: int(sizes[digits].sum())} if sizes[digits].sum() >= HALF * rows > 0 else {}
    return {}


def _words(name: str) -> Iterator[str]:
    """`PatientName`, `patient_name` and `patient.name` are the words `patient` and `name`."""
    for part in re.findall(r"[A-Z]+(?![a-z])|[^\W\d_a-z]?[^\W\d_A-Z]+", name):
        yield part.lower()


def _require_names(dataset: Dataset) -> None:
    for name in (*dataset.examples.columns, *dataset.examples.groups, *dataset.assets, dataset.target):
        if kinds := kinds_and_rows([name]):
            raise BadInput(
                f"{masked(dataset.source)}: the name of a column is itself personal data, "
                f"{_article(next(iter(kinds)))}; is the first line a row? Columns need names there"
            )


def require_unseen(where: str, kinds: Mapping[str, int], part: str) -> None:
    """Refuse what the report would show by name.

    Args:
        where: in words; nothing is refused where it is empty.
        part: of the report, that would show it.

    Raises:
        BadInput: there is personal data; the message says where and of how many rows.
    """
    if kinds and where:
        told = " and ".join(_plural(kind) for kind in kinds)
        raise BadInput(
            f"{where} holds {told} ({count(max(kinds.values()), 'row')}), and {part} stand in the report by name; "
            "name another column, or write codes in their place"
        )


def _article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeioI' else 'a'} {kind}"


def _plural(kind: str) -> str:
    if kind in (PERSON, BIRTH):
        return "names of people" if kind == PERSON else "dates of birth"
    return f"{kind}es" if kind.endswith("ss") else f"{kind}s"
