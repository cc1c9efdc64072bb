"""A queue of keys: each at most once, never with two workers at a time, later when asked to or after a failure."""

from __future__ import annotations

import heapq
import threading
import time
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

Key = TypeVar("Key", bound="Hashable")

_FIRST_DELAY: Final = 0.2
_LONGEST_DELAY: Final = 60.0


class WorkQueue(Generic[Key]):
    """Thread-safe; what is added while a worker has it is given out again once the worker is done."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._entries = 0
        self._taken: dict[Key, float] = {}
        self._failures: dict[Key, int] = {}
        self._closed = False

    def add(self, key: Key, delay: float = 0.0) -> None:
        """To be worked on in `delay` seconds, or when it is due already, whichever comes first."""
        with self._changed:
            self._schedule(key, self._clock() + delay)

    def take(self) -> Key | None:
        """Waits for a key that is due; None when the queue is closed. `done` or `failed` must follow."""
        with self._changed:
            while not self._closed:
                key, wait = self._next()
                if key is not None:
                    self._taken[key] = self._clock()
                    return key
                self._changed.wait(wait)
            return None

    def done(self, key: Key) -> None:
        """The worker is through with it."""
        with self._changed:
            self._failures.pop(key, None)
            self._release(key)

    def failed(self, key: Key) -> float:
        """The worker did not succeed; tried again after the seconds returned, twice as many each time."""
        with self._changed:
            failures = self._failures.get(key, 0)
            self._failures[key] = failures + 1
            delay = min(_FIRST_DELAY * 2.0 ** min(failures, 16), _LONGEST_DELAY)
            self._release(key)
            self._schedule(key, self._clock() + delay)
            return delay

    def close(self) -> None:
        """Nothing is given out any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def depth(self) -> int:
        """Keys that are due and wait for a worker."""
        with self._changed:
            now = self._clock()
            return sum(due <= now for due in self._due.values())

    @property
    def oldest(self) -> float:
        """Seconds that the key has waited, or been worked on, for which this took longest."""
        with self._changed:
            now = self._clock()
            return max((now - since for since in (*self._due.values(), *self._taken.values())), default=0.0)

    def _schedule(self, key: Key, due: float) -> None:
        if due < self._due.get(key, float("inf")):
            self._due[key] = due
            self._push(key, due)

    def _push(self, key: Key, due: float) -> None:
        if key not in self._taken:
            self._entries += 1
            heapq.heappush(self._heap, (due, self._entries, key))
            self._changed.notify()

    def _release(self, key: Key) -> None:
        del self._taken[key]
        if key in self._due:
            self._push(key, self._due[key])

    def _next(self) -> tuple[Key | None, float | None]:
        """A key that is due, else the seconds to wait for one."""
        while self._heap:
            due, _, key = self._heap[0]
            if self._due.get(key) != due or key in self._taken:
                heapq.heappop(self._heap)
                continue
            if due > self._clock():
                return None, due - self._clock()
            heapq.heappop(self._heap)
            del self._due[key]
            return key, None
        return None, None
