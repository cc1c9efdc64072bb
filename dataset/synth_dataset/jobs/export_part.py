"""The export Job of a SynthDataset: each pod writes its share of the chunks of all exports."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from synth_api.jobs.messages import ExportMessage
from synth_dataset.jobs.dataset_build import open_build
from synth_dataset.jobs.job_process import Job, LoggedProgress, log_event, main
from synth_dataset.versions.version_document import VersionDocument

if TYPE_CHECKING:
    from synth_api.jobs.dataset_input import DatasetInput
    from synth_dataset.store.base import Store

INDEX_VARIABLE: Final = "JOB_COMPLETION_INDEX"
"""Kubernetes sets it in the pods of an Indexed Job."""


def export_part(given: DatasetInput, store: Store) -> ExportMessage:
    """Write the chunks of a part: of all chunks, those at the completion index, and every `given.parts` further ones.

    Finished chunks are left alone, and so is a version that is published. Raises NeverError, DocumentError, StoreError.
    """
    part = int(os.environ[INDEX_VARIABLE])
    build = open_build(given, store)
    if isinstance(build, VersionDocument):
        log_event("the version is published", version=build.version)
        return ExportMessage(part=part)
    own = range(part, len(build.chunks), given.parts)
    log_event("the runs are selected", part=part, runs=len(build.selection), chunks=len(own), of=len(build.chunks))
    progress, runs = LoggedProgress(), 0
    for done, number in enumerate(own, start=1):
        runs += build.write_chunk(number)
        progress("chunk", done, len(own))
    return ExportMessage(part=part, runs=runs)


JOB = Job("export_part", export_part, lambda problem: ExportMessage(problem=problem))

if __name__ == "__main__":
    main(JOB)
