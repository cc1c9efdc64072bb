"""What every process that renders does alike: load its engine, write to a log, end."""

from __future__ import annotations

import importlib
import os
import signal
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from synth_api.exit_codes import ExitCode
    from synth_renderer.worker import Engine


class StopSignal:
    """SIGTERM as something a thread can wait for, though the main thread is deep in Cycles. Made in the main thread.

    Waiting with `sigwait` would need the signal blocked in every thread, and numpy starts some when it is imported.
    """

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    def wait(self) -> None:
        """Return once the signal has come."""
        while self._reader.recv(1) != bytes([signal.SIGTERM]):
            pass


def load_engine(name: str) -> Engine:
    """Import `module:function`."""
    module, _, function = name.partition(":")
    loaded: Engine = getattr(importlib.import_module(module), function)
    return loaded


def end_process(code: ExitCode) -> NoReturn:
    """End at once, whatever other threads do: bpy 4.5 can hang in a static destructor."""
    # The log may lie on a full disk.
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(code)


def log_line(line: str) -> None:
    """To stderr; a log that cannot be written must not take the worker down."""
    with suppress(OSError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
