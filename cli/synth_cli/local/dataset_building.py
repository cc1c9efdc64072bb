"""Build of a version of a dataset by several processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth_api.errors import TryAgainError
from synth_cli.local.bucket_address import open_place
from synth_cli.manifests.custom_resources import to_resource_name
from synth_dataset.attempts.dataset_source import find_source, open_attempt_dataset
from synth_dataset.attempts.live_attempts import list_sweeps
from synth_dataset.versions.version_build import VersionBuild, prepare_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_cli.local.dataset_file import DatasetFile

_builds: list[VersionBuild] = []
"""The build that a process of the pool works on."""


@dataclass(frozen=True)
class BuildOrder:
    """What is built from which attempts, as every process gets it."""

    file: DatasetFile
    store: str
    """Folder or address of the sweeps' datasets."""
    out: str
    """Folder or address of the version."""
    endpoint: str | None
    attempts: tuple[str, ...]
    """Folder of the committed attempt of each source: no process sees a later one."""

    def prepare(self) -> VersionBuild:
        """Open the datasets and select the runs. Raises InputError, DocumentError, StoreError."""
        store = open_place(self.store, self.endpoint, "--store")
        out = store if self.out == self.store else open_place(self.out, self.endpoint, "--out")
        sources = [open_attempt_dataset(store, attempt) for attempt in self.attempts]
        return prepare_version(out, self.file.namespace, self.file.name, self.file.spec, sources)


def order_build(file: DatasetFile, store: str, out: str | None, endpoint: str | None) -> BuildOrder:
    """Find the datasets of the sources by the names of their sweeps, in any namespace. Raises InputError.

    `sem-broad` finds the dataset `sem_broad`, for names of sweeps on a cluster have no underscores.
    """
    place = open_place(store, endpoint, "--store")
    names = sorted({name for _, name in list_sweeps(place)})
    known = {to_resource_name(name): name for name in names} | {name: name for name in names}
    wanted = (source.sweep_ref.name for source in file.spec.sources)
    sources = [find_source(place, known.get(name, name)) for name in wanted]
    return BuildOrder(file, store, out or store, endpoint, tuple(source.dataset.folder for source in sources))


def count_processors() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0))


def write_chunks(order: BuildOrder, build: VersionBuild, workers: int) -> Iterator[int]:
    """Write all chunks of a build with so many processes; yield the number of runs of each.

    Raises TryAgainError; the same call continues then.
    """
    workers = min(workers, len(build.chunks))
    if workers <= 1:
        yield from map(build.write_chunk, range(len(build.chunks)))
        return
    context = multiprocessing.get_context("spawn")  # a fork would share the connections of a bucket
    with ProcessPoolExecutor(workers, context, _ignore_interrupts) as pool:
        try:
            for chunk in as_completed(
                [pool.submit(_write_chunk, order, number) for number in range(len(build.chunks))]
            ):
                yield chunk.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command ends the pool after the chunks in work


def _write_chunk(order: BuildOrder, number: int) -> int:
    """Write a chunk; the first one of a process prepares the build, for an error in an initializer breaks the pool."""
    try:
        if not _builds:
            _builds.append(order.prepare())
        return _builds[0].write_chunk(number)
    except TryAgainError as error:
        # Errors with several arguments cannot be sent to another process.
        raise TryAgainError(str(error)) from None
