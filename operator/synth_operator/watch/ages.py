"""How long ago each watch was known to hear.

The API is asked to end every watch after a minute. That end arrives on the same way as all events do, so no request of
its own is needed to know that they would.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

WATCH_SECONDS: Final = 60
"""After which the API ends a watch."""
DEAF_SECONDS: Final = 150.0
"""Age from which a watch is deaf: a minute up to a break, a break that does not cost the lease, and a minute again."""


class WatchAges:
    """Thread-safe; `path` is that of a list in the API, `expected` all those that are to be watched."""

    def __init__(
        self, expected: Iterable[str], clock: Callable[[], float] = time.monotonic, deaf: float = DEAF_SECONDS
    ) -> None:
        self._clock = clock
        self._deaf = deaf
        self._lock = threading.Lock()
        self._heard = dict.fromkeys(expected, clock())
        self._lists: dict[str, int] = {}
        self.begin()

    def begin(self) -> None:
        """Nothing is listed; what was heard counts on."""
        with self._lock:
            self._lists = dict.fromkeys(self._heard, 0)

    def heard(self, path: str) -> bool:
        """The API ended a watch as it was asked to; whether it is one of those expected."""
        with self._lock:
            if path not in self._heard:
                return False
            self._heard[path] = self._clock()
            return True

    def listed(self, path: str) -> bool:
        """All objects were listed; whether for the first time."""
        with self._lock:
            if path not in self._lists:
                return True
            self._lists[path] += 1
            return self._lists[path] == 1

    @property
    def problem(self) -> str:
        """One sentence when a watch is deaf."""
        with self._lock:
            path, heard = min(self._heard.items(), key=lambda item: item[1])
            age = self._clock() - heard
        return f"nothing was heard from the watch of {path} for {age:.0f} s" if age > self._deaf else ""
