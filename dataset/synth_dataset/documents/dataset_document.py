"""`dataset.json`: the committed dataset of a sweep."""

from __future__ import annotations

from pydantic import AwareDatetime

from synth_dataset.documents.attempt_document import Category
from synth_dataset.documents.document import Document, Hash
from synth_dataset.documents.failed_run import FailedRun


class DatasetDocument(Document):
    """dataset.json: the committed union of a sweep's runs. Paths are relative to the store."""

    name: str
    namespace: str
    plan: Hash
    attempt: Hash
    folder: str
    """The attempt's folder."""
    total: int
    cached: int
    succeeded: int
    """Runs that were to do and exist now."""
    failed: int
    missing: int
    """Runs that neither exist nor failed: dropped or left out."""
    failures: tuple[FailedRun, ...]
    files: tuple[str, ...]
    views: int
    """Runs that coco.json and the gallery hold."""
    views_truncated: bool
    """Whether there are more runs than that."""
    categories: tuple[Category, ...] = ()
    """Those of coco.json; documents of earlier releases lack them."""
    visible: int | None = None
    """Particles that the runs show, all together; documents of earlier releases lack it."""
    created: AwareDatetime

    @property
    def runs(self) -> int:
        """Runs that exist."""
        return self.cached + self.succeeded

    @property
    def is_complete(self) -> bool:
        """Whether every run exists."""
        return self.runs == self.total
