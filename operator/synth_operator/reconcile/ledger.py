"""Ledger of a namespace: the places, pods and GPUs that each of its sweeps and datasets has, within its limits.

What is said of a sweep here holds for a dataset too; it only needs no place among the sweeps at work, and no GPU.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from synth_api.resources.namespace_limits import NamespaceLimits


class Amount(NamedTuple):
    """Amounts of the resources that sweeps share."""

    sweeps: float = 0
    pods: float = 0
    gpus: float = 0

    def __sub__(self, other: Amount) -> Amount:
        """Return the difference of each resource."""
        return Amount(*(mine - its for mine, its in zip(self, other, strict=True)))

    def plus(self, other: Amount) -> Amount:
        """Return the sum of each resource."""
        return Amount(*(mine + its for mine, its in zip(self, other, strict=True)))

    def list_greater(self, other: Amount) -> tuple[str, ...]:
        """Return the names of the resources of which this is more."""
        return tuple(name for name, mine, its in zip(self._fields, self, other, strict=True) if mine > its)

    @classmethod
    def of_pods(cls, pods: int, gpus: int, places: int = 1) -> Amount:
        """Return what an owner at work occupies with this number of pods, each with these GPUs."""
        return cls(places, pods, pods * gpus) if pods else NOTHING


NOTHING: Final = Amount()
Age = tuple["datetime", str]
"""Creation time and name of a sweep: older ones come first."""


class Grant(NamedTuple):
    """Answer of the ledger to a demand."""

    pods: int
    """Pods that the sweep may have; 0: it may not be at work."""
    missing: tuple[str, ...] = ()
    """Resources that it waits for."""


@dataclass
class _Entry:
    age: Age
    places: int = 1
    """Places among the sweeps at work that it needs: a dataset needs none."""
    granted: Amount = NOTHING
    reserved: Amount = NOTHING
    """The larger of what is granted and what the sweep was seen to occupy."""
    missing: frozenset[str] = frozenset()
    is_restored: bool = False
    """True if the grant comes from the status and does not know the GPUs of a pod yet."""


@dataclass
class _Line:
    """Sweeps that wait for a resource, in order of age."""

    waiting: set[Age] = field(default_factory=set)
    _heap: list[Age] = field(default_factory=list)
    """All of them, and some that no longer wait: these are dropped when they come first or are too many."""

    def add(self, age: Age) -> None:
        """Let a sweep wait."""
        self.waiting.add(age)
        heapq.heappush(self._heap, age)
        if len(self._heap) > 2 * len(self.waiting) + 16:
            self._heap = sorted(self.waiting)

    @property
    def first(self) -> Age | None:
        """The oldest sweep that waits."""
        while self._heap and self._heap[0] not in self.waiting:
            heapq.heappop(self._heap)
        return self._heap[0] if self._heap else None


class Ledger:
    """Grants what is free to the oldest sweep that waits for it; not thread-safe.

    A sweep at work keeps its place, one pod and the GPUs of one pod from its start to its end, so that none waits in
    its midst for another. It takes more pods as they become free, in order of age. Nothing is granted beyond a limit;
    what a sweep was seen to occupy counts until it is seen to be gone.

    `unseen` are the sweeps of the namespace that this process has not reconciled. Until it has, only what sweeps had
    before is granted: each may have pods of its own.
    """

    def __init__(self, limits: NamespaceLimits, unseen: Iterable[str] = ()) -> None:
        self._limit = Amount(*(math.inf if limit is None else limit for limit in _list_limits(limits)))
        self._limited = frozenset(Amount(math.inf, math.inf, math.inf).list_greater(self._limit))
        self._unseen = set(unseen)
        self._postponed: set[str] = set()
        self._entries: dict[str, _Entry] = {}
        self._total = NOTHING
        self._lines = {resource: _Line() for resource in Amount._fields}
        self._due: set[str] = set()

    @property
    def use(self) -> Amount:
        """What all sweeps occupy together."""
        return self._total

    @property
    def waiting(self) -> int:
        """Number of sweeps that wait to be at work."""
        ages = set[Age]().union(*(line.waiting for line in self._lines.values()))
        return sum(not self._entries[name].granted.pods for _, name in ages)

    def compute_most_pods(self, gpus: int, places: int = 1) -> float:
        """Return the pods, each with these GPUs, that one sweep, or without a place one dataset, could have at most."""
        return _fit_pods(self._limit, gpus, places)

    def has(self, name: str) -> bool:
        """Return True if a sweep is registered."""
        return name in self._entries

    def register(
        self,
        name: str,
        created: datetime,
        use: Amount,
        *,
        at_work: bool = False,
        waits: bool = False,
        places: int = 1,
    ) -> None:
        """Record what a sweep was seen to occupy; its status says that it has a place (`at_work`) or may ask (`waits`).

        One that may ask comes before younger ones already, since its check may take longer than theirs.
        """
        entry = self._entries.get(name)
        if entry is None or entry.age != (created, name):
            if entry:
                self._release(entry, NOTHING)
            entry = self._entries[name] = _Entry((created, name), places)
            if name in self._unseen and at_work:
                entry.granted, entry.is_restored = Amount(places, max(1, use.pods), use.gpus), True
            elif waits:
                self._wait(entry, self._limited)
        self._reserve(entry, use)

    def settle(self, name: str, use: Amount, pods: int, gpus: int) -> Grant | None:
        """Grant what a registered sweep may have of `pods`, each with `gpus`; 0 pods: it asks for nothing.

        None means that the ledger cannot say yet; `take_due` returns the sweep once it can.
        """
        entry = self._entries[name]
        if entry.is_restored:
            entry.granted = Amount.of_pods(int(entry.granted.pods), gpus, entry.places)
            entry.is_restored = False
            self._reserve(entry, use)
        self.end_pass(name)
        pods = int(min(pods, self.compute_most_pods(gpus, entry.places)))
        granted, missing = self._allot(entry, pods, gpus)
        entry.granted = Amount.of_pods(granted, gpus, entry.places)
        self._wait(entry, missing)
        self._reserve(entry, use)
        if self._unseen and granted < pods:
            self._postponed.add(name)
            if not granted:
                return None
        self._due.discard(name)
        return Grant(granted, tuple(resource for resource in Amount._fields if resource in missing))

    def pass_over(self, name: str) -> None:
        """Let a sweep wait for nothing until it is settled again."""
        if name in self._entries:
            self._wait(self._entries[name], frozenset())

    def end_pass(self, name: str) -> None:
        """Record that this process has reconciled a sweep, with or without success, or that it is deleted."""
        if name in self._unseen:
            self._unseen.discard(name)
            if not self._unseen:
                self._trim()
                self._due |= self._postponed

    def remove(self, name: str, use: Amount = NOTHING) -> None:
        """Forget a deleted sweep once it occupies nothing."""
        entry = self._entries.get(name)
        if entry:
            self._release(entry, use)
        if entry and use == NOTHING:
            del self._entries[name]
        self.end_pass(name)

    def call(self, names: Iterable[str]) -> None:
        """Note sweeps as due."""
        self._due.update(names)

    def take_due(self) -> set[str]:
        """Return the sweeps that may get more since the last call."""
        due, self._due = self._due, set()
        return due & self._entries.keys()

    def _allot(self, entry: _Entry, pods: int, gpus: int) -> tuple[int, frozenset[str]]:
        """Return the pods to grant and the resources that the sweep waits for."""
        kept = _keep_pods(entry.granted, pods, gpus)
        free = self._limit - (self._total - entry.reserved)
        wanted = Amount.of_pods(pods, gpus, entry.places)
        needed = set(self._limited.intersection(wanted.list_greater(NOTHING))) - ({"sweeps"} if kept else set())
        if self._unseen:  # a younger sweep that is reconciled first must not come first
            return kept, frozenset(needed if kept < pods else ())
        taken = {resource for resource in needed if self._is_older_waiting(resource, entry.age)}
        granted = kept if taken else max(kept, int(max(0, min(pods, _fit_pods(free, gpus, entry.places)))))
        if granted == pods:
            return granted, frozenset()
        return granted, frozenset(entry.missing & needed | taken | needed.intersection(wanted.list_greater(free)))

    def _is_older_waiting(self, resource: str, age: Age) -> bool:
        first = self._lines[resource].first
        return first is not None and first < age

    def _reserve(self, entry: _Entry, use: Amount) -> None:
        before, entry.reserved = entry.reserved, Amount(*map(max, entry.granted, use))
        self._total = self._total.plus(entry.reserved - before)
        if before.list_greater(entry.reserved):
            self._call_first()

    def _wait(self, entry: _Entry, missing: frozenset[str]) -> None:
        before, entry.missing = entry.missing, missing
        for resource in missing - before:
            self._lines[resource].add(entry.age)
        for resource in before - missing:
            self._lines[resource].waiting.discard(entry.age)
        if before - missing:
            self._call_first()

    def _release(self, entry: _Entry, use: Amount) -> None:
        entry.granted = NOTHING
        self._wait(entry, frozenset())
        self._reserve(entry, use)

    def _call_first(self) -> None:
        """Note the oldest sweep of each line as due while there is something free for it."""
        for resource in self._limit.list_greater(self._total):
            first = self._lines[resource].first
            if first is not None:
                self._due.add(first[1])

    def _trim(self) -> None:
        """Take from the youngest sweeps what is beyond the limits: these may have been lower before."""
        left = self._limit
        for entry in sorted(self._entries.values(), key=lambda entry: entry.age):
            gpus = int(entry.granted.gpus // entry.granted.pods) if entry.granted.pods else 0
            pods = int(max(0, min(entry.granted.pods, _fit_pods(left, gpus, entry.places))))
            if pods < entry.granted.pods:
                entry.granted = Amount.of_pods(pods, gpus, entry.places)
                self._due.add(entry.age[1])
            left -= entry.granted


def _list_limits(limits: NamespaceLimits) -> Iterator[int | None]:
    for resource in Amount._fields:
        yield getattr(limits, resource)


def _fit_pods(free: Amount, gpus: int, places: int) -> float:
    """Return the pods, each with these GPUs, that fit into what is free for one owner that needs so many places."""
    if places > max(0, free.sweeps):
        return 0
    return min(free.pods, free.gpus // gpus if gpus and free.gpus < math.inf else math.inf)


def _keep_pods(granted: Amount, pods: int, gpus: int) -> int:
    """Return the pods of a grant that the sweep still asks for."""
    return int(min(pods, granted.pods, granted.gpus // gpus if gpus else math.inf))
