"""Chunks of an export: some runs whose files are written together. A finished chunk is not written again.

A chunk leaves a record and fragments of the documents of the whole export in a folder below `.export`, which is removed
when these documents exist. Memory holds one chunk, and an interrupted export continues at the chunk where it stopped.
The folder is that of the export's identity, so records of other runs or options never count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
from pydantic import Field

from synth_dataset.documents.document import Document, parse_document
from synth_dataset.documents.run_manifest import File
from synth_dataset.store.read_ahead import read_ahead

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from synth_dataset.exports.sample import Sample
    from synth_dataset.exports.selection import Selection
    from synth_dataset.exports.target import Target

MAX_CHUNK_RUNS: Final = 64
MAX_CHUNK_PARTICLES: Final = 50_000
"""Number of particles from which on a chunk is full."""


class SplitCounts(Document):
    """Counts of a split, or of a part of it."""

    runs: int = 0
    objects: int = 0
    classes: Mapping[str, int] = {}
    """Objects by class."""
    overlapping: int = Field(default=0, exclude_if=lambda overlapping: not overlapping)
    """Objects that share pixels with others, where particles shine through."""

    def add(self, other: SplitCounts) -> SplitCounts:
        """Return the sums of both."""
        return SplitCounts(
            runs=self.runs + other.runs,
            objects=self.objects + other.objects,
            classes=Counter(self.classes) + Counter(other.classes),
            overlapping=self.overlapping + other.overlapping,
        )


class ChunkRecord(Document):
    """What a finished chunk has written."""

    files: tuple[File, ...]
    counts: dict[str, SplitCounts]
    """By split."""


class ChunkWriter:
    """Writer of the files of one chunk, and of its fragments of documents."""

    def __init__(self, target: Target, number: int) -> None:
        self.target = target
        self.number = number
        self._files: list[File] = []
        self._fragments: dict[str, list[bytes]] = {}
        self._counts: dict[str, SplitCounts] = {}

    def write(self, path: str, content: bytes | Iterable[bytes]) -> File:
        """Create a file of the export."""
        self._files.append(self.target.write(path, content))
        return self._files[-1]

    def write_from(self, path: str, file: Path) -> None:
        """Create a file of the export with the content of a local one."""
        self._files.append(self.target.write_from(path, file))

    def place(self, path: str, sample: Sample, file: File) -> None:
        """Create a file of the export with the content of a file of the run."""
        self._files.append(self.target.place(path, sample.source.store, sample.find_path(file.path), file))

    def append(self, document: str, part: bytes) -> None:
        """Add a part to the fragment of a document."""
        self._fragments.setdefault(document, []).append(part)

    def count(self, sample: Sample) -> None:
        """Count a sample with its objects."""
        classes = Counter(one.category.name for one in sample.objects if not one.ignored)
        classes.update(one.category.name for one in sample.agglomerates)
        overlapping = sum(bool(one.overlaps) and not one.ignored for one in sample.objects)
        counts = SplitCounts(runs=1, objects=classes.total(), classes=classes, overlapping=overlapping)
        split = sample.run.split
        self._counts[split] = self._counts.get(split, SplitCounts()).add(counts)

    def close(self) -> None:
        """Write the fragments, then the record, which makes the chunk a finished one."""
        for document, parts in self._fragments.items():
            self.target.store.write(_fragment_path(self.target, self.number, document), parts)
        record = ChunkRecord(files=tuple(self._files), counts=self._counts)
        self.target.store.write(_fragment_path(self.target, self.number, "json"), record.to_json())


def read_record(target: Target, number: int) -> ChunkRecord | None:
    """Return the record of a finished chunk; None if it is not finished."""
    path = _fragment_path(target, number, "json")
    try:
        return parse_document(ChunkRecord, target.store.read(path), target.store.format_uri(path))
    except FileNotFoundError:
        return None


def iterate_records(target: Target, chunks: int) -> Iterator[ChunkRecord]:
    """Yield the records of all chunks, in order. Raises FileNotFoundError if one is not finished."""
    for number in range(chunks):
        path = _fragment_path(target, number, "json")
        yield parse_document(ChunkRecord, target.store.read(path), target.store.format_uri(path))


def iterate_fragments(target: Target, chunks: int, document: str) -> Iterator[bytes]:
    """Yield the fragments of a document, in the order of chunks."""

    def read(number: int) -> bytes:
        try:
            return target.store.read(_fragment_path(target, number, document))
        except FileNotFoundError:
            return b""

    return filter(None, read_ahead(read, range(chunks), 1))


def cut_by_run(selection: Selection) -> list[NDArray[np.int64]]:
    """Return the positions of the runs of each chunk, in the order of numbers: few runs, and not many particles."""
    chunks: list[NDArray[np.int64]] = []
    start, particles = 0, 0
    for position, visible in enumerate(selection.table["visible"].tolist()):
        particles += visible
        if position + 1 - start == MAX_CHUNK_RUNS or particles >= MAX_CHUNK_PARTICLES:
            chunks.append(np.arange(start, position + 1))
            start, particles = position + 1, 0
    if start < len(selection):
        chunks.append(np.arange(start, len(selection)))
    return chunks


def cut_by_key(selection: Selection, runs: int) -> list[NDArray[np.int64]]:
    """Return the positions of the runs of each shard: at most `runs` of one split each, in the order of keys."""
    order = np.lexsort((selection.table["key"], selection.table["split"]))
    ends = np.flatnonzero(np.diff(selection.table["split"][order])) + 1
    parts = np.split(order, ends) if len(order) else []
    return [part[first : first + runs] for part in parts for first in range(0, len(part), runs)]


def _fragment_path(target: Target, number: int, document: str) -> str:
    return f"{target.work}/{number:06d}.{document}"
