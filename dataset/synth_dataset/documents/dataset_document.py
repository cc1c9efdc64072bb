"""`dataset.json`: the committed dataset of a sweep."""

from __future__ import annotations

from pydantic import AwareDatetime

from synth_dataset.documents.attempt_document import Category
from synth_dataset.documents.document import Document, Hash
from synth_dataset.documents.failed_run import FailedRun


class DatasetDocument(Document):
    """`dataset.json`: the committed runs of a sweep. Paths are relative to the store."""

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
    files: tuple[str, ...]
    views: int
    """Number of runs in coco.json and on the gallery page."""
    views_truncated: bool
    """True if the dataset has more runs than the views."""
    categories: tuple[Category, ...] = ()
    """Categories of coco.json; documents of earlier releases lack them."""
    visible: int | None = None
    """Total number of visible particles; documents of earlier releases lack it."""
    created: AwareDatetime

    @property
    def runs(self) -> int:
        """Number of runs that exist."""
        return self.cached + self.succeeded

    @property
    def is_complete(self) -> bool:
        """True if every run exists."""
        return self.runs == self.total
