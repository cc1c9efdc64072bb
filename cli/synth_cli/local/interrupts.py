"""Ctrl-C and SIGTERM during `synth render`, which drops the runs in flight, commits the dataset and returns.

`synth_dataset.stopper` is about another reaction to SIGTERM: the process ends within a bounded time.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

from synth_api.exit_codes import ExitCode
from synth_renderer.runtime.stop_requests import StopRequests

if TYPE_CHECKING:
    from types import FrameType


class Interrupts(StopRequests):
    """Counter of SIGINT and SIGTERM within a `with` block."""

    def __init__(self) -> None:
        super().__init__()
        self.exit_code = ExitCode.OK
        self._old_handlers: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._old_handlers[number] = signal.signal(number, self._handle_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        self.close()

    def _handle_signal(self, number: int, _frame: FrameType | None) -> None:
        self.exit_code = ExitCode.INTERRUPTED if number == signal.SIGINT else ExitCode.STOPPED
        self.add()
