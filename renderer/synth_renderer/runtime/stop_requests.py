"""Requests to a pool to stop, which wake it while it waits for its workers."""

from __future__ import annotations

import socket
from contextlib import suppress


class StopRequests:
    """Counter of requests to stop; any thread or signal handler may add one.

    `count` is 0: continue; 1: drop the runs in flight; 2: kill the workers.
    """

    def __init__(self) -> None:
        self.count = 0
        self._readable, self._writable = socket.socketpair()
        self._readable.setblocking(False)
        self._writable.setblocking(False)

    def add(self) -> None:
        """Add a request and wake the pool."""
        self.count += 1
        with suppress(BlockingIOError):
            self._writable.send(b"!")

    def ensure(self) -> None:
        """Add a request unless there is one."""
        if not self.count:
            self.add()

    def fileno(self) -> int:
        """Return a descriptor that is readable if `count` has increased since `drain`."""
        return self._readable.fileno()

    def drain(self) -> None:
        """Make `fileno` unreadable until the next request."""
        with suppress(BlockingIOError):
            self._readable.recv(4096)

    def close(self) -> None:
        """Close both ends of the socket."""
        self._readable.close()
        self._writable.close()
