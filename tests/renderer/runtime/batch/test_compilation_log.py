"""A pod whose image lacks compiled kernels says in its log that it compiles."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from synth_dataset.documents.batch_document import BatchDocument
from synth_renderer.runtime.batch.gpu_clock import GpuClock
from synth_renderer.runtime.batch.progress import BatchWork
from synth_renderer.runtime.pool import WorkerCompiling

if TYPE_CHECKING:
    import pytest


def test_compilation_is_logged_and_counts_to_no_run(capsys: pytest.CaptureFixture[str]) -> None:
    store: Any = None
    document = BatchDocument(batch=0, size=1)
    work = BatchWork(store, "attempt", document, [0], store)

    work.record(WorkerCompiling(12.34), GpuClock(1))

    entry = json.loads(capsys.readouterr().out)
    assert (entry["event"], entry["seconds"]) == ("compiling kernels", 12.3)
    assert work.document == document
