"""Processor time and memory of several processes together, as a limit of a container counts them."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_PROC: Final = Path("/proc")
_INTERVAL_SECONDS: Final = 0.5
_MIB: Final = 1024


def find_descendants(number: int) -> list[Path]:
    """Return the folders in /proc of a process and of all that it and its children started."""
    parents = {path: int(text.rpartition(")")[2].split()[1]) for path, text in _read_all("stat")}
    found = added = {number}
    while added:
        added = {int(path.name) for path, parent in parents.items() if parent in found} - found
        found = found | added
    return [path for path in parents if int(path.name) in found]


def find_by_hostname(name: str) -> list[Path]:
    """Return the folders in /proc of the processes of a container, by the host name in their environment."""
    return [path for path, text in _read_all("environ") if f"HOSTNAME={name}" in text.split("\0")]


def measure_cpu_seconds(processes: Iterable[Path]) -> float:
    """Return the processor time of processes and of those of their children that have ended."""
    ticks = sum(
        sum(map(int, text.rpartition(")")[2].split()[11:15])) for path in processes for text in _read(path / "stat")
    )
    return ticks / os.sysconf("SC_CLK_TCK")


def measure_memory(processes: Iterable[Path]) -> float:
    """Return the proportional set size in MiB: a page that processes share counts once."""
    kibibytes = sum(
        int(line.split()[1])
        for path in processes
        for text in _read(path / "smaps_rollup")
        for line in text.splitlines()
        if line.startswith("Pss:")
    )
    return kibibytes / _MIB


class MemoryPeak:
    """Largest memory of processes, measured twice a second; `find` returns those that exist."""

    def __init__(self, find: Callable[[], Iterable[Path]]) -> None:
        self.mebibytes = 0.0
        self._find = find
        self._ended = threading.Event()

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Measure until the end of the block."""
        thread = threading.Thread(target=self._measure, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _measure(self) -> None:
        while not self._ended.wait(_INTERVAL_SECONDS):
            self.mebibytes = max(self.mebibytes, measure_memory(self._find()))


def _read_all(file: str) -> Iterator[tuple[Path, str]]:
    for path in _PROC.glob("[0-9]*"):
        for text in _read(path / file):
            yield path, text


def _read(path: Path) -> Iterator[str]:
    """Yield the content of a file, or nothing if its process has ended."""
    try:
        yield path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
