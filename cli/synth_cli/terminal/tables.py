"""Tables without lines: columns with headers, and facts by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style
from rich.table import Table
from rich.text import Text

from synth_cli.terminal.standard_streams import escape_invisible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from rich.console import Console


def build_table(*headers: str, right: Iterable[str] = ()) -> Table:
    """Return an empty table without lines; columns in `right` are right-aligned."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for header in headers:
        table.add_column(header, justify="right" if header in right else "left", overflow="fold")
    return table


def build_fact_table(rows: Iterable[tuple[str, str | Text]]) -> Table:
    """Return a table of names and values in two aligned columns."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, value)
    return table


def print_paths(paths: Mapping[str, Path], console: Console) -> None:
    """Print names and paths, one a line that is never broken, so that it can be copied; on a terminal as links."""
    width = max(map(len, paths))
    for name, path in paths.items():
        shown = Text(escape_invisible(str(path)), style=Style(link=path.absolute().as_uri()))
        console.print(Text.assemble((name.ljust(width), "dim"), "   ", shown), soft_wrap=True)
