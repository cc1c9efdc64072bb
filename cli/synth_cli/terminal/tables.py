"""Tables without lines: columns with headers, and facts by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.style import Style
from rich.table import Table
from rich.text import Text

from synth_cli.terminal.standard_streams import escape_invisible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from rich.console import Console


GAP: Final = 3
"""Blanks between two columns."""


def build_table(*headers: str, right: Iterable[str] = ()) -> Table:
    """Return an empty table without lines; columns in `right` are right-aligned."""
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for header in headers:
        table.add_column(header, justify="right" if header in right else "left", overflow="fold")
    return table


def print_wide_table(console: Console, headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table of right-aligned columns after the first one, which names the rows.

    Columns that do not fit into a line follow in further tables, each with the first column again.
    """
    columns = list(zip(headers, *rows, strict=True))
    widths = [max(map(cell_len, column)) + GAP for column in columns]
    parts: list[list[int]] = []
    left = 0
    for place in range(1, len(columns)):
        if not parts or widths[place] > left:
            parts.append([])
            left = console.width - widths[0] + GAP
        parts[-1].append(place)
        left -= widths[place]
    for part in parts:
        names = [headers[place] for place in part]
        table = build_table(headers[0], *names, right=names)
        for cells in list(zip(*columns, strict=True))[1:]:
            table.add_row(cells[0], *(cells[place] for place in part))
        if part is not parts[0]:
            console.print()
        console.print(table)


def build_fact_table(rows: Iterable[tuple[str, str | Text]]) -> Table:
    """Return a table of names and values in two aligned columns."""
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), show_header=False)
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
