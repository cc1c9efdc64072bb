"""Age of each watch: the time since it last gave a sign of life.

The API is asked to end every watch after a minute. The end arrives over the same connection as the events, so it shows
that they would arrive, without a request for that.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

WATCH_SECONDS: Final = 60
"""Time after which the API ends a watch."""
STALE_SECONDS: Final = 150.0
"""Age from which a watch is stale: a minute until an outage, an outage that does not cost the lease, another minute."""


class WatchAges:
    """Ages by the path of the watched list in the API. Thread-safe; `expected` are the paths of all watches."""

    def __init__(
        self,
        expected: Iterable[str],
        clock: Callable[[], float] = time.monotonic,
        stale_seconds: float = STALE_SECONDS,
    ) -> None:
        self._clock = clock
        self._stale_seconds = stale_seconds
        self._lock = threading.Lock()
        self._last_ends = dict.fromkeys(expected, clock())
        self._lists: dict[str, int] = {}
        self.reset_lists()

    def reset_lists(self) -> None:
        """Forget the lists, since the indexes are empty again; the ages go on."""
        with self._lock:
            self._lists = dict.fromkeys(self._last_ends, 0)

    def record_end(self, path: str) -> bool:
        """Record that the API ended a watch on schedule; return False for a path that is not expected."""
        with self._lock:
            if path not in self._last_ends:
                return False
            self._last_ends[path] = self._clock()
            return True

    def record_list(self, path: str) -> bool:
        """Record that the API answered a list; return False if it answered the same one before."""
        with self._lock:
            if path not in self._lists:
                return True
            self._lists[path] += 1
            return self._lists[path] == 1

    @property
    def problem(self) -> str:
        """One sentence if a watch is stale, else empty."""
        with self._lock:
            path, last_end = min(self._last_ends.items(), key=lambda item: item[1])
            age = self._clock() - last_end
        return f"the watch of {path} is stale: no answer for {age:.0f} s" if age > self._stale_seconds else ""
