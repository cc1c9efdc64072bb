"""`synth gc`: delete files that no dataset needs."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import click

from synth_api.errors import InputError
from synth_cli.cluster.cluster_options import endpoint_option
from synth_cli.parameters import TEXT, parse_path

if TYPE_CHECKING:
    from rich.console import Console

    from synth_dataset.attempts.garbage_collection import Garbage
    from synth_dataset.store.base import Store

KINDS: Final = ("runs", "run folders", "shards", "sparse shards", "recipes", "attempts", "scratch")
AGE_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@click.command(name="gc")
@click.argument("dataset", type=TEXT)
@click.option("--yes", is_flag=True, help="Delete without confirmation.")
@click.option("--dry-run", is_flag=True, help="Only list the files and folders to delete.")
@click.option(
    "--older-than", type=TEXT, default="1d", show_default=True, metavar="AGE", help="Minimum age, such as 90m, 12h, 1d."
)
@endpoint_option
def command(dataset: str, yes: bool, dry_run: bool, older_than: str, endpoint: str | None) -> None:
    """Delete garbage older than AGE from DATASET, a folder or s3://BUCKET/PREFIX.

    Garbage is all that the committed and the newest attempt of each sweep do not need: other attempts, runs of no
    such attempt, files of unfinished runs. Shards of which less than half is needed are packed again. The command lists
    it by sweep and size, then asks for confirmation.
    Without a terminal it deletes nothing unless --yes is given.
    """
    from synth_cli.terminal.consoles import open_stderr, open_stdout
    from synth_cli.terminal.formatting import format_size
    from synth_dataset.attempts.garbage_collection import find_garbage, remove_garbage
    from synth_dataset.store.folder_store import FolderStore

    if yes and dry_run:
        raise click.UsageError("--yes and --dry-run exclude each other")
    age = parse_age(older_than)
    store = _open_store(dataset, endpoint)
    garbage = find_garbage(store, age)
    if not garbage.items:
        open_stdout().print("nothing to delete")
        return
    print_garbage(garbage, open_stdout())
    if dry_run:
        print_paths(garbage, open_stdout())
        return
    if not yes:
        if not confirm_removal():
            open_stderr().print("nothing was deleted; --yes deletes without confirmation")
            return
        garbage = garbage.intersect(find_garbage(store, age))
    if isinstance(store, FolderStore):
        store.check_writable("nothing can be deleted from it")
    remove_garbage(store, garbage)
    open_stdout().print(f"freed {format_size(garbage.bytes)}", style="bold")


def _open_store(word: str, endpoint: str | None) -> Store:
    """Open a folder or an address. Raises InputError."""
    from synth_cli.local.bucket_address import is_bucket_address, open_bucket
    from synth_dataset.store.folder_store import FolderStore

    if is_bucket_address(word):
        return open_bucket(word, endpoint, "DATASET")
    folder = parse_path("DATASET", word)
    if not folder.is_dir():
        raise InputError(str(folder), "is not a folder; give the dataset folder that synth render wrote")
    return FolderStore(folder)


def confirm_removal() -> bool:
    """Ask on a terminal; return False without one."""
    is_terminal = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))
    return is_terminal and click.confirm("delete it?", err=True)


def parse_age(text: str) -> timedelta:
    """Parse `90m`, `12h` or `1d`. Raises InputError."""
    match = re.fullmatch(r"(\d+)([smhd])", text)
    if match is None:
        raise InputError("--older-than", f"'{text}' is not an age; write for example 90m, 12h or 1d")
    try:
        age = timedelta(**{AGE_UNITS[match[2]]: int(match[1])})
        datetime.now(UTC) - age
    except (OverflowError, ValueError):
        raise InputError("--older-than", f"'{text[:40]}' reaches back before year 1; write for example 365d") from None
    return age


def print_garbage(garbage: Garbage, console: Console) -> None:
    """Print counts and sizes for each sweep, then those that belong to no sweep."""
    from synth_cli.terminal.formatting import format_size
    from synth_cli.terminal.tables import build_table

    table = build_table("sweep", *KINDS, "size", right=(*KINDS, "size"))
    for sweep in sorted({item.sweep for item in garbage.items}, key=lambda sweep: (not sweep, sweep)):
        found = [[item for item in kind if item.sweep == sweep] for kind in garbage.kinds]
        total = sum(item.bytes for items in found for item in items)
        table.add_row(sweep or "none", *(f"{len(items):,}" if items else "" for items in found), format_size(total))
    console.print(f"{format_size(garbage.bytes)} to delete", style="bold")
    console.print()
    console.print(table)


def print_paths(garbage: Garbage, console: Console) -> None:
    """Print the path of each file and folder to delete."""
    console.print()
    for item in garbage.items:
        console.print(item.path, soft_wrap=True)
