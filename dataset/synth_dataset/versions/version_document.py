"""`dataset.json` of a version: what it holds, from which datasets and by which definition."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime

from synth_dataset.documents.document import Document, Hash
from synth_dataset.exports.chunks import SplitCounts
from synth_dataset.exports.export_document import SourceDocument


class PublishedExport(Document):
    """Export of a version."""

    format: str
    folder: str
    """Its folder in that of the version."""
    identity: Hash
    """Hash of options, datasets and selected runs."""
    checksums: Hash
    """sha256 of its `checksums.sha256`, which has those of all its other files."""
    runs: int
    splits: dict[str, SplitCounts]
    loading: str
    """Line of Python that loads the export in the folder of the version."""


class VersionDocument(Document):
    """`dataset.json` of a version; the same for the same definition and datasets."""

    name: str
    namespace: str
    version: str
    folder: str
    """Its folder in the store."""
    title: str
    """Empty, as the next four, if nobody has said it."""
    description: str
    licence: str
    """SPDX identifier or expression."""
    authors: tuple[str, ...]
    citation: str
    definition: dict[str, Any]
    """What it is made from, as in the spec, without defaults."""
    sources: tuple[SourceDocument, ...]
    split: dict[str, str]
    """Split -> share of the seeds."""
    runs: int
    """Runs of all sources, each once; an export with a limit has fewer."""
    splits: dict[str, SplitCounts]
    """Counts of the first export."""
    root: Hash
    """Hash over the runs (`synth_dataset.views.root_digest`)."""
    exports: tuple[PublishedExport, ...]
    created: AwareDatetime
    """Time of the newest of the datasets."""
