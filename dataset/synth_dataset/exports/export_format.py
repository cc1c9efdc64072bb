"""What a format of an export does: cut the runs into chunks, write the files of each, then the documents of all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from synth_api.errors import InputError
from synth_api.export_options import FORMATS_WITHOUT_IGNORED, FORMATS_WITHOUT_OVERLAP
from synth_api.splits import DEFAULT_SPLIT
from synth_dataset.exports.chunks import SplitCounts, cut_by_run, iterate_fragments, iterate_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from synth_api.dataset_card import DatasetCard
    from synth_dataset.attempts.dataset_source import DatasetSource
    from synth_dataset.documents.run_manifest import File
    from synth_dataset.exports.chunks import ChunkWriter
    from synth_dataset.exports.classes import ClassMap
    from synth_dataset.exports.options import ExportOptions
    from synth_dataset.exports.picture_files import PictureFiles
    from synth_dataset.exports.sample import Sample
    from synth_dataset.exports.selection import Selection
    from synth_dataset.exports.target import Target


@dataclass(frozen=True)
class ExportContext:
    """All that the documents of an export depend on."""

    name: str
    card: DatasetCard
    """What people say of the dataset."""
    sources: tuple[DatasetSource, ...]
    filters: tuple[str, ...]
    """Filter of the runs of each source; empty for all."""
    options: ExportOptions
    classes: ClassMap
    selection: Selection
    target: Target

    @property
    def main_split(self) -> str:
        """The split that the line that loads the export takes: `train` if there is one."""
        return DEFAULT_SPLIT if DEFAULT_SPLIT in self.selection.splits else self.selection.splits[0]


@dataclass(frozen=True)
class FinishedChunks:
    """The chunks of an export, all finished."""

    target: Target
    count: int

    @cached_property
    def counts(self) -> dict[str, SplitCounts]:
        """Counts of the chunks by split."""
        totals: dict[str, SplitCounts] = {}
        for record in iterate_records(self.target, self.count):
            for split, counts in record.counts.items():
                totals[split] = totals.get(split, SplitCounts()).add(counts)
        return totals

    def iterate_files(self) -> Iterator[File]:
        """Yield all files of the chunks."""
        for record in iterate_records(self.target, self.count):
            yield from record.files

    def join(self, document: str) -> Iterator[bytes]:
        """Yield the fragments of a document."""
        return iterate_fragments(self.target, self.count, document)


class ExportFormat(ABC):
    """One format of an export."""

    name: ClassVar[str]

    def __init__(self, context: ExportContext) -> None:
        self.context = context
        options = context.options
        if options.below == "ignore" and self.name in FORMATS_WITHOUT_IGNORED:
            raise InputError("--below", f"readers of {self.name} know no particles to ignore; take drop")
        if options.amodal and self.name in FORMATS_WITHOUT_OVERLAP:
            raise InputError("--amodal", f"a pixel of {self.name} has one particle; take another format")

    def cut(self) -> list[NDArray[np.int64]]:
        """Return the positions of the runs of each chunk."""
        return cut_by_run(self.context.selection)

    @abstractmethod
    def write_chunk(self, samples: Iterable[Sample], chunk: ChunkWriter) -> None:
        """Write the files of a chunk. Raises StoreError, StoreFullError, DocumentError."""

    def write_documents(self, finished: FinishedChunks) -> Iterator[File]:  # noqa: ARG002
        """Write the documents of all chunks together, and yield them; some formats have none."""
        yield from ()

    @abstractmethod
    def format_loading(self, location: str) -> str:
        """Return the line that loads the export at an address."""

    @abstractmethod
    def describe_files(self) -> Mapping[str, str]:
        """Return the meaning of the files by their pattern, for the card."""

    def list_pictures(self) -> tuple[PictureFiles, ...]:
        """Return the files with pictures for `croissant.json`; none of tar files."""
        return ()

    def build_head(self, identity: str) -> dict[str, Any]:  # noqa: ARG002
        """Return further entries for the head of the card of the export with this identity."""
        return {}
