"""What a GPU's driver compiles, kept in a folder that outlives the pod.

The folder holds one archive for each key: GPU, driver, bpy and backend. Drivers never work in it: OptiX declares its
cache on a network file system undefined, and NVIDIA promises nothing of CUDA's for several nodes. A pod unpacks the
archive onto its own volume before Cycles opens the GPU. Without one, a single process of all pods compiles while the
others wait, and then moves its archive into place.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Final, Self
from uuid import uuid4

from synth_api.jobs.attempt_input import SCRATCH_FOLDER
from synth_api.jobs.kernel_cache import DRIVER_CACHE_VARIABLE, KERNEL_CACHE_BYTES_VARIABLE, KERNEL_CACHE_VARIABLE
from synth_renderer.kernels.archives import (
    SUFFIX,
    DamagedArchiveError,
    list_archives,
    store_archive,
    unpack_archive,
)
from synth_renderer.kernels.lease import LeaseTimes, wait_for_lease

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from synth_renderer.kernels.lease import HeldLease

_MAX_POD_BYTES: Final = 4 << 30
"""Of the archives that the processes of a pod share: as much as both caches of the driver."""


def has_lasting_cache(environment: Mapping[str, str]) -> bool:
    """Return True if what OptiX compiles here serves later processes, and in a pod later pods."""
    if environment.get("OPTIX_CACHE_MAXSIZE") == "0":
        return False
    if name := environment.get(KERNEL_CACHE_VARIABLE):
        return _is_writable(Path(name)) or bool(list_archives(Path(name)))
    return not Path(environment.get("OPTIX_CACHE_PATH", "/")).is_relative_to(SCRATCH_FOLDER)


def name_key(gpus: Iterable[str], driver: str, bpy: str, backend: str) -> str:
    """Return the name of an archive: of all that compiled kernels depend on."""
    words = (*sorted(set(gpus)), f"driver {driver}", f"bpy {bpy}", backend)
    return "-".join(re.sub(r"[^A-Za-z0-9.]+", "-", word).strip("-.") for word in words)


@contextmanager
def share_kernels(
    environment: Mapping[str, str], key: str, say: Callable[[str], None], times: LeaseTimes | None = None
) -> Iterator[bool]:
    """Around a first picture: bring what was compiled before, or let one process alone compile, and keep the result.

    Yields True if the kernels are there. Enter it before Cycles opens the GPU. In a pod without a kernel cache its
    processes share what one of them compiles; outside of pods drivers have caches of their own, and nothing happens.
    """
    caches = KernelCache.list_all(environment, key)
    if not caches or any(cache.has_kernels() for cache in caches):
        yield bool(caches)
        return
    cache, lease = _claim_first(caches, times or LeaseTimes(), say)
    try:
        yield cache.has_kernels()
        if lease:
            cache.store(say)
    finally:
        if lease:
            lease.release()


def _claim_first(
    caches: tuple[KernelCache, ...], times: LeaseTimes, say: Callable[[str], None]
) -> tuple[KernelCache, HeldLease | None]:
    """Return the first cache that can be written, and the lease of the process that compiles for it.

    Without a lease there is nothing to store: another process has compiled meanwhile.
    """
    for cache in caches:
        try:
            return cache, cache.claim(times, say)
        except OSError as error:
            cache.explain_loss(say, error)
    return caches[-1], None


@dataclass(frozen=True)
class KernelCache:
    """The archive of one key, and the folder of this pod that it fills."""

    folder: Path
    """Of all archives."""
    local: Path
    """Of the driver's caches, on the pod's own volume."""
    key: str
    max_bytes: int
    """Of all archives together."""

    @classmethod
    def list_all(cls, environment: Mapping[str, str], key: str) -> tuple[Self, ...]:
        """Return the kernel cache that outlives the pod, if there is one, and the pod's own; none outside of pods."""
        path = environment.get(DRIVER_CACHE_VARIABLE)
        if path is None:
            return ()
        local = Path(path)
        own = cls(local.with_name(f"{local.name}-archives"), local, key, _MAX_POD_BYTES)
        if folder := environment.get(KERNEL_CACHE_VARIABLE):
            return cls(Path(folder), local, key, int(environment[KERNEL_CACHE_BYTES_VARIABLE])), own
        return (own,)

    @property
    def archive(self) -> Path:
        """Path of the archive."""
        return self.folder / f"{self.key}{SUFFIX}"

    @property
    def mark(self) -> Path:
        """Path of the file that is among the driver's caches once they are filled."""
        return self.local / self.key

    def has_kernels(self) -> bool:
        """Return True if the driver's caches are filled, or an archive has filled them now."""
        if self.mark.exists():
            return True
        fresh = self.local.with_name(f"{self.local.name}.{uuid4().hex}")
        try:
            unpack_archive(self.archive, fresh)
            fresh.rename(self.local)
        except DamagedArchiveError:
            with suppress(OSError):
                self.archive.unlink()
        except OSError:  # there is none, or another process of this pod has been quicker
            pass
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        return self.mark.exists()

    def claim(self, times: LeaseTimes, say: Callable[[str], None]) -> HeldLease | None:
        """Return the lease of the process that compiles, once no other holds it; None if another has compiled.

        Raises OSError if the folder cannot be written.
        """
        waiting = "Waiting for another worker, which compiles Cycles kernels for the same GPU"
        if self.folder.parent == self.local.parent:
            self.folder.mkdir(parents=True, exist_ok=True)
        lease = wait_for_lease(self.folder, self.key, self.archive.exists, times, lambda: say(waiting))
        if lease and self.has_kernels():
            lease.release()
            return None
        return lease

    def store(self, say: Callable[[str], None]) -> None:
        """Keep what the driver has compiled, also nothing: then no other process waits for it."""
        try:
            self.local.mkdir(parents=True, exist_ok=True)
            self.mark.touch()
            store_archive(self.local, self.archive, self.max_bytes)
        except OSError as error:
            self.explain_loss(say, error)

    def explain_loss(self, say: Callable[[str], None], error: OSError) -> None:
        """Say why the kernel cache keeps nothing."""
        say(
            f"The kernel cache {self.folder} cannot be written by user {os.getuid()}: {error.strerror or error}; "
            "what the driver compiles is lost with this pod"
        )


def _is_writable(folder: Path) -> bool:
    with suppress(OSError), TemporaryFile(dir=folder):
        return True
    return False
