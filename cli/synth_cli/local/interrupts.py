"""Ctrl-C and SIGTERM as a wish that a loop can wait on, not as an exception that may strike anywhere."""

from __future__ import annotations

import signal
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from synth_api.exit_codes import ExitCode

if TYPE_CHECKING:
    from types import FrameType


class Interrupts:
    """Counts SIGINT and SIGTERM while its `with` block runs; the StopRequests of the pool."""

    def __init__(self) -> None:
        self.count = 0
        self.exit_code = ExitCode.OK
        self._readable, self._writable = socket.socketpair()
        self._readable.setblocking(False)
        self._writable.setblocking(False)
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._readable.close()
        self._writable.close()

    def fileno(self) -> int:
        """Readable whenever `count` has risen since `drain`."""
        return self._readable.fileno()

    def drain(self) -> None:
        """Make `fileno` unreadable until the next signal."""
        with suppress(BlockingIOError):
            self._readable.recv(4096)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.count += 1
        self.exit_code = ExitCode.INTERRUPTED if number == signal.SIGINT else ExitCode.STOPPED
        with suppress(BlockingIOError):
            self._writable.send(b"!")
