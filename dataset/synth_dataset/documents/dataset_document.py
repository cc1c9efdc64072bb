"""`dataset.json`: the committed dataset of a sweep."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, Field

from synth_dataset.documents.attempt_document import Category
from synth_dataset.documents.document import Document, Hash
from synth_dataset.documents.failed_run import FailedRun
from synth_dataset.documents.run_manifest import File


class DatasetDocument(Document):
    """`dataset.json`: the committed runs of a sweep. Paths are relative to the store, those of `files` to `folder`.

    Documents of earlier releases lack the fields that have a default.
    """

    name: str
    namespace: str
    plan: Hash
    attempt: Hash
    folder: str
    """Folder of the committed attempt."""
    total: int
    cached: int
    succeeded: int
    """Runs that were to do in this attempt and exist."""
    failed: int
    missing: int
    """Runs that neither exist nor failed: dropped or not requested."""
    failures: tuple[FailedRun, ...]
    files: tuple[File | str, ...]
    """Files beside the document; in documents of earlier releases their paths only."""
    root: Hash | None = None
    """Hash of the runs (`synth_dataset.views.root_digest`)."""
    views: int
    """Number of runs in coco.json; in documents of earlier releases on the gallery page too."""
    views_truncated: bool
    """True if the dataset has more runs."""
    categories: tuple[Category, ...] = ()
    """Categories of coco.json."""
    visible: int | None = None
    """Total number of visible particles."""
    recipe: dict[str, Any] | None = None
    """The recipe, composed with the fixed overrides; of a joined dataset that of its last sweep."""
    engine_version: int | None = None
    title: str = ""
    description: str = ""
    version: str = ""
    licence: str = ""
    """SPDX expression."""
    authors: tuple[str, ...] = ()
    citation: str = ""
    split: dict[str, float] = Field(default={})
    """Split -> share of the seeds."""
    created: AwareDatetime
    """Time of the first commit of these runs."""

    @property
    def runs(self) -> int:
        """Number of runs that exist."""
        return self.cached + self.succeeded

    @property
    def file_names(self) -> tuple[str, ...]:
        """Paths of `files`, relative to the folder."""
        return tuple(file if isinstance(file, str) else file.path for file in self.files)

    @property
    def is_complete(self) -> bool:
        """True if every run exists."""
        return self.runs == self.total
