"""Work queue of keys: each key at most once, never with two workers at a time, with delays, backoff and turns."""

from __future__ import annotations

import heapq
import threading
import time
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from synth_operator.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

Key = TypeVar("Key", bound="Hashable")

_MIN_RETRY_SECONDS: Final = 0.2
_MAX_RETRY_SECONDS: Final = 60.0


class WorkQueue(Generic[Key]):
    """Thread-safe queue; a key added while a worker has it is due again once that worker is done.

    The keys that are due take turns by the group that `find_group` returns: namespaces. Workers have at most `share`
    keys of one group. An operation takes time that grows with the logarithm of the number of keys.
    """

    def __init__(
        self,
        find_group: Callable[[Key], Hashable],
        share: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find_group = find_group
        self._clock = clock
        self._changed = threading.Condition()
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._entries = 0
        self._ready: Turns[Key] = Turns(share)
        self._ready_keys: set[Key] = set()
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
                wait = self._collect_due()
                key = self._ready.take()
                if key is not None:
                    del self._due[key]
                    self._ready_keys.remove(key)
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
            self._collect_due()
            return len(self._ready)

    @property
    def oldest_seconds(self) -> float:
        """Longest time, in seconds, that a key has waited since it was due or been worked on."""
        with self._changed:
            self._collect_due()
            now, waiting = self._clock(), self._ready.find_oldest()
            times = [*self._taken.values(), now if waiting is None else waiting]
            return now - min(times)

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
        self._ready.release(self._find_group(key))
        self._changed.notify()  # another key of the group may be taken now
        if key in self._due:
            self._push(key, self._due[key])

    def _collect_due(self) -> float | None:
        """Let the keys that are due wait for their turn; return the seconds until the next one is due, None without."""
        now = self._clock()
        while self._heap:
            due, _, key = self._heap[0]
            if due > now:
                return due - now
            heapq.heappop(self._heap)
            if self._due.get(key) == due and key not in self._taken and key not in self._ready_keys:
                self._ready_keys.add(key)
                self._ready.add(self._find_group(key), key, due)
        return None
