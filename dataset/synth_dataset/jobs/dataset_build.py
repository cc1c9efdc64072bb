"""The build of a version by the Jobs of a SynthDataset: what it reads, and whether it is published already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_api.errors import InputError
from synth_api.reasons import Reason
from synth_dataset.attempts.dataset_source import open_attempt_dataset
from synth_dataset.documents import layout
from synth_dataset.jobs.job_process import NeverError
from synth_dataset.store.s3_store import open_store
from synth_dataset.versions.published_version import PublishedError, find_version
from synth_dataset.versions.version_build import prepare_version

if TYPE_CHECKING:
    from synth_api.jobs.dataset_input import DatasetInput
    from synth_api.resources.synth_dataset import SourceDataset
    from synth_dataset.attempts.dataset_source import DatasetSource
    from synth_dataset.store.base import Store
    from synth_dataset.versions.version_build import VersionBuild
    from synth_dataset.versions.version_document import VersionDocument


def open_build(given: DatasetInput, store: Store) -> VersionBuild | VersionDocument:
    """Return the build of a version, or the document of the version if it is published.

    Raises NeverError for a definition that does not fit its datasets, or not what is published; DocumentError for a
    dataset that is missing; StoreError.
    """
    sources = [_open_source(given, one) for one in given.datasets]
    try:
        published = find_version(store, given.namespace, given.name, given.definition, sources)
        return published or prepare_version(store, given.namespace, given.name, given.definition, sources)
    except PublishedError as error:
        raise NeverError(Reason.VERSION_PUBLISHED, str(error)) from error
    except InputError as error:
        raise NeverError(Reason.DATASET_INVALID, str(error)) from error


def _open_source(given: DatasetInput, one: SourceDataset) -> DatasetSource:
    store = open_store(given.model_copy(update={"output": one.output}))
    return open_attempt_dataset(store, layout.attempt_path(given.namespace, one.name, one.plan, one.attempt))
