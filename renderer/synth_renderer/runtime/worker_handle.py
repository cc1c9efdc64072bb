"""One worker process as the pool sees it: start it, assign runs, receive messages, end it."""

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
    """Command line, log and environment of a worker process."""

    arguments: tuple[str, ...]
    """Of `python -m synth_renderer.runtime.worker_process`, without the channel."""
    log: Path
    """Output of Blender and Python, appended."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment of the pool's process."""


class WorkerHandle:
    """One live worker process.

    `exit_descriptor` becomes readable when the process has ended, even if a child holds its end of `channel`.
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
        """True if the worker can take a run."""
        return self.task is None and self.kill_time is None

    @property
    def has_unsent(self) -> bool:
        """True if `flush` should be called when the channel is writable."""
        return bool(self._unsent)

    def assign(self, task: RunTask) -> None:
        """Assign a run; its bytes are sent as the channel accepts them."""
        self.task = task
        self._unsent = encode_message(task)
        self.flush()

    def flush(self) -> None:
        """Send what the channel takes without blocking; those for a dead worker are dropped."""
        try:
            self._unsent = self._unsent[self.channel.send(self._unsent) :]
        except BlockingIOError:
            pass
        except OSError:
            self._unsent = b""

    def receive(self) -> tuple[list[Ready | RunReport | Unavailable], bool]:
        """Return the complete messages so far, and True if the channel is open. Never blocks."""
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
        """Send SIGTERM, so that the worker drops its run and ends; it is killed `grace` seconds later."""
        self.process.send_signal(signal.SIGTERM)
        self._set_kill_time(grace)

    def wait(self) -> int:
        """Wait for the end after `stop`, kill the process at its deadline and return its exit code."""
        try:
            self.process.wait(max(0.0, (self.kill_time or 0.0) - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.kill()
        return self.close()

    def finish(self, grace: float) -> None:
        """Close the channel, so that an idle worker ends; it is killed `grace` seconds later."""
        with suppress(OSError):
            self.channel.shutdown(socket.SHUT_WR)
        self._set_kill_time(grace)

    def _set_kill_time(self, grace: float) -> None:
        self.kill_time = self.kill_time or time.monotonic() + grace

    def kill(self) -> None:
        """Send SIGKILL to the process."""
        self.process.kill()

    def close(self) -> int:
        """Reap the dead process and return its exit code, negative for a signal."""
        code = self.process.wait()
        os.close(self.exit_descriptor)
        self.channel.close()
        return code

    def read_log_tail(self, lines: int = 5) -> str:
        """Return the last lines of the worker's output, without credentials."""
        with self.log.open("rb") as log:
            log.seek(self.log_start)
            text = redact(log.read()[-4096:].decode(errors="replace"))
        return "\n".join(text.splitlines()[-lines:])


def describe_exit(code: int) -> str:
    """Return `was killed by SIGSEGV` or `exited with code 3`."""
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
