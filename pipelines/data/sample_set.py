"""SampleSet: a small set that comes with the installation, prepared once by its TFDS builder and reused after."""

from __future__ import annotations

import importlib
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.data import tfds_rows
from pipelines.data.examples import Examples, Kind
from pipelines.errors import BadInput
from pipelines.task import DataRequest, Dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipelines.data.builders.sample_facts import SampleFacts

SUBFOLDER = "tapeline"
"""Inside TFDS's folder, so that no other set of the same name is read or overwritten."""

ABANDONED_SECONDS = 3600
"""A folder half prepared by a process that was killed is removed when nothing was written in it for so long."""


@dataclass(frozen=True)
class SampleSet:
    """A Source that reads the rows of one of this package's TFDS builders.

    Args:
        builder: where its class is, for example `pipelines.data.builders.credit_data.CreditData`; imported
            only when the set is read.
        directions: column -> 1 where more of it must not lower the chance of the positive class, -1 where it must not
            raise it.
    """

    builder: str
    directions: Mapping[str, int] = field(default_factory=dict)

    def load(self, request: DataRequest) -> Dataset:
        """All rows, in an order that never changes; prepared first where they are not yet.

        Raises:
            BadInput: a flag that belongs to --data PATH, a --sensitive attribute that is not there, a missing wheel,
                or a folder that cannot be written.
        """
        tfds_rows.refuse_own_flags(request)
        module, _, name = self.builder.rpartition(".")
        builder_class = getattr(importlib.import_module(module), name)
        builder, parts = prepared_rows(builder_class, _rows)
        facts: SampleFacts = builder_class.FACTS
        rows = tfds_rows.joined(parts.values())
        examples = _examples(facts, builder.info.features, rows)
        tfds_rows.require_sensitive(request, examples)
        return Dataset(
            examples=examples,
            source=f"sample {builder.info.full_name}",
            simulated=facts.simulated,
            target=facts.target,
            official=tfds_rows.official_splits({split: len(part[facts.target]) for split, part in parts.items()}),
            notes=facts.notes,
            positive=facts.positive,
            directions=self.directions,
        )


def prepared_rows(builder_class: Any, rows: Callable[[Any], Any]) -> Any:
    """What `rows` reads of the prepared builder; what cannot be read is prepared once more.

    Raises:
        BadInput: it cannot be prepared where TFDS keeps its sets.
    """
    folder = tfds_rows.data_folder() / SUBFOLDER
    place = Path(folder) / builder_class.name / str(builder_class.VERSION)
    try:
        if place.exists():
            try:
                return rows(builder_class(data_dir=folder))
            except Exception as error:  # a damaged file shows as one of many types
                if tfds_rows.disk_trouble(error):
                    raise
                shutil.rmtree(place)
        return rows(_prepared(builder_class, folder))
    except BadInput:
        raise
    except Exception as error:
        reason = tfds_rows.disk_trouble(error) or f"{type(error).__name__}: {tfds_rows.first_line(error)}"
        advice = "set TFDS_DATA_DIR to a folder that has room and that you can write"
        raise BadInput(f"cannot prepare the sample set in {place}: {reason}; {advice}") from error


def _prepared(builder_class: Any, folder: Any) -> Any:
    """Prepare the set. TFDS writes beside the final place and renames, so a killed process leaves no half set there."""
    builder = builder_class(data_dir=folder)
    _remove_abandoned(Path(builder.data_path).parent)
    try:
        with tfds_rows.quiet(bars=False):
            builder.download_and_prepare()
    except Exception:
        if not builder.data_path.exists():
            raise
        builder = builder_class(data_dir=folder)  # another process was quicker; what it wrote is as good
    return builder


def _remove_abandoned(folder: Path) -> None:
    for unfinished in folder.glob("incomplete.*"):
        newest = max((path.stat().st_mtime for path in (unfinished, *unfinished.rglob("*"))), default=0.0)
        if time.time() - newest > ABANDONED_SECONDS:
            shutil.rmtree(unfinished, ignore_errors=True)


def _rows(builder: Any) -> tuple[Any, dict[str, dict[str, NDArray[Any]]]]:
    """The rows by split; fewer or more than were prepared is an error."""
    if not builder.info.splits:
        raise ValueError("dataset_info.json is missing or names no split")
    parts = {split: tfds_rows.whole_split(builder, split) for split in builder.info.splits}
    for split, rows in parts.items():
        expected = builder.info.splits[split].num_examples
        if any(len(values) != expected for values in rows.values()):
            raise ValueError(f"split {split} does not have the {expected} rows that were prepared")
    return builder, parts


def _examples(facts: SampleFacts, features: Any, rows: dict[str, NDArray[Any]]) -> Examples:
    decoded = {name: _column(facts, name, features[name], values) for name, values in rows.items()}
    apart = {facts.target, facts.id, facts.opinion, *facts.groups}
    kept = {name: decoded[name] for name in features if name not in apart}
    if facts.vector is not None:
        values, kind = kept.pop(facts.vector)
        kept |= {entry: (column, kind) for entry, column in zip(facts.entries, values.T.copy(), strict=True)}
    return Examples(
        columns={name: values for name, (values, _) in kept.items()},
        target=decoded[facts.target][0],
        kinds={name: kind for name, (_, kind) in kept.items()},
        groups={name: decoded[name][0] for name in facts.groups},
        ids=None if facts.id is None else decoded[facts.id][0],
        opinion=None if facts.opinion is None else decoded[facts.opinion][0].astype(np.float64),
    )


def _column(facts: SampleFacts, name: str, feature: Any, values: NDArray[Any]) -> tuple[NDArray[Any], Kind]:
    """A feature's values as the kind that its TFDS type means."""
    import tensorflow_datasets as tfds

    if isinstance(feature, tfds.features.ClassLabel):
        return tfds_rows.label_names(feature, values), "category"
    if isinstance(feature, tfds.features.Text):
        is_text = name in facts.text
        return tfds_rows.words(values, missing=not is_text), "text" if is_text else "category"
    if isinstance(feature, tfds.features.Image) or (values.ndim == 5 and values.dtype == np.uint8):
        return values, "image"
    if values.ndim == 2 and values.dtype == np.int16:
        return tfds_rows.full_scale(values), "wave"
    return values, "number"
