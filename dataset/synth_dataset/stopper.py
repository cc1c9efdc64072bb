"""Graceful stop: SIGTERM ends a process within a bounded time, whatever its threads do or wait for."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from synth_api.exit_codes import ExitCode
from synth_api.sentences import describe_traceback

if TYPE_CHECKING:
    from collections.abc import Callable


class StopSignal:
    """SIGTERM as an event that a thread can wait for while the main thread is in Cycles. Created in the main thread.

    `sigwait` would need the signal blocked in every thread, but numpy starts threads when it is imported.
    """

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    def wait(self, seconds: float | None = None) -> None:
        """Return after the next signal, or after so many seconds."""
        self._reader.settimeout(seconds)
        with suppress(TimeoutError):
            while self._reader.recv(1) != bytes([signal.SIGTERM]):
                pass


class Stopper:
    """Ends the process with exit code 143 after SIGTERM.

    `tidy_up` runs first, in a separate thread. The process ends when `tidy_up` returns or raises, at the latest
    `seconds` after the signal, and immediately after a second signal.
    """

    def __init__(self, stop: StopSignal, seconds: float, tidy_up: Callable[[], None] = lambda: None) -> None:
        self.tidy_up = tidy_up
        self.is_stopping = threading.Event()
        # Both threads start now: a process at its limit of threads could not start one to stop.
        self._stopping = threading.Thread(target=self._stop, daemon=True)
        self._stopping.start()
        threading.Thread(target=self._await_signal, args=(stop, seconds), daemon=True).start()

    def join(self) -> None:
        """Wait for the end of a process that is stopping; never returns."""
        self._stopping.join()

    def _await_signal(self, stop: StopSignal, seconds: float) -> NoReturn:
        stop.wait()
        self.is_stopping.set()
        stop.wait(seconds)
        os._exit(ExitCode.STOPPED)

    def _stop(self) -> NoReturn:
        self.is_stopping.wait()
        try:
            self.tidy_up()
        except BaseException:
            log_traceback()
        finally:
            end_process(ExitCode.STOPPED)


def end_process(code: int) -> NoReturn:
    """Flush the streams and end the process, whatever other threads do: bpy 4.5 can hang in a static destructor."""
    try:
        for stream in (sys.stdout, sys.stderr):
            # The log may be closed, or on a full disk.
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
    finally:
        os._exit(code)


def log_traceback() -> None:
    """Print the traceback of the current error on stderr, without credentials.

    A log that cannot be written does not raise.
    """
    error = sys.exception()
    if error is not None:
        with suppress(OSError, ValueError):
            print(describe_traceback(error), end="", file=sys.stderr, flush=True)
