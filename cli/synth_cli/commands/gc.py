"""`synth gc`: remove what no dataset refers to any more."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import click

from synth_api.errors import InputError
from synth_cli.parameters import PATH, TEXT

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from synth_dataset.gc import Garbage

UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@click.command(name="gc", short_help="Remove what no dataset refers to any more.")
@click.argument("dataset", type=PATH)
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option(
    "--older-than", type=TEXT, default="1d", show_default=True, metavar="AGE", help="Age such as 90m, 12h, 1d."
)
def command(dataset: Path, dry_run: bool, older_than: str) -> None:
    """Remove from the folder DATASET what is older than AGE and in no live dataset.

    Live are the committed and the newest attempt of every sweep. What goes: other attempts, runs in no live attempt,
    files of runs that were never finished.
    """
    from synth_cli.terminal import stdout
    from synth_dataset.folder_store import FolderStore
    from synth_dataset.gc import collect

    age = parse_age(older_than)
    if not dataset.is_dir():
        raise InputError(str(dataset), "is no folder; give the dataset folder that synth render wrote")
    show(collect(FolderStore(dataset), age, dry_run), dry_run, stdout())


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


def show(garbage: Garbage, dry_run: bool, console: Console) -> None:
    """What went, by kind, and each of its paths when it was only tried."""
    from synth_cli.terminal import facts, size

    kinds = {
        "runs": garbage.runs,
        "run folders": garbage.folders,
        "attempts": garbage.attempts,
        "scratch": garbage.scratch,
    }
    total = sum(map(len, kinds.values()))
    if not total:
        console.print("nothing to remove")
        return
    verb = "would free" if dry_run else "freed"
    console.print(f"{verb} {size(garbage.bytes)}", style="bold")
    console.print()
    console.print(facts((kind, f"{len(paths):,}") for kind, paths in kinds.items() if paths))
    if dry_run:
        console.print()
        for paths in kinds.values():
            for path in paths:
                console.print(path, soft_wrap=True)
