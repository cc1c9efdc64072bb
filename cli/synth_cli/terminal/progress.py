"""How a long command shows where it is: a bar on a terminal, now and then a plain line elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from synth_cli.terminal.consoles import can_redraw, count, duration

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

PLAIN_INTERVAL: Final = 10.0
"""Seconds between two lines where there is no terminal."""


class Meter(Protocol):
    """Shows that `done` of `total` things are done; a context manager around the work."""

    def __enter__(self) -> Meter: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def advance(self, by: int = 1, note: str = "") -> None:
        """`by` more are done; `note` is about the last one."""

    def say(self, line: str) -> None:
        """A line that stays, above the bar."""


def meter(console: Console, what: str, total: int, thing: str) -> Meter:
    """A bar on a terminal, plain lines elsewhere."""
    return BarMeter(console, what, total) if can_redraw(console) else LineMeter(console, what, total, thing)


class BarMeter:
    """rich's progress bar."""

    def __init__(self, console: Console, what: str, total: int) -> None:
        self._progress = Progress(
            TextColumn(what),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left", style="dim"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", style="dim"),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task(what, total=total, note="")

    def __enter__(self) -> BarMeter:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def advance(self, by: int = 1, note: str = "") -> None:
        """Move the bar."""
        self._progress.update(self._task, advance=by, note=note)

    def say(self, line: str) -> None:
        """Print above the bar."""
        self._progress.console.print(line)


class LineMeter:
    """A line for the first thing, every ten seconds, and for the last one."""

    def __init__(self, console: Console, what: str, total: int, thing: str) -> None:
        self._console = console
        self._what = what
        self._total = total
        self._thing = thing
        self._done = 0
        self._start = time.monotonic()
        self._next = self._start

    def __enter__(self) -> LineMeter:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def advance(self, by: int = 1, note: str = "") -> None:
        """Print when it is time."""
        self._done += by
        now = time.monotonic()
        if now < self._next and self._done < self._total:
            return
        self._next = now + PLAIN_INTERVAL
        elapsed = duration(now - self._start)
        line = f"{self._what} {self._done:,} of {count(self._total, self._thing)}, {elapsed}"
        self._console.print(f"{line}, {note}" if note else line)

    def say(self, line: str) -> None:
        """Print."""
        self._console.print(line)
