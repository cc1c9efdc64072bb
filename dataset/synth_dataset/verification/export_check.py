"""Verification of an export: its files against `checksums.sha256`, its labels against the counts of `dataset.json`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from io import BufferedReader
from typing import TYPE_CHECKING, Final, NamedTuple

from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError, parse_document
from synth_dataset.documents.safe_paths import check_stored_path
from synth_dataset.exports.chunks import SplitCounts
from synth_dataset.exports.export import CHECKSUMS
from synth_dataset.exports.export_document import ExportDocument
from synth_dataset.exports.target import WORK
from synth_dataset.store.read_ahead import read_ahead
from synth_dataset.store.stored_file import StoredFile
from synth_dataset.verification.exported_files import FileCounts, LabelFileError, count_labels
from synth_dataset.verification.fault import EXPORT_REMEDY, NOTHING, Checked, Fault, shorten_error
from synth_dataset.verification.sampling import find_threshold, rank
from synth_dataset.verification.stored_files import compute_digest, count_threads, describe_digest
from synth_dataset.versions.version_document import VersionDocument

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from synth_dataset.store.base import Store
    from synth_dataset.verification.depth import Depth

_LINE: Final = re.compile(rb"([0-9a-f]{64})  ([^\n]+)\n")
_BUFFER_BYTES: Final = 1 << 20


class ListedFile(NamedTuple):
    """A line of `checksums.sha256`, read."""

    path: str
    sha256: str


def is_export(store: Store) -> bool:
    """Return True if an export or a version lies at the root of a store, or an unfinished one. Raises StoreError."""
    has_sweeps = next(iter(store.list_children(layout.SWEEPS)), None) is not None
    names = (CHECKSUMS, layout.DATASET, f"{WORK}/export.json")
    return not has_sweeps and any(store.exists(name) for name in names)


def read_version(store: Store) -> VersionDocument | None:
    """Return the version of a SynthDataset that a store has, or points to, at its root; None for something else."""
    try:
        return parse_document(VersionDocument, store.read(layout.DATASET), layout.DATASET)
    except (FileNotFoundError, DocumentError):
        return None


def find_version_folder(store: Store, version: VersionDocument) -> str:
    """Return the folder of a version below a store: empty for its root, which may have only the pointer to it.

    Raises DocumentError for a version that names no folder.
    """
    folder = check_stored_path(version.version)
    try:
        is_pointer = store.read(f"{folder}/{layout.DATASET}") == store.read(layout.DATASET)
    except FileNotFoundError:
        return ""
    return folder if is_pointer else ""


def count_files(store: Store) -> int:
    """Return the number of files that an export lists."""
    try:
        return sum(1 for _ in _iterate_lines(store))
    except FileNotFoundError:
        return 0


def check_export(store: Store, depth: Depth, checksums: str | None = None) -> Iterator[Checked]:
    """Yield the outcome of each file of an export, in the order of its list. Raises StoreError.

    `checksums` is the sha256 of the list, which the document of a version has.
    """
    document, faults = _read_document(store)
    yield Checked(tuple(faults), 1)
    if checksums is not None:
        yield Checked(tuple(_compare_list(store, checksums)), 1)
    checker = _FileChecker(store, depth, document.format if document and depth.labels else None)
    totals: dict[str, SplitCounts] = {}
    for checked, counts in read_ahead(checker.check, _draw_files(store, depth.share), count_threads(store)):
        yield checked
        if counts is not None:
            one = SplitCounts(runs=counts.runs, objects=counts.objects)
            totals[counts.split] = totals.get(counts.split, SplitCounts()).add(one)
    if document is not None and depth.labels and depth.share == 1:
        yield Checked(tuple(_compare_counts(store, document, totals)))


def _read_document(store: Store) -> tuple[ExportDocument | None, list[Fault]]:
    address = store.format_uri(layout.DATASET)
    faults = []
    if store.exists(f"{WORK}/export.json"):
        faults.append(Fault(store.location, "a finished export", "an unfinished one", "the same call continues it"))
    elif not store.exists(CHECKSUMS):
        faults.append(Fault(store.format_uri(CHECKSUMS), "the list of files", NOTHING, EXPORT_REMEDY))
    try:
        return parse_document(ExportDocument, store.read(layout.DATASET), address), faults
    except FileNotFoundError:
        found = NOTHING
    except DocumentError as error:
        found = f"one that cannot be read ({shorten_error(error, address)})"
    return None, [*faults, Fault(address, "the document of an export", found, EXPORT_REMEDY)]


def _compare_list(store: Store, checksums: str) -> Iterator[Fault]:
    try:
        _, found = compute_digest(store, CHECKSUMS)
    except FileNotFoundError:
        return  # said already
    if found != checksums:
        yield describe_digest(store.format_uri(CHECKSUMS), checksums, found, EXPORT_REMEDY)


def _iterate_lines(store: Store) -> Iterator[bytes]:
    with BufferedReader(StoredFile(store, CHECKSUMS), _BUFFER_BYTES) as stream:
        yield from stream


def _iterate_files(store: Store) -> Iterator[ListedFile | Fault]:
    try:
        for number, line in enumerate(_iterate_lines(store), start=1):
            yield _parse_line(store, number, line)
    except FileNotFoundError:
        return


def _parse_line(store: Store, number: int, line: bytes) -> ListedFile | Fault:
    match = _LINE.fullmatch(line)
    try:
        if match is not None:
            return ListedFile(check_stored_path(match[2].decode()), match[1].decode())
    except (DocumentError, UnicodeDecodeError):
        pass
    shown = ascii(line[:80].decode(errors="replace"))
    return Fault(store.format_uri(CHECKSUMS), f"sha256 and path in line {number}", shown, EXPORT_REMEDY)


def _draw_files(store: Store, share: float) -> Iterator[ListedFile | Fault]:
    """Yield the files of a sample, the same at every call, and all faults of the list."""
    if share == 1:
        yield from _iterate_files(store)
        return
    paths = (file.path for file in _iterate_files(store) if isinstance(file, ListedFile))
    last = find_threshold("sample", paths, share=share)
    for file in _iterate_files(store):
        if isinstance(file, Fault) or rank("sample", file.path) <= last:
            yield file


@dataclass(frozen=True)
class _FileChecker:
    store: Store
    depth: Depth
    format: str | None
    """Format of the labels to count; None counts none."""

    def check(self, file: ListedFile | Fault) -> tuple[Checked, FileCounts | None]:
        """Check a file of the list, and count its labels."""
        if isinstance(file, Fault):
            return Checked((file,)), None
        checked = self._compare(file)
        if checked.faults or self.format is None:
            return checked, None
        address = self.store.format_uri(file.path)
        try:
            counts = count_labels(self.store, self.format, file.path)
        except LabelFileError as error:
            fault = Fault(address, f"labels in the format {self.format}", f"others ({error})", EXPORT_REMEDY)
            return replace(checked, faults=(fault,)), None
        problems = counts.problems if counts else ()
        faults = tuple(Fault(address, *problem, EXPORT_REMEDY) for problem in problems)
        return replace(checked, faults=faults), counts

    def _compare(self, file: ListedFile) -> Checked:
        address = self.store.format_uri(file.path)
        try:
            size, digest = self._read(file)
        except FileNotFoundError:
            return Checked((Fault(address, f"the file that {CHECKSUMS} lists", NOTHING, EXPORT_REMEDY),), 1)
        except OSError as error:
            found = f"one that cannot be read ({error.strerror})"
            return Checked((Fault(address, "a readable file", found, EXPORT_REMEDY),), 1)
        if digest != file.sha256:
            return Checked((describe_digest(address, file.sha256, digest, EXPORT_REMEDY),), 1, size)
        return Checked((), 1, size)

    def _read(self, file: ListedFile) -> tuple[int, str]:
        """Return the number of bytes read and the sha256; without contents only look for the file."""
        if self.depth.contents:
            return compute_digest(self.store, file.path)
        self.store.read_size(file.path)
        return 0, file.sha256


def _compare_counts(store: Store, document: ExportDocument, totals: Mapping[str, SplitCounts]) -> Iterator[Fault]:
    address = store.format_uri(layout.DATASET)
    for split, counts in document.splits.items():
        found = totals.get(split, SplitCounts())
        for what, expected, seen in (("runs", counts.runs, found.runs), ("objects", counts.objects, found.objects)):
            if expected != seen:
                yield Fault(address, f"{expected:,} {what} in split {split}", f"{seen:,} in its files", EXPORT_REMEDY)
