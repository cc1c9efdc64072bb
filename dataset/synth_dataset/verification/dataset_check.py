"""Verification of a dataset: its documents, then each run, then the documents of all runs against them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_dataset.documents import layout
from synth_dataset.documents.safe_paths import check_stored_path
from synth_dataset.store.read_ahead import read_ahead
from synth_dataset.verification.dataset_index import format_address, open_index
from synth_dataset.verification.fault import DOCUMENT_REMEDY, NOTHING, Checked, Fault
from synth_dataset.verification.pooled_documents import check_categories, open_pooled_documents
from synth_dataset.verification.run_check import RunChecker
from synth_dataset.verification.shard_check import check_shards
from synth_dataset.verification.stored_files import check_file, count_threads, describe_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_dataset.attempts.dataset_source import DatasetSource
    from synth_dataset.documents.run_manifest import File
    from synth_dataset.verification.depth import Depth


def check_dataset(source: DatasetSource, depth: Depth) -> Iterator[Checked]:
    """Yield the outcome of the documents and of each run, in run order; memory holds a few runs.

    No run is checked if the index of a shard cannot be read, because any run may be in it. Raises StoreError,
    DocumentError for a document that names a file outside its folder.
    """
    documents = list(_check_documents(source, depth))
    index = open_index(source)
    yield from documents
    address = format_address(source)
    is_intact = not any(fault.file == address for each in documents for fault in each.faults)
    if is_intact or index.is_readable:  # else it is said that the file is damaged
        yield Checked(index.faults)
    shards = check_shards(source.store)
    if shards.faults:
        yield Checked(shards.faults)
        return
    checker = RunChecker(source.store, depth, address, is_intact and not index.faults, shards)
    is_sample = depth.share < 1
    rows = index.draw_rows("sample", depth.share) if is_sample else index.iterate_rows()
    pooled = open_pooled_documents(source, is_sample=is_sample) if depth.labels else []
    for run in read_ahead(checker.check, rows, count_threads(source.store)):
        yield run.checked
        for document in pooled:
            yield Checked(tuple(document.check(run.number, run.manifest, run.labels)))
    for document in pooled:
        yield Checked(tuple(document.finish()))
    if depth.labels:
        yield Checked(tuple(check_categories(source)))


def _check_documents(source: DatasetSource, depth: Depth) -> Iterator[Checked]:
    """Compare the files beside `dataset.json` with it, and both copies of it."""
    store, dataset = source.store, source.dataset
    copy = f"{dataset.folder}/{layout.DATASET}"
    pointer = layout.pointer_path(dataset.namespace, dataset.name)
    try:
        found = "" if store.read(copy) == store.read(pointer) else "another document"
    except FileNotFoundError:
        found = NOTHING
    if found:
        yield Checked((Fault(store.format_uri(copy), f"the content of {pointer}", found, DOCUMENT_REMEDY),), 2)
    else:
        yield Checked((), 2)
    sizes = store.list_sizes(dataset.folder)
    for file in dataset.files:
        yield _check_document(source, file, sizes, depth)


def _check_document(source: DatasetSource, file: File | str, sizes: dict[str, int], depth: Depth) -> Checked:
    store, name = source.store, file if isinstance(file, str) else file.path
    path = f"{source.dataset.folder}/{check_stored_path(name)}"
    if isinstance(file, str):
        missing = Fault(store.format_uri(path), f"the file that {layout.DATASET} names", NOTHING, DOCUMENT_REMEDY)
        return Checked(() if name in sizes else (missing,), 1)
    if depth.contents:
        return check_file(store, path, file, DOCUMENT_REMEDY)
    size = sizes.get(name)
    wrong = describe_size(store.format_uri(path), file.bytes, size, DOCUMENT_REMEDY)
    return Checked(() if size == file.bytes else (wrong,), 1)
