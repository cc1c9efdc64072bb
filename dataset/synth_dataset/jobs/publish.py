"""The publish Job of a SynthDataset: documents of all exports, then `dataset.json` of the version, then the pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_api.jobs.messages import PublishMessage
from synth_api.resources.synth_dataset import SplitCount
from synth_dataset.jobs.dataset_build import open_build, refuse_version
from synth_dataset.jobs.job_process import Job, log_event, main
from synth_dataset.versions.published_version import remove_leftovers, write_pointer
from synth_dataset.versions.version_document import VersionDocument

if TYPE_CHECKING:
    from synth_api.jobs.dataset_input import DatasetInput
    from synth_dataset.store.base import Store


def publish(given: DatasetInput, store: Store) -> PublishMessage:
    """Publish a version; leave it alone if it is published. Raises NeverError, DocumentError, StoreError."""
    build = open_build(given, store)
    with refuse_version():
        document = build if isinstance(build, VersionDocument) else build.publish()
    write_pointer(store, document)
    remove_leftovers(store, document)
    log_event("the version is published", version=document.version, runs=document.runs, folder=document.folder)
    splits = (
        SplitCount(split=name, runs=counts.runs, objects=counts.objects) for name, counts in document.splits.items()
    )
    folders = tuple(export.folder for export in document.exports)
    return PublishMessage(splits=tuple(splits), root=document.root, folders=folders)


JOB = Job("publish", publish, lambda problem: PublishMessage(problem=problem))

if __name__ == "__main__":
    main(JOB)
