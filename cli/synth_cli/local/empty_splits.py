"""Warnings about splits without runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from synth_dataset.exports.selection import Selection


def warn_of_empty_splits(selection: Selection, console: Console) -> None:
    """Print each split that has no runs, with the remedy."""
    for split in selection.list_empty_splits():
        remedy = (
            "those of one seed, or of one value of the group, are in one split; take more of these, or another salt"
        )
        console.print(f"warning: split {split} has no runs; {remedy}")
