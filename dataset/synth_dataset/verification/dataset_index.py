"""The index of a dataset as the list of its runs; the keys of the attempt stand for one that cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from synth_api.sentences import explain
from synth_dataset.attempts.attempt import iterate_keys
from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError
from synth_dataset.verification.fault import DOCUMENT_REMEDY, NOTHING, Fault, shorten_digest
from synth_dataset.verification.sampling import find_threshold, rank
from synth_dataset.views.root_digest import RootDigest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_dataset.attempts.dataset_source import DatasetSource
    from synth_dataset.documents.run_manifest import Manifest

CHECKED_COLUMNS: Final = ("seed", "particles", "visible", "width", "height", "pixel_size", "label_digest")
"""Columns of the index that repeat a value of the manifest, under its name."""


@dataclass(frozen=True)
class DatasetIndex:
    """The runs of a dataset; `faults` are those of `index.parquet` against `dataset.json`."""

    source: DatasetSource
    faults: tuple[Fault, ...]
    is_readable: bool

    def iterate_rows(self) -> Iterator[dict[str, Any]]:
        """Yield the row of each run, in run order; only number and key without an index."""
        if self.is_readable:
            yield from self.source.iterate_rows(("run", "key", "folder", *CHECKED_COLUMNS))
            return
        dataset, store = self.source.dataset, self.source.store
        failed = {failure.number for failure in dataset.failures}
        for number, key in enumerate(iterate_keys(store, dataset.folder)):
            # Of a dataset that lacks runs, nothing but the index says which.
            if any(key) and number not in failed and (not dataset.missing or store.has_run(key.hex())):
                yield {"run": number, "key": key.hex()}

    def draw_rows(self, salt: str, share: float = 1.0, count: int | None = None) -> Iterator[dict[str, Any]]:
        """Yield the rows of a sample of the runs: the same at every call."""
        salt = f"{salt} {self.source.dataset.plan}"
        last = find_threshold(salt, (row["key"] for row in self.iterate_rows()), count, share)
        return (row for row in self.iterate_rows() if rank(salt, row["key"]) <= last)


def format_address(source: DatasetSource) -> str:
    """Return the address of the index of a dataset."""
    return source.store.format_uri(f"{source.dataset.folder}/{layout.INDEX}")


def open_index(source: DatasetSource) -> DatasetIndex:
    """Read the index once and compare it with the counts of the dataset. Raises StoreError."""
    address = format_address(source)
    try:
        return DatasetIndex(source, tuple(_check_totals(source, address)), is_readable=True)
    except (DocumentError, pa.ArrowException, OSError, TypeError, AttributeError) as error:
        # The last two: of columns without values. A table that cannot be opened has its cause.
        cause = error.__cause__ if isinstance(error, DocumentError) else error
        if cause is None or isinstance(cause, FileNotFoundError):
            return DatasetIndex(source, (Fault(address, "the rows of the runs", NOTHING, DOCUMENT_REMEDY),), False)
        found = f"a file that cannot be read ({explain(cause)})"
        return DatasetIndex(source, (Fault(address, "a Parquet file", found, DOCUMENT_REMEDY),), False)


def _check_totals(source: DatasetSource, address: str) -> Iterator[Fault]:
    """Yield faults in the number of runs, of visible particles, and in the root digest."""
    dataset, root = source.dataset, RootDigest()
    runs, visible = 0, 0
    for row in source.iterate_rows(("key", "folder", "visible", "label_digest")):
        runs += 1
        visible += row["visible"]
        if dataset.root is not None:
            root.add_run(row["key"], row["folder"].rpartition("/")[2], row["label_digest"])
    if runs != dataset.runs:
        yield Fault(address, f"rows of {dataset.runs:,} runs", f"{runs:,}", DOCUMENT_REMEDY)
    if dataset.visible is not None and visible != dataset.visible:
        yield Fault(address, f"{dataset.visible:,} visible particles in all", f"{visible:,}", DOCUMENT_REMEDY)
    if dataset.root is not None and (found := root.compute()) != dataset.root:
        yield Fault(address, f"the root digest {shorten_digest(dataset.root)}", shorten_digest(found), DOCUMENT_REMEDY)


def compare_row(row: dict[str, Any], manifest: Manifest) -> Iterator[tuple[str, Any, Any]]:
    """Yield name, value of the row and value of the manifest where they differ; a column that is missing is equal."""
    folder = layout.run_path(manifest.key, manifest.c8)
    if row.get("folder") not in (None, folder):
        yield "folder", row["folder"], folder
    for name in CHECKED_COLUMNS:
        value = getattr(manifest, name)
        if row.get(name) is not None and row[name] != value:
            yield name, row[name], value
