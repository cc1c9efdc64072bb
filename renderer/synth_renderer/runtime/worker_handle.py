"""The pool's end of one worker process: start it, give it a run, hear from it, end it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from synth_api.redaction import redact
from synth_renderer.runtime.protocol import decode_message, encode_message

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from synth_renderer.runtime.protocol import Ready, RunReport, RunTask, Unavailable


@dataclass(frozen=True)
class WorkerCommand:
    """How a worker is started."""

    arguments: tuple[str, ...]
    """Of `python -m synth_renderer.runtime.worker_process`, without the channel."""
    log: Path
    """Where everything that Blender and Python print goes; appended."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """On top of the pool's own."""


class WorkerHandle:
    """One live worker process.

    `death` becomes readable when the process has ended, whoever still holds its end of `channel`.
    """

    def __init__(self, command: WorkerCommand) -> None:
        self.log_start = command.log.stat().st_size if command.log.exists() else 0
        self.log = command.log
        with command.log.open("ab") as log:
            self.channel, theirs = socket.socketpair()
            with theirs:
                self.process = self._start(command, theirs.fileno(), log)
        self.channel.setblocking(False)
        self.exit_descriptor = os.pidfd_open(self.process.pid)
        self.task: RunTask | None = None
        self.is_ready = False
        self.kill_time: float | None = None
        self._received = b""
        self._unsent = b""

    @staticmethod
    def _start(command: WorkerCommand, channel: int, log: BinaryIO) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "synth_renderer.runtime.worker_process"),
                *(f"--channel={channel}", f"--parent={os.getpid()}", *command.arguments),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[channel],
            env={**os.environ, **command.environment},
        )

    @property
    def is_idle(self) -> bool:
        """Whether it can take a run."""
        return self.task is None and self.kill_time is None

    @property
    def has_unsent(self) -> bool:
        """Whether `flush` should be called when the channel is writable."""
        return bool(self._unsent)

    def assign(self, task: RunTask) -> None:
        """Hand it a run; the bytes leave as the channel takes them."""
        self.task = task
        self._unsent = encode_message(task)
        self.flush()

    def flush(self) -> None:
        """Send what the channel takes without waiting; a dead worker's bytes are dropped, `death` tells."""
        try:
            self._unsent = self._unsent[self.channel.send(self._unsent) :]
        except BlockingIOError:
            pass
        except OSError:
            self._unsent = b""

    def receive(self) -> tuple[list[Ready | RunReport | Unavailable], bool]:
        """Every complete message so far, and whether the channel is still open. Never waits."""
        is_open = True
        while True:
            try:
                data = self.channel.recv(1 << 16)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                is_open = False
                break
            self._received += data
        *lines, self._received = self._received.split(b"\n")
        return [decode_message(line) for line in lines], is_open

    def stop(self, grace: float) -> None:
        """Ask it to drop its run and end; it is killed when `grace` seconds have passed."""
        self.process.send_signal(signal.SIGTERM)
        self._set_kill_time(grace)

    def wait(self) -> int:
        """Wait for it to end after `stop`; killed when its grace is over. Returns its exit code."""
        try:
            self.process.wait(max(0.0, (self.kill_time or 0.0) - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.kill()
        return self.close()

    def finish(self, grace: float) -> None:
        """Let it end: no more runs will come."""
        with suppress(OSError):
            self.channel.shutdown(socket.SHUT_WR)
        self._set_kill_time(grace)

    def _set_kill_time(self, grace: float) -> None:
        self.kill_time = self.kill_time or time.monotonic() + grace

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()

    def close(self) -> int:
        """Collect the dead process; returns its exit code, negative for a signal."""
        code = self.process.wait()
        os.close(self.exit_descriptor)
        self.channel.close()
        return code

    def read_log_tail(self, lines: int = 5) -> str:
        """The end of what it printed, for a death that nobody explains."""
        with self.log.open("rb") as log:
            log.seek(self.log_start)
            text = redact(log.read()[-4096:].decode(errors="replace"))
        return "\n".join(text.splitlines()[-lines:])


def describe_exit(code: int) -> str:
    """`was killed by SIGSEGV`, `exited with code 3`."""
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
