"""One worker process as the pool sees it: start it, assign runs, receive messages, end it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from synth_api.redaction import redact
from synth_renderer.runtime.protocol import decode_message, encode_message

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from synth_renderer.runtime.protocol import WorkerMessage
    from synth_renderer.runtime.run_queue import Try


@dataclass(frozen=True)
class WorkerCommand:
    """Command line, log and environment of a worker process."""

    arguments: tuple[str, ...]
    """Of `python -m synth_renderer.runtime.worker_process`, without the channel."""
    temporary: Path
    """Folder for the temporary folders of the workers."""
    log: Path | None = None
    """File to which the output of Blender and Python is appended; None: this process's stderr."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment of the pool's process."""


@dataclass
class WorkerStartup:
    """A worker prepares its device; times in seconds of `time.monotonic`."""

    sentence: str
    began: float
    next_notice: float


class WorkerHandle:
    """One live worker process.

    `exit_descriptor` becomes readable when the process has ended, even if a child holds its end of `channel`.
    """

    def __init__(self, command: WorkerCommand) -> None:
        self.log_start = command.log.stat().st_size if command.log and command.log.exists() else 0
        self.log = command.log
        self._temporary = tempfile.mkdtemp(prefix="worker-", dir=command.temporary)
        with command.log.open("ab") if command.log else open(os.dup(2), "wb", buffering=0) as log:
            self.channel, theirs = socket.socketpair()
            with theirs:
                self.process = self._start(command, theirs.fileno(), log, self._temporary)
        self.channel.setblocking(False)
        self.exit_descriptor = os.pidfd_open(self.process.pid)
        self.attempt: Try | None = None
        """The try that the worker renders or is about to receive."""
        self.is_ready = False
        self.startup: WorkerStartup | None = None
        """The preparation of its device, while it lasts."""
        self.kill_time: float | None = None
        self._received = b""
        self._unsent = b""

    @staticmethod
    def _start(command: WorkerCommand, channel: int, log: IO[Any], temporary: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "synth_renderer.runtime.worker_process"),
                *(f"--channel={channel}", f"--parent={os.getpid()}", *command.arguments),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[channel],
            env={**os.environ, **command.environment, "TMPDIR": temporary},
        )

    @property
    def is_idle(self) -> bool:
        """True if the worker can take a run."""
        return self.attempt is None and self.kill_time is None

    @property
    def has_unsent(self) -> bool:
        """True if `flush` should be called when the channel is writable."""
        return bool(self._unsent)

    def send_task(self) -> None:
        """Send the run of `attempt`; its bytes are sent as the channel accepts them."""
        if self.attempt is not None:
            self._unsent = encode_message(self.attempt.task)
            self.flush()

    def flush(self) -> None:
        """Send what the channel takes without blocking; those for a dead worker are dropped."""
        try:
            self._unsent = self._unsent[self.channel.send(self._unsent) :]
        except BlockingIOError:
            pass
        except OSError:
            self._unsent = b""

    def receive(self) -> tuple[list[WorkerMessage], bool]:
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

    def begin_startup(self, sentence: str) -> None:
        """Note what the preparation of the device takes its time for, from the first sentence on."""
        now = time.monotonic()
        began = self.startup.began if self.startup else now
        self.startup = WorkerStartup(sentence, began, next_notice=now)

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
        """Reap the dead process, remove its temporary files and return its exit code, negative for a signal."""
        code = self.process.wait()
        shutil.rmtree(self._temporary, ignore_errors=True)
        os.close(self.exit_descriptor)
        self.channel.close()
        return code

    def read_log_tail(self, lines: int = 5) -> str:
        """Return the last lines of the worker's output, without credentials; none if it has no file."""
        if self.log is None:
            return ""
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
