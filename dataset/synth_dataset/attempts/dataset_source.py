"""A committed dataset as a source: its documents and the rows of its index, for whoever reads whole datasets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from synth_api.errors import InputError, suggest_name
from synth_dataset.attempts.attempt import find_dataset, open_committed_attempt
from synth_dataset.attempts.live_attempts import list_sweeps
from synth_dataset.documents import layout
from synth_dataset.documents.dataset_document import DatasetDocument
from synth_dataset.documents.document import DocumentError, parse_document
from synth_dataset.documents.remedies import REPAIR_RUN
from synth_dataset.store.stored_file import StoredFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from synth_dataset.documents.attempt_document import AttemptDocument
    from synth_dataset.documents.run_manifest import Manifest
    from synth_dataset.store.base import Store

_ROWS: Final = 4096
_TABLES_REMEDY: Final = "synth gallery writes the tables of a folder again, synth retry those of a sweep"


@dataclass(frozen=True)
class DatasetSource:
    """A committed dataset of a store."""

    store: Store
    dataset: DatasetDocument
    attempt: AttemptDocument

    @property
    def location(self) -> str:
        """Address of the dataset, for messages."""
        return f"{self.store.location} ({self.dataset.name})"

    @property
    def recipe(self) -> dict[str, Any] | None:
        """The recipe that renders all runs with the axes; None of several sweeps, and with axes that move together."""
        return self.attempt.sole_recipe

    def list_columns(self) -> list[str]:
        """Return the columns of the index. Raises DocumentError without an index."""
        names: list[str] = self.open_table(layout.INDEX).schema_arrow.names
        return names

    def iterate_rows(self, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield the rows of the index in run order; a column that it lacks is None."""
        existing = set(self.list_columns())
        absent = dict.fromkeys(column for column in columns if column not in existing)
        index = self.open_table(layout.INDEX)
        for batch in index.iter_batches(_ROWS, columns=[name for name in columns if name in existing]):
            for row in batch.to_pylist():
                yield absent | row

    def read_manifest(self, key: str) -> Manifest:
        """Return the manifest of a run. Raises DocumentError with a remedy for a missing one too."""
        try:
            return self.store.read_manifest(key)
        except KeyError:
            address = self.store.format_uri(layout.manifest_path(key))
            raise DocumentError(f"{address}: is missing; {REPAIR_RUN}") from None

    def open_table(self, name: str) -> pq.ParquetFile:
        """Open `index.parquet` or `particles.parquet`, to be read in parts. Raises DocumentError."""
        path = f"{self.dataset.folder}/{name}"
        try:
            return pq.ParquetFile(pa.PythonFile(StoredFile(self.store, path), mode="r"))
        except FileNotFoundError as error:
            raise DocumentError(f"{self.store.format_uri(path)}: is missing; {_TABLES_REMEDY}") from error
        except (pa.ArrowException, OSError) as error:
            raise DocumentError(f"{self.store.format_uri(path)}: is not Parquet; {_TABLES_REMEDY}") from error


def open_source(store: Store, dataset: DatasetDocument) -> DatasetSource:
    """Return a dataset of a store as a source. Raises DocumentError, InputError for a folder outside the store."""
    return DatasetSource(store, dataset, open_committed_attempt(store, dataset).document)


def open_attempt_dataset(store: Store, attempt: str) -> DatasetSource:
    """Return the dataset that an attempt has committed, by the folder of the attempt. Raises DocumentError."""
    path = f"{attempt}/{layout.DATASET}"
    try:
        return open_source(store, parse_document(DatasetDocument, store.read(path), store.format_uri(path)))
    except FileNotFoundError as error:
        problem = "is missing: its sweep was deleted, or this attempt of it was; render it again"
        raise DocumentError(f"{store.format_uri(path)}: {problem}") from error


def find_source(store: Store, name: str | None) -> DatasetSource:
    """Return the dataset of a name in a store, of any namespace; without a name the only one. Raises InputError."""
    sweeps = list(list_sweeps(store))
    found = [(namespace, one) for namespace, one in sweeps if name is None or one == name]
    committed = [dataset for dataset in (find_dataset(store, *sweep) for sweep in found) if dataset is not None]
    if len(committed) == 1:
        return open_source(store, committed[0])
    names = sorted(dataset.name for dataset in committed)
    if len(committed) > 1 and len(set(names)) > 1:
        raise InputError(store.location, f"holds {len(names)} datasets; choose with --name: {', '.join(names)}")
    if committed:
        raise InputError(store.location, f"has '{names[0]}' in several namespaces; give a copy of one of them")
    if found:
        raise InputError(store.location, f"holds no dataset of '{found[0][1]}' yet; its sweep has to end first")
    if name and sweeps:
        raise InputError(store.location, f"holds no dataset '{name}'; {suggest_name(name, {one for _, one in sweeps})}")
    raise InputError(store.location, "holds no dataset; give the folder or bucket that synth render or a sweep wrote")
