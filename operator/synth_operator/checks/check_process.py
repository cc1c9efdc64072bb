"""A check process as its pool sees it: it starts with its first check and is replaced after its end."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import threading
from typing import TYPE_CHECKING, Any, Final

from synth_operator.checks.worker import Answer, serve_checks

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerProcess

    from synth_operator.checks.worker import Limits

log = logging.getLogger(__name__)

_CLOCK_FACTOR: Final = 60
"""Time on the clock, as a multiple of the processor time, that a check has on a busy machine at its low priority."""
_TRIES: Final = 2
"""The end of a process that somebody else ended, as the kernel for want of memory, says nothing about its check."""
_CONTEXT: Final = multiprocessing.get_context("forkserver")


def log_warning(text: str) -> None:
    """Log a warning of a check."""
    log.warning("%s", text)


class CheckLimitError(Exception):
    """A check needs more than it may; the text says of what."""


class CheckFailedError(Exception):
    """A check raised an error that is neither the sweep's nor the recipe's; the text is its traceback."""


class CheckProcess:
    """Runs checks one after the other; `close` may be called from another thread."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._closed = False
        self._process: ForkServerProcess | None = None
        self._requests: Connection | None = None

    def run(self, name: str, arguments: tuple[Any, ...], warn: Callable[[str], None] = log_warning) -> Any:
        """Return the result of a check; `warn` takes its warnings.

        Raises:
            CheckLimitError: it takes too much time or memory, or ends its process each time.
            CheckFailedError: it raised an error, or the process is closed.
        """
        for _ in range(_TRIES):
            answer = self._ask(name, arguments)
            if answer is not None:
                return self._read(answer, warn)
            code = self._end()
            if self._closed:
                raise CheckFailedError("the operator ends")
            if code == -signal.SIGPROF:
                raise CheckLimitError(f"it takes more than {self._limits.cpu_seconds:g} s of processor time")
        raise CheckLimitError(f"its check ends with exit code {code} each time")

    def close(self) -> None:
        """End the process, also in the middle of a check."""
        with self._lock:
            self._closed = True
        self._end()

    def _ask(self, name: str, arguments: tuple[Any, ...]) -> Answer | None:
        """Return the process' answer, or None if it has ended."""
        requests, seconds = self._requests or self._start(), self._limits.cpu_seconds * _CLOCK_FACTOR
        try:
            requests.send((name, arguments))
            in_time = requests.poll(seconds)
            answer: Answer | None = requests.recv() if in_time else None
        except (EOFError, OSError, TypeError):  # TypeError: `close` has taken the connection's handle meanwhile
            return None
        if not in_time:
            self._end()
            raise CheckLimitError(f"it takes more than {seconds:g} s")
        return answer

    def _read(self, answer: Answer, warn: Callable[[str], None]) -> Any:
        for text in answer.warnings:
            warn(text)
        if answer.has_low_priority:
            self._end()
        if answer.failure:
            raise CheckFailedError(answer.failure)
        if answer.excess:
            self._end()
            raise CheckLimitError(answer.excess)
        return answer.result

    def _start(self) -> Connection:
        _CONTEXT.set_forkserver_preload(["synth_operator.checks.worker"])
        with self._lock:
            if self._closed:
                raise CheckFailedError("the operator ends")
            self._requests, theirs = _CONTEXT.Pipe()
            self._process = _CONTEXT.Process(target=serve_checks, args=(theirs, self._limits), daemon=True)
            self._process.start()
            theirs.close()
            return self._requests

    def _end(self) -> int:
        """End the process if it has not ended; return its exit code."""
        with self._lock:
            process, requests, self._process, self._requests = self._process, self._requests, None, None
        if process is None or requests is None:
            return 0
        process.kill()
        process.join()
        requests.close()
        return process.exitcode or 0
