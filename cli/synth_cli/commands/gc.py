"""`synth gc`: remove what no dataset refers to any more."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import click

from synth_api.errors import InputError
from synth_cli.parameters import PATH, TEXT

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from synth_dataset.attempts.garbage_collection import Garbage

NUMBERS: Final = ("runs", "run folders", "attempts", "scratch", "size")
UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@click.command(name="gc", short_help="Remove what no dataset refers to any more.")
@click.argument("dataset", type=PATH)
@click.option("--yes", is_flag=True, help="Remove without a question.")
@click.option("--dry-run", is_flag=True, help="Only say what would go, with the path of each.")
@click.option(
    "--older-than", type=TEXT, default="1d", show_default=True, metavar="AGE", help="Age such as 90m, 12h, 1d."
)
def command(dataset: Path, yes: bool, dry_run: bool, older_than: str) -> None:
    """Remove from the folder DATASET what is older than AGE and in no live dataset.

    Live are the committed and the newest attempt of every sweep. What goes: other attempts, runs in no live attempt,
    files of runs that were never finished. It is listed first, by sweep and size. On a terminal a question follows;
    elsewhere nothing is removed without --yes.
    """
    from synth_cli.terminal.consoles import size, stderr, stdout
    from synth_dataset.attempts.garbage_collection import find_garbage, remove_garbage
    from synth_dataset.store.folder_store import FolderStore

    if yes and dry_run:
        raise click.UsageError("--yes and --dry-run exclude each other")
    age = parse_age(older_than)
    if not dataset.is_dir():
        raise InputError(str(dataset), "is no folder; give the dataset folder that synth render wrote")
    store = FolderStore(dataset)
    garbage = find_garbage(store, age)
    if not garbage.items:
        stdout().print("nothing to remove")
        return
    show(garbage, stdout())
    if dry_run:
        show_paths(garbage, stdout())
        return
    if not yes:
        if not is_answered_yes():
            stderr().print("nothing is removed; --yes removes it without a question")
            return
        garbage = garbage.still_in(find_garbage(store, age))
    store.check_writable("nothing can be removed from it")
    remove_garbage(store, garbage)
    stdout().print(f"freed {size(garbage.bytes)}", style="bold")


def is_answered_yes() -> bool:
    """Ask on a terminal; where there is none nobody answers."""
    is_terminal = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))
    return is_terminal and click.confirm("remove it?", err=True)


def parse_age(text: str) -> timedelta:
    """`90m`, `12h`, `1d`; raises InputError."""
    match = re.fullmatch(r"(\d+)([smhd])", text)
    if match is None:
        raise InputError("--older-than", f"'{text}' is no age; write for example 90m, 12h or 1d")
    try:
        age = timedelta(**{UNITS[match[2]]: int(match[1])})
        datetime.now(UTC) - age
    except (OverflowError, ValueError):
        raise InputError("--older-than", f"'{text[:40]}' reaches back before year 1; write for example 365d") from None
    return age


def show(garbage: Garbage, console: Console) -> None:
    """What can go: how many runs and attempts of each sweep, then what belongs to none, and the size."""
    from synth_cli.terminal.consoles import columns, size

    table = columns("of", "runs", "run folders", "attempts", "scratch", "size", right=NUMBERS)
    for sweep in sorted({item.sweep for item in garbage.items}, key=lambda sweep: (not sweep, sweep)):
        kinds = (garbage.runs, garbage.folders, garbage.attempts, garbage.scratch)
        found = [[item for item in kind if item.sweep == sweep] for kind in kinds]
        total = sum(item.bytes for items in found for item in items)
        table.add_row(sweep or "no sweep", *(f"{len(items):,}" if items else "" for items in found), size(total))
    console.print(f"{size(garbage.bytes)} can go", style="bold")
    console.print()
    console.print(table)


def show_paths(garbage: Garbage, console: Console) -> None:
    """The path of each thing that can go."""
    console.print()
    for item in garbage.items:
        console.print(item.path, soft_wrap=True)
