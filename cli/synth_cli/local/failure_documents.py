"""Failed runs of a call of `synth render` while it renders, for a gallery that watches the folder."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from synth_dataset.documents import layout
from synth_dataset.documents.batch_document import BatchDocument
from synth_dataset.store.folder_store import StoreFullError

if TYPE_CHECKING:
    from synth_dataset.attempts.render_call import RenderCall
    from synth_dataset.documents.failed_run import FailedRun
    from synth_dataset.store.folder_store import FolderStore

FAILURES_PER_DOCUMENT: Final = 64


class FailureDocuments:
    """Writer of batch documents that have failures alone, as those of pods; the commit of the dataset ends them."""

    def __init__(self, store: FolderStore, call: RenderCall) -> None:
        self._store = store
        self._attempt = call.attempt.path
        self._numbers = call.runs.numbers
        self._written = 0
        self._last: list[FailedRun] = []
        """Failures of the document that is not full."""

    def renumber(self, failure: FailedRun) -> FailedRun:
        """Return a failed run of the sweep with its number in the dataset."""
        return failure.model_copy(update={"number": int(self._numbers[failure.number])})

    def add(self, failure: FailedRun) -> None:
        """Write the last document with another failed run of the sweep; a full disk does not matter to it."""
        self._last.append(self.renumber(failure))
        document = BatchDocument(batch=self._written, size=len(self._last), failures=tuple(self._last))
        with suppress(StoreFullError):
            self._store.write(layout.batch_path(self._attempt, self._written), document.to_json())
        if len(self._last) == FAILURES_PER_DOCUMENT:
            self._written, self._last = self._written + 1, []

    def remove(self) -> None:
        """Remove the documents: `dataset.json` has the failed runs."""
        self._store.remove_folder(f"{self._attempt}/{layout.BATCHES}")
