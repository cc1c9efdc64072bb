"""A finished export as what statistics are made of: its tables, classes and pictures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from synth_api.errors import InputError
from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError, parse_document
from synth_dataset.documents.png import decode_png
from synth_dataset.exports.card import RECIPES
from synth_dataset.exports.export_document import ExportDocument
from synth_dataset.store.stored_file import StoredFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synth_dataset.documents.pictures import Pixels
    from synth_dataset.store.base import Store

_PICTURES: Final = {
    "coco": "images/{split}/{run:06d}.png",
    "yolo": "images/{split}/{run:06d}.png",
    "pairs": "{split}/{run:06d}_img.png",
}
"""Paths of pictures in the formats that have one PNG for each run."""


class ExportedPicture(NamedTuple):
    """Run and split of a picture."""

    run: int
    split: str


@dataclass(frozen=True)
class FinishedExport:
    """Export in a store of its own."""

    store: Store
    document: ExportDocument

    @property
    def recipe(self) -> dict[str, Any] | None:
        """The recipe of all runs; None of several datasets, and if no recipe renders all runs with the axes."""
        if len(self.document.sources) != 1 or not self.document.sources[0].has_recipe:
            return None
        try:
            recipe: dict[str, Any] = json.loads(self.store.read(f"{RECIPES}/{self.document.sources[0].plan[:8]}.yaml"))
        except (FileNotFoundError, ValueError):
            return None
        return recipe

    @property
    def has_pictures(self) -> bool:
        """True if each run has a PNG."""
        return self.document.format in _PICTURES and self.document.options.get("layout") != "stardist"

    def open_table(self, name: str) -> pq.ParquetFile:
        """Open `index.parquet` or `particles.parquet`, to be read in parts. Raises InputError without the file."""
        try:
            return pq.ParquetFile(pa.PythonFile(StoredFile(self.store, name), mode="r"))
        except FileNotFoundError as error:
            problem = f"has no {name}: an earlier release has written the export; export again, or give the dataset"
            raise InputError(self.store.location, problem) from error
        except (pa.ArrowException, OSError) as error:
            raise DocumentError(f"{self.store.format_uri(name)}: is not Parquet; export again") from error

    def list_pictures(self, index: pq.ParquetFile, places: NDArray[Any]) -> Sequence[ExportedPicture]:
        """Return the pictures of the runs at ascending places of the index."""
        table = index.read(["run", "split"]).take(pa.array(places))
        return [ExportedPicture(*row.values()) for row in table.to_pylist()]

    def read_picture(self, picture: ExportedPicture) -> Pixels:
        """Return the pixels of a picture. Raises DocumentError for a missing or damaged file, StoreError."""
        path = _PICTURES[self.document.format].format(**picture._asdict())
        address = self.store.format_uri(path)
        try:
            return decode_png(self.store.read(path), address)
        except FileNotFoundError as error:
            raise DocumentError(f"{address}: is missing; synth verify lists what else is, and export again") from error
        except OSError as error:
            raise DocumentError(f"{error}; synth verify lists what else is damaged, and export again") from error


def open_export(store: Store) -> FinishedExport:
    """Open the export at the root of a store. Raises InputError for an unfinished one, DocumentError."""
    address = store.format_uri(layout.DATASET)
    try:
        return FinishedExport(store, parse_document(ExportDocument, store.read(layout.DATASET), address))
    except FileNotFoundError as error:
        raise InputError(store.location, "is an unfinished export; the same synth export finishes it") from error
