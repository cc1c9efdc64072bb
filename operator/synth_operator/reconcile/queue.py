"""Work queue of keys: each key at most once, never with two workers at a time, with delays and backoff."""

from __future__ import annotations

import heapq
import threading
import time
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

Key = TypeVar("Key", bound="Hashable")

_MIN_RETRY_SECONDS: Final = 0.2
_MAX_RETRY_SECONDS: Final = 60.0


class WorkQueue(Generic[Key]):
    """Thread-safe queue; a key added while a worker has it is due again once that worker is done."""

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
        """Make a key due in `delay` seconds, unless it is due earlier."""
        with self._changed:
            self._schedule(key, self._clock() + delay)

    def take(self) -> Key | None:
        """Block until a key is due and return it, or None once the queue is closed; `finish` or `retry` must follow."""
        with self._changed:
            while not self._closed:
                key, wait = self._pop_due()
                if key is not None:
                    self._taken[key] = self._clock()
                    return key
                self._changed.wait(wait)
            return None

    def finish(self, key: Key) -> None:
        """Release a key after success and reset its backoff."""
        with self._changed:
            self._failures.pop(key, None)
            self._release(key)

    def retry(self, key: Key) -> float:
        """Release a key after a failure and make it due after a delay; return the delay, which doubles each time."""
        with self._changed:
            failures = self._failures.get(key, 0)
            self._failures[key] = failures + 1
            delay = min(_MIN_RETRY_SECONDS * 2.0 ** min(failures, 16), _MAX_RETRY_SECONDS)
            self._release(key)
            self._schedule(key, self._clock() + delay)
            return delay

    def close(self) -> None:
        """Let every `take` return None from now on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def depth(self) -> int:
        """Number of keys that are due and wait for a worker."""
        with self._changed:
            now = self._clock()
            return sum(due <= now for due in self._due.values())

    @property
    def oldest_seconds(self) -> float:
        """Longest time, in seconds, that a key has waited since it was due or been worked on."""
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

    def _pop_due(self) -> tuple[Key | None, float | None]:
        """Return a key that is due, else the seconds until the next one is due, None without keys."""
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
