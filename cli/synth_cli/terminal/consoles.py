"""Consoles: results on stdout, progress and errors on stderr, colours only on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.text import Text
from typing_extensions import override

from synth_cli.terminal.standard_streams import escape_invisible, has_colours

if TYPE_CHECKING:
    pass

PLAIN_WIDTH: Final = 160
"""Columns without a terminal, so that lines of a log do not wrap at 80."""
MIN_WIDTH: Final = 20
"""Columns of a terminal that reports fewer, as with `COLUMNS=0`: names and values stay readable."""


def open_stdout() -> Console:
    """Return a console for results on stdout."""
    return _open_console(stderr=False)


def open_stderr() -> Console:
    """Return a console for progress and errors on stderr."""
    return _open_console(stderr=True)


def can_redraw(console: Console) -> bool:
    """Return True if the console is a terminal that can redraw a progress bar."""
    return console.is_terminal and not console.is_dumb_terminal


class _VisibleConsole(Console):
    """Console that escapes control characters."""

    @override
    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(escape_invisible(text, keep="\n"), **options)


def _open_console(*, stderr: bool) -> Console:
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
    elif console.width < MIN_WIDTH:
        console.width = MIN_WIDTH
    return console
