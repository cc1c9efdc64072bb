"""Waits of tests that need no cluster: until a condition holds, and not for a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS: Final = 300
"""After which a condition never holds. A busy machine has taken more than 30 s until a pod's first run."""


def wait_until(condition: Callable[[], object], problem: str) -> None:
    """Return once a condition holds. Raises AssertionError with `problem` if it never does."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, problem
        time.sleep(0.01)
