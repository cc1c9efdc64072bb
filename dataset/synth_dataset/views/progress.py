"""Progress of a commit: who writes many runs reports how many are done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")

Progress = Callable[[str, int, int], None]
"""Function of what is written (`the dataset`, or the name of a view), the runs in it, and their total.

It is called after each run; what it raises ends the commit.
"""
Report = Callable[[int], None]
"""Function of the number of runs in one document, called after each run."""


def ignore_progress(*_: Any) -> None:
    """Do nothing with a number of runs."""


def report_to(progress: Progress, what: str, total: int) -> Report:
    """Return the report of one document."""
    return lambda done: progress(what, done, total)


def report_each(items: Iterable[T], report: Report) -> Iterator[T]:
    """Yield the items; after each one report how many there were."""
    for done, item in enumerate(items, start=1):
        yield item
        report(done)
