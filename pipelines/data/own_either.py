"""TableOrPictures: a user's own data as a source where they may be a table or pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.data.images import OwnImages, are_pictures
from pipelines.data.tables import OwnTable
from pipelines.data.unlabelled import Unlabelled
from pipelines.task import DataRequest, Dataset


@dataclass(frozen=True)
class TableOrPictures:
    """A CSV, TSV or Parquet file, read by `table`; or an `.npz` or a folder of pictures, read by `pictures`."""

    table: OwnTable
    pictures: OwnImages

    def load(self, request: DataRequest) -> Dataset:
        """Arguments and errors as of whichever reads it."""
        return (self.pictures if are_pictures(request.where) else self.table).load(request)

    def unlabelled(self, where: str, shapes: Mapping[str, tuple[int, ...]]) -> Unlabelled:
        """Pictures to predict. Arguments and errors as of `OwnImages.unlabelled`."""
        return self.pictures.unlabelled(where, shapes)
