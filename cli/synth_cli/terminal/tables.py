"""Tables without lines: columns with headers, and facts by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.text import Text


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
