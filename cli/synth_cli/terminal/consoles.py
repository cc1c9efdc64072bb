"""How this command speaks: results on stdout, progress and errors on stderr, colours only on a terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text
from typing_extensions import override

from synth_cli.terminal.standard_streams import has_colours, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

PLAIN_WIDTH: Final = 160
"""Columns where there is no terminal: no line of a log is folded at 80."""
LEAST_WIDTH: Final = 20
"""Columns of a terminal that says it has fewer, as `COLUMNS=0` does: names and values still are readable."""


def stdout() -> Console:
    """For results."""
    return _console(stderr=False)


def stderr() -> Console:
    """For progress and errors."""
    return _console(stderr=True)


def can_redraw(console: Console) -> bool:
    """Whether there is a terminal on which a bar can move."""
    return console.is_terminal and not console.is_dumb_terminal


class _VisibleConsole(Console):
    """A console that shows control characters of what it is given and obeys none."""

    @override
    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(visible(text, keep="\n"), **options)


def _console(*, stderr: bool) -> Console:
    console = _VisibleConsole(
        stderr=stderr,
        highlight=False,
        soft_wrap=False,
        emoji=False,
        markup=False,
        color_system="auto" if has_colours() else None,
    )
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    elif console.width < LEAST_WIDTH:
        console.width = LEAST_WIDTH
    return console


def columns(*headers: str, right: Iterable[str] = ()) -> Table:
    """A table without lines; the columns named in `right` are numbers."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for header in headers:
        table.add_column(header, justify="right" if header in right else "left", overflow="fold")
    return table


def facts(rows: Iterable[tuple[str, str | Text]]) -> Table:
    """Names and what they are, two aligned columns."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, value)
    return table


def short(value: object, width: int = 60) -> str:
    """A value as the recipe would write it, cut in the middle of nothing: its head and an ellipsis."""
    text = visible(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= width else text[: width - 1] + "…"


def duration(seconds: float) -> str:
    """`0.4 s`, `38 s`, `4 min 10 s`, `2 h 05 min`, `3 d 4 h`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def count(number: int, thing: str) -> str:
    """`1 run`, `180 runs`, `1,000,000 runs`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def size(bytes_: int) -> str:
    """`812 B`, `3.4 MB`: decimal units."""
    value = float(bytes_)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
