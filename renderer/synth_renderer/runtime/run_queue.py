"""Order in which a pool renders runs: suspects, which are rendered alone, then retries, then new runs."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from synth_renderer.runtime.protocol import RunTask


@dataclass(frozen=True)
class Try:
    """The next try of a run."""

    task: RunTask
    deaths: int = 0
    """Workers that the run has ended; those that another run may have ended do not count."""
    is_suspect: bool = False
    """True if the run was in flight with others when a worker or pod died: it is rendered alone."""

    @property
    def number(self) -> int:
        """Number of the try, from 1."""
        return self.deaths + 1

    def add_death(self, *, is_certain: bool) -> Try:
        """Return the try after a worker's death; the run is a suspect if it is not certain that it was the cause."""
        if is_certain:
            return replace(self, deaths=self.deaths + 1)
        return replace(self, is_suspect=True)


@dataclass
class RunQueue:
    """Tries that wait for a worker; `tasks` is read no further than needed."""

    tasks: Iterator[RunTask]
    suspects: deque[Try] = field(default_factory=deque)
    _waiting: deque[Try] = field(default_factory=deque)

    @classmethod
    def build(cls, tasks: Iterator[RunTask], suspects: Iterable[Try]) -> RunQueue:
        """Return the queue of new runs, and of suspects of earlier pods, which come first."""
        return cls(tasks, deque(replace(each, is_suspect=True) for each in suspects))

    def count(self, limit: int) -> int:
        """Return the number of waiting tries, `limit` at most."""
        while len(self.suspects) + len(self._waiting) < limit and (task := next(self.tasks, None)) is not None:
            self._waiting.append(Try(task))
        return min(limit, len(self.suspects) + len(self._waiting))

    def take(self) -> Try | None:
        """Remove and return the next try; None if nothing waits."""
        if not self.count(1):
            return None
        return self.suspects.popleft() if self.suspects else self._waiting.popleft()

    def put_back(self, attempt: Try) -> None:
        """Add a try of a run that was taken before."""
        if attempt.is_suspect:
            self.suspects.append(attempt)
        else:
            self._waiting.appendleft(attempt)
