"""The build of a version by the Jobs of a SynthDataset: what it reads, and whether it is published already."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from synth_api.errors import InputError
from synth_api.reasons import Reason
from synth_dataset.attempts.dataset_source import open_attempt_dataset
from synth_dataset.documents import layout
from synth_dataset.jobs.job_process import NeverError
from synth_dataset.store.s3_store import open_store
from synth_dataset.versions.published_version import PublishedError, check_version, find_version
from synth_dataset.versions.version_build import prepare_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_api.jobs.dataset_input import DatasetInput
    from synth_api.resources.synth_dataset import SourceDataset
    from synth_dataset.attempts.dataset_source import DatasetSource
    from synth_dataset.store.base import Store
    from synth_dataset.versions.version_build import VersionBuild
    from synth_dataset.versions.version_document import VersionDocument


def open_build(given: DatasetInput, store: Store) -> VersionBuild | VersionDocument:
    """Return the build of a version, or the document of the version if it is published.

    A version that is made from these very attempts needs them no more. Raises NeverError for a definition that does not
    fit its datasets, or not what is published; DocumentError for a dataset that is missing; StoreError.
    """
    published = find_version(store, given.namespace, given.name, given.definition.version)
    if published and _is_made_from(published, given):
        return published
    sources = [_open_source(given, one) for one in given.datasets]
    with refuse_version():
        if published:
            check_version(published, given.definition, sources)
            return published
        return prepare_version(store, given.namespace, given.name, given.definition, sources)


@contextmanager
def refuse_version() -> Iterator[None]:
    """Raise NeverError for a version that can never be built."""
    try:
        yield
    except PublishedError as error:
        raise NeverError(Reason.VERSION_PUBLISHED, str(error)) from error
    except InputError as error:
        raise NeverError(Reason.DATASET_INVALID, str(error)) from error


def _is_made_from(published: VersionDocument, given: DatasetInput) -> bool:
    attempts = [source.attempt for source in published.sources]
    is_same = published.definition == given.definition.describe()
    return is_same and attempts == [source.attempt for source in given.datasets]


def _open_source(given: DatasetInput, one: SourceDataset) -> DatasetSource:
    store = open_store(given.model_copy(update={"output": one.output}))
    return open_attempt_dataset(store, layout.attempt_path(given.namespace, one.name, one.plan, one.attempt))
