"""Warnings about splits without runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_dataset.exports.empty_splits import explain_empty_splits

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from synth_dataset.exports.export_format import ExportContext


def warn_of_empty_splits(context: ExportContext, console: Console, name_fields: Callable[[str], str] = str) -> None:
    """Print each split that has no runs, with the cause and the remedy; `name_fields` says what options are called."""
    for sentence in explain_empty_splits(context):
        console.print(f"warning: {name_fields(sentence)}")
