"""Waits of tests: until a condition holds, and not for a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS: Final = 300
"""After which a condition never holds, or a process never ends: on a busy machine a pod's batch has taken 60 s."""


def wait_until(condition: Callable[[], object], problem: str | Callable[[], str], seconds: float = SECONDS) -> None:
    """Return once a condition holds. Raises AssertionError with `problem`, which may be computed, after `seconds`."""
    end, pause = time.monotonic() + seconds, 0.01
    while not condition():
        if time.monotonic() > end:
            text = problem if isinstance(problem, str) else problem()
            raise AssertionError(f"after {seconds:.0f} s: {text}")
        time.sleep(pause)
        pause = min(1.2 * pause, 0.8)  # conditions on a cluster run kubectl, which takes 0.1 s of CPU time
