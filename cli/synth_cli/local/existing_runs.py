"""Search for the runs of a sweep in a store, and for other runs of the dataset; 32 bytes of memory per run."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

from synth_api.recipe.canonical_tree import build_canonical_tree
from synth_cli.terminal.progress import open_meter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import Console

    from synth_api.sweep.definition import Sweep
    from synth_dataset.attempts.time_estimate import TimeEstimate
    from synth_dataset.store.folder_store import FolderStore

MIN_RUNS_WITH_PROGRESS: Final = 20_000
"""From this number of runs on, the search takes seconds."""
PROGRESS_STEP: Final = 2_000
"""Runs between two updates of the bar."""
MAX_SAMPLES: Final = 64
"""Existing runs, and runs to do, that a time estimate reads at most."""


@dataclass(frozen=True)
class ExistingRuns:
    """Numbers of existing and of missing runs of a sweep."""

    done: int
    todo: int
    estimate: TimeEstimate | None
    """Time of a run to do; None if the store has no measured run like them."""
    other_runs: int = 0
    """Runs of the dataset of the same name that the sweep does not have."""
    lost: int = 0
    """Runs to do that exist but have lost files."""


@dataclass
class SpacedNumbers:
    """Evenly spaced numbers of a stream of any length, between SAMPLE and half as many."""

    numbers: list[int] = field(default_factory=list)
    stride: int = 1
    seen: int = 0

    def add(self, number: int) -> None:
        """Add the next number of the stream."""
        if self.seen % self.stride == 0:
            self.numbers.append(number)
        self.seen += 1
        if len(self.numbers) > MAX_SAMPLES:
            self.numbers = self.numbers[::2]
            self.stride *= 2


def iterate_keys(sweep: Sweep, console: Console) -> Iterator[bytes]:
    """Yield the keys of a sweep in run order, under a progress bar from MIN_RUNS_WITH_PROGRESS runs on."""
    if sweep.runs < MIN_RUNS_WITH_PROGRESS:
        yield from sweep.keys()
        return
    with open_meter(console, "looking for", sweep.runs, "run") as progress:
        for number, key in enumerate(sweep.keys(), start=1):
            yield key
            if number % PROGRESS_STEP == 0:
                progress.advance(PROGRESS_STEP)


def find_existing_runs(sweep: Sweep, folder: Path, console: Console) -> ExistingRuns:
    """Search for the runs of a sweep in the store at `folder`, which need not exist.

    Raises InputError if values of a run contradict each other, and for a folder that `render` refuses too.
    """
    if not _has_runs(folder):
        return ExistingRuns(0, sweep.runs, None)

    import numpy as np

    from synth_dataset.attempts.render_call import count_other_runs
    from synth_dataset.documents.layout import KEY_BYTES
    from synth_dataset.store.folder_store import FolderStore

    store = FolderStore(folder)
    done, todo = SpacedNumbers(), SpacedNumbers()
    keys, lost = bytearray(), 0
    lacks_files = (
        store.has_lost_files if sweep.runs <= store.max_compared_runs else lambda key: not store.has_files(key)
    )
    for number, key in enumerate(iterate_keys(sweep, console)):
        exists = store.has_run(key.hex())
        incomplete = exists and lacks_files(key.hex())
        (done if exists and not incomplete else todo).add(number)
        lost += incomplete
        keys += key
    others = count_other_runs(store, "local", sweep, np.frombuffer(keys, f"S{KEY_BYTES}"))
    return ExistingRuns(
        done.seen, todo.seen, _estimate_time(sweep, store, done, todo) if todo.seen else None, others, lost
    )


def _has_runs(folder: Path) -> bool:
    """Return True if a folder is a store with runs. Raises InputError for a path below a file."""
    try:
        return not {"manifests", "shards"}.isdisjoint(os.listdir(folder))
    except FileNotFoundError:
        return False
    except OSError as error:
        from synth_dataset.store.folder_store import explain_unusable_folder

        raise explain_unusable_folder(folder, error) from error


def _estimate_time(sweep: Sweep, store: FolderStore, done: SpacedNumbers, todo: SpacedNumbers) -> TimeEstimate | None:
    """Estimate the time of the runs to do from existing runs of the sweep and from others of the store."""
    from synth_dataset.attempts.time_estimate import estimate_time

    keys = {sweep.key(number) for number in done.numbers} | set(islice(store.iterate_keys(), MAX_SAMPLES))
    recipes = [build_canonical_tree(sweep.build_recipe(number)) for number in todo.numbers]
    manifests = [store.read_manifest(key) for key in sorted(keys)]
    return estimate_time(recipes, [(store.read_recipe(each), each.total_seconds) for each in manifests])
