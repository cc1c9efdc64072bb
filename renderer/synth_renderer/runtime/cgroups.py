"""Limits of a process's control groups, versions 1 and 2, from the kernel's files; pure functions.

Limits of all groups along the path hold, so the smallest counts. Source: the kernel's guides to both versions.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Read = Callable[[PurePosixPath], str | None]
    """Returns the text of a file, None if it does not exist."""

PROCESS_GROUPS: Final = PurePosixPath("/proc/self/cgroup")
MOUNTS: Final = PurePosixPath("/proc/self/mountinfo")


@dataclass(frozen=True)
class Allowance:
    """Limits of all control groups of a process; None without a limit."""

    processors: float | None
    """Processor time, in processors."""
    memory: int | None
    """Bytes, used or not."""
    free_memory: int | None
    """Bytes that are not used yet; what the kernel can reclaim from its file cache counts as free."""


def read_allowance(read: Read) -> Allowance:
    """Return the limits of the process whose files `read` reads; a missing or unknown file sets no limit."""
    processors: list[float] = []
    memory: list[int] = []
    free: list[int] = []
    for folder in _list_folders(read, "cpu"):
        processors += _read_processors(read, folder)
    for folder in _list_folders(read, "memory"):
        for limit in _read_memory_limits(read, folder):
            memory.append(limit)
            free.append(max(0, limit - _read_used_memory(read, folder)))
    return Allowance(min(processors, default=None), min(memory, default=None), min(free, default=None))


def _list_folders(read: Read, controller: str) -> Iterator[PurePosixPath]:
    """Yield the folders of the groups that may limit a resource, innermost first."""
    groups = _parse_groups(read(PROCESS_GROUPS) or "")
    for mount in _parse_mounts(read(MOUNTS) or ""):
        if mount.has(controller):
            yield from _list_path_folders(
                mount, groups.get(controller if mount.controllers else "", PurePosixPath("/"))
            )


@dataclass(frozen=True)
class _Mount:
    root: PurePosixPath
    """Path of the mounted group in its hierarchy."""
    point: PurePosixPath
    controllers: frozenset[str]
    """Controllers of version 1; empty for version 2, which has the others."""

    def has(self, controller: str) -> bool:
        return not self.controllers or controller in self.controllers


def _parse_groups(text: str) -> dict[str, PurePosixPath]:
    """Return the process's group by controller; version 2 has the empty name."""
    groups: dict[str, PurePosixPath] = {}
    for line in text.splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        groups |= {controller: PurePosixPath(path) for controller in controllers.split(",") if path}
    return groups


def _parse_mounts(text: str) -> Iterator[_Mount]:
    """Yield the mounted hierarchies; a line is `id parent device root point options … - type source options`."""
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind, *options = before.split(), *after.split()
        if kind in ("cgroup", "cgroup2") and len(fields) > 4:
            controllers = options[-1].split(",") if kind == "cgroup" else ()
            yield _Mount(_unescape_path(fields[3]), _unescape_path(fields[4]), frozenset(controllers))


def _unescape_path(path: str) -> PurePosixPath:
    """Return a path of the mount table, which writes a space as a backslash and its octal code."""
    return PurePosixPath(path.encode().decode("unicode_escape"))


def _list_path_folders(mount: _Mount, group: PurePosixPath) -> Iterator[PurePosixPath]:
    """Yield a group below the mount and its parents; of a group outside the mount, the mounted one."""
    inside = group.relative_to(mount.root) if group.is_relative_to(mount.root) else PurePosixPath()
    yield from (mount.point / inside, *(mount.point / parent for parent in inside.parents))


def _read_processors(read: Read, folder: PurePosixPath) -> Iterator[float]:
    """Yield quota over period, in processors; version 2 has one file, version 1 two."""
    quota, _, period = (read(folder / "cpu.max") or "").partition(" ")
    pairs = [(quota, period), (read(folder / "cpu.cfs_quota_us"), read(folder / "cpu.cfs_period_us"))]
    for part, whole in ((_parse_limit(quota), _parse_limit(period)) for quota, period in pairs):
        if part and whole:
            yield part / whole


def _read_memory_limits(read: Read, folder: PurePosixPath) -> Iterator[int]:
    """Yield the limits of a group, bytes; `memory.stat` of version 1 includes groups that are not mounted."""
    for name in ("memory.max", "memory.high", "memory.limit_in_bytes"):
        limit = _parse_limit(read(folder / name))
        if limit is not None:
            yield limit
    hidden = _read_statistics(read, folder).get("hierarchical_memory_limit")
    if hidden is not None:
        yield hidden


def _read_used_memory(read: Read, folder: PurePosixPath) -> int:
    """Return the bytes that a group uses, less the inactive file cache: the working set of the kubelet."""
    used = _parse_limit(read(folder / "memory.current")) or _parse_limit(read(folder / "memory.usage_in_bytes")) or 0
    statistics = _read_statistics(read, folder)
    return used - statistics.get("total_inactive_file", statistics.get("inactive_file", 0))


def _read_statistics(read: Read, folder: PurePosixPath) -> dict[str, int]:
    pairs = (line.partition(" ") for line in (read(folder / "memory.stat") or "").splitlines())
    return {name: number for name, _, text in pairs if (number := _parse_limit(text)) is not None}


def _parse_limit(text: str | None) -> int | None:
    """Return a whole number >= 0; None for `max`, -1 and other text, which set no limit."""
    text = (text or "").strip()
    return int(text) if text.isdecimal() else None
