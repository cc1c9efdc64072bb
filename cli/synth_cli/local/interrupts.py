"""Ctrl-C and SIGTERM during `synth render`, which drops the runs in flight, commits the dataset and returns.

`synth_dataset.stopper` is about another reaction to SIGTERM: the process ends within a bounded time.
"""

from __future__ import annotations

import signal
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from synth_api.exit_codes import ExitCode

if TYPE_CHECKING:
    from types import FrameType


class Interrupts:
    """Counter of SIGINT and SIGTERM within a `with` block; the StopRequests of the pool."""

    def __init__(self) -> None:
        self.count = 0
        self.exit_code = ExitCode.OK
        self._readable, self._writable = socket.socketpair()
        self._readable.setblocking(False)
        self._writable.setblocking(False)
        self._old_handlers: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._old_handlers[number] = signal.signal(number, self._handle_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        self._readable.close()
        self._writable.close()

    def fileno(self) -> int:
        """Return a descriptor that is readable if `count` has increased since `drain`."""
        return self._readable.fileno()

    def drain(self) -> None:
        """Make `fileno` unreadable until the next signal arrives."""
        with suppress(BlockingIOError):
            self._readable.recv(4096)

    def _handle_signal(self, number: int, _frame: FrameType | None) -> None:
        self.count += 1
        self.exit_code = ExitCode.INTERRUPTED if number == signal.SIGINT else ExitCode.STOPPED
        with suppress(BlockingIOError):
            self._writable.send(b"!")
