"""Progress of long commands: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from synth_cli.terminal.consoles import can_redraw
from synth_cli.terminal.formatting import format_count, format_duration

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

LINE_INTERVAL_SECONDS: Final = 10.0
"""Time between two lines without a terminal."""

QUIET_SECONDS: Final = 2.0
"""Work of less time shows no line, if only the size of a dataset makes it last."""

BAR_WIDTH: Final = 20
"""Columns of a bar: a terminal of 80 columns has room for counts, times and a note beside it."""


class Meter(Protocol):
    """Progress of `done` of `total` things; a context manager around the work."""

    def __enter__(self) -> Meter: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def advance(self, by: int = 1, note: str = "") -> None:
        """Count `by` more things; `note` is about the last one."""

    def show_wait(self, sentence: str, seconds: float) -> None:
        """Show what the work has waited for so far; `sentence` begins with a present participle."""

    def print_line(self, line: str) -> None:
        """Print a permanent line, above the bar."""


def open_meter(console: Console, what: str, total: int, thing: str, quiet_seconds: float = 0.0) -> Meter:
    """Return a bar for a terminal, plain lines elsewhere; `what` is a present participle such as `rendering`.

    Work of less than `quiet_seconds` has no line.
    """
    if can_redraw(console):
        return BarMeter(console, what, total)
    return LineMeter(console, what, total, thing, quiet_seconds)


class BarMeter:
    """Progress bar of the package `rich`."""

    def __init__(self, console: Console, what: str, total: int) -> None:
        self._progress = Progress(
            TextColumn(what),
            BarColumn(bar_width=BAR_WIDTH),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left", style="dim"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", style="dim"),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task(what, total=total, note="")
        self._waits: set[str] = set()

    def __enter__(self) -> BarMeter:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def advance(self, by: int = 1, note: str = "") -> None:
        """Advance the bar and show `note`."""
        self._progress.update(self._task, advance=by, note=note)

    def show_wait(self, sentence: str, seconds: float) -> None:
        """Print the sentence above the bar once, which has no room for it, and show the seconds in the bar."""
        if sentence not in self._waits:
            self._waits.add(sentence)
            self.print_line(sentence)
        self.advance(0, note=f"{sentence.split()[0].lower()}: {format_duration(seconds)}")

    def print_line(self, line: str) -> None:
        """Print a permanent line above the bar."""
        self._progress.console.print(line)


class LineMeter:
    """Plain lines: for the first thing after `quiet_seconds`, every ten seconds, and for the last one."""

    def __init__(self, console: Console, what: str, total: int, thing: str, quiet_seconds: float = 0.0) -> None:
        self._console = console
        self._what = what
        self._total = total
        self._thing = thing
        self._done = 0
        self._start = time.monotonic()
        self._next = self._start + quiet_seconds
        self._is_quiet = quiet_seconds > 0

    def __enter__(self) -> LineMeter:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def advance(self, by: int = 1, note: str = "") -> None:
        """Count things; print a line if LINE_INTERVAL_SECONDS have passed or all are done."""
        self._done += by
        now = time.monotonic()
        if now < self._next and (self._is_quiet or self._done < self._total):
            return
        self._is_quiet = False
        self._next = now + LINE_INTERVAL_SECONDS
        elapsed = format_duration(now - self._start)
        line = f"{self._what} {self._done:,} of {format_count(self._total, self._thing)}, {elapsed}"
        self._console.print(f"{line}, {note}" if note else line)

    def show_wait(self, sentence: str, seconds: float) -> None:
        """Print a line with the sentence and the seconds, if LINE_INTERVAL_SECONDS have passed."""
        self.advance(0, note=f"{sentence}: {format_duration(seconds)}")

    def print_line(self, line: str) -> None:
        """Print a line between those of the progress."""
        self._console.print(line)
