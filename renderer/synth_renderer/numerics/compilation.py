"""Notices while numba compiles kernels, which a machine does once and then keeps."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from numba.core import event
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable

MIN_SECONDS: Final = 1.0
"""Compilation of less time is not worth a notice: a machine that has most kernels compiles one now and then."""


def watch_compilation(announce: Callable[[float], None]) -> None:
    """Call `announce` whenever this process goes on compiling, with the seconds that it has spent on that so far."""
    event.register("numba:compile", _CompilationTimer(announce))  # type: ignore[no-untyped-call]


class _CompilationTimer(event.Listener):
    """Sum of the time of all compilations; one that a compilation calls for is part of it."""

    def __init__(self, announce: Callable[[float], None]) -> None:
        self._announce = announce
        self._depth = 0
        self._began = 0.0
        self._seconds = 0.0

    @override
    def on_start(self, event: event.Event) -> None:
        if self._depth == 0:
            self._began = time.perf_counter()
            if self._seconds >= MIN_SECONDS:
                self._announce(self._seconds)
        self._depth += 1

    @override
    def on_end(self, event: event.Event) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._seconds += time.perf_counter() - self._began
