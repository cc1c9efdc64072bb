"""A lease in a shared folder: one process of all pods has it, and another takes it over when its holder dies.

A lease is a file `<name>.lease.<generation>`, whose holder changes its time again and again. A process that has
watched it for some time without a change creates the file of the next generation. Creating a file that must not exist
succeeds once on every file system, NFS included; `flock` does not hold between nodes on some. No clocks are compared:
a waiting process measures with its own how long a file stays unchanged.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SUFFIX: Final = ".lease."


@dataclass(frozen=True)
class LeaseTimes:
    """Times of a lease, in seconds."""

    beat: float = 10.0
    """Between two signs of life of its holder."""
    silence: float = 60.0
    """Without one, until another process takes the lease over: more than network file systems cache a file's time."""
    poll: float = 1.0
    """Between two looks of a waiting process."""
    patience: float = 1200.0
    """Until a waiting process goes on without the lease: longer than any driver compiles Cycles."""


@dataclass
class HeldLease:
    """The lease of this process, with a thread that keeps it alive until `release`."""

    path: Path
    token: bytes
    beat: float
    _released: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> Self:
        """Keep the lease alive from now on."""
        self._thread = threading.Thread(target=self._keep_alive, name="kernel-lease", daemon=True)
        self._thread.start()
        return self

    def _keep_alive(self) -> None:
        while not self._released.wait(self.beat):
            with suppress(OSError):
                os.utime(self.path)

    def release(self) -> None:
        """Give the lease up, with those of dead holders before it."""
        self._released.set()
        if self._thread:
            self._thread.join()
        for path in _list_generations(self.path):
            with suppress(OSError):
                if path != self.path or path.read_bytes() == self.token:
                    path.unlink()
            if path == self.path:
                break


def wait_for_lease(
    folder: Path, name: str, is_done: Callable[[], bool], times: LeaseTimes, say: Callable[[], None]
) -> HeldLease | None:
    """Wait until this process has the lease; None once `is_done`, or after the patience.

    `say` is called when the wait begins. Raises OSError if the folder cannot be written.
    """
    start = time.monotonic()
    seen, since = None, start
    while not is_done():
        latest = next(reversed(_list_generations(folder / f"{name}{_SUFFIX}0")), None)
        now = time.monotonic()
        state = _read_state(latest)
        if seen is None and latest is not None:
            say()
        if state != seen:
            seen, since = state, now
        if latest is None or now - since >= times.silence:
            if lease := _create(folder, name, 0 if latest is None else _read_generation(latest) + 1, times):
                return lease
            continue
        if now - start >= times.patience:
            return None
        time.sleep(times.poll)
    return None


def _create(folder: Path, name: str, generation: int, times: LeaseTimes) -> HeldLease | None:
    """Return the lease of a generation; None if another process was quicker."""
    path, token = folder / f"{name}{_SUFFIX}{generation}", uuid4().bytes
    try:
        with path.open("xb") as file:
            file.write(token)
    except FileExistsError:
        return None
    return HeldLease(path, token, times.beat).start()


def _list_generations(path: Path) -> list[Path]:
    """Return the files of all generations of a lease, first to last."""
    prefix = path.name[: path.name.rindex(_SUFFIX) + len(_SUFFIX)]
    found = (each for each in path.parent.iterdir() if each.name.startswith(prefix))
    return sorted((each for each in found if each.name.removeprefix(prefix).isdigit()), key=_read_generation)


def _read_generation(path: Path) -> int:
    return int(path.name.rpartition(".")[2])


def _read_state(path: Path | None) -> tuple[str, int] | None:
    """Return what a sign of life changes; opening the file makes a network file system ask its server."""
    if path is None:
        return None
    with suppress(OSError), path.open("rb") as file:
        return path.name, os.fstat(file.fileno()).st_mtime_ns
    return None
