"""Which runs of a sweep a store already has, and which others the dataset of its name; 32 bytes of memory a run."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

from synth_api.recipe.canonical_tree import build_canonical_tree
from synth_cli.terminal.progress import meter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rich.console import Console

    from synth_api.sweep.axes import Axis
    from synth_api.sweep.definition import Sweep
    from synth_dataset.attempts.time_estimate import TimeEstimate
    from synth_dataset.store.folder_store import FolderStore

SHOWN_FROM: Final = 20_000
"""Runs from which looking for them takes long enough to show how far it is."""
STRIDE: Final = 2_000
"""Runs between two moves of the bar."""
SAMPLE: Final = 64
"""Runs, of those done and of those to do, that an estimate looks at."""


@dataclass(frozen=True)
class WatchedSweep:
    """A sweep that shows how far a reader of its keys is; what an attempt needs of a sweep."""

    sweep: Sweep
    console: Console

    @property
    def name(self) -> str:
        """Stem of the recipe's file."""
        return self.sweep.name

    @property
    def runs(self) -> int:
        """Number of runs."""
        return self.sweep.runs

    @property
    def axes(self) -> Sequence[Axis]:
        """Its axes, the last one fastest."""
        return self.sweep.axes

    @property
    def particle_blueprints(self) -> Sequence[str]:
        """Names of all that its runs may have."""
        return self.sweep.particle_blueprints

    def plan(self) -> str:
        """Hash of the plan."""
        return self.sweep.plan()

    def words(self, run: int) -> str:
        """The overrides of a run as a sentence quotes them."""
        return self.sweep.words(run)

    def keys(self) -> Iterator[bytes]:
        """Keys in run order; long ones under a progress bar."""
        if self.runs < SHOWN_FROM:
            yield from self.sweep.keys()
            return
        with meter(self.console, "looking for", self.runs, "run") as progress:
            for number, key in enumerate(self.sweep.keys()):
                yield key
                if number % STRIDE == STRIDE - 1:
                    progress.advance(STRIDE)


@dataclass(frozen=True)
class ExistingRuns:
    """How much of a sweep is done."""

    done: int
    todo: int
    estimate: TimeEstimate | None
    """How long a run takes of those to do; None when the store has measured none like them."""
    other_runs: int = 0
    """Runs that the dataset of the sweep's name has and the sweep does not."""
    lost: int = 0
    """Of the runs to do those that have lost files."""


@dataclass
class SpacedNumbers:
    """Evenly spaced numbers of a stream of any length, between SAMPLE and half as many."""

    numbers: list[int] = field(default_factory=list)
    stride: int = 1
    seen: int = 0

    def add(self, number: int) -> None:
        """The next of the stream."""
        if self.seen % self.stride == 0:
            self.numbers.append(number)
        self.seen += 1
        if len(self.numbers) > SAMPLE:
            self.numbers = self.numbers[::2]
            self.stride *= 2


def measure(sweep: Sweep, folder: Path, console: Console) -> ExistingRuns:
    """Look for a sweep's runs in the store at `folder`, which need not exist.

    Raises InputError when a run's values do not fit together, and for a folder that `render` refuses too.
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
    lacks = store.has_lost_files if sweep.runs <= store.compared_at_most else lambda key: not store.has_files(key)
    for number, key in enumerate(WatchedSweep(sweep, console).keys()):
        there = store.has(key.hex())
        incomplete = there and lacks(key.hex())
        (done if there and not incomplete else todo).add(number)
        lost += incomplete
        keys += key
    others = count_other_runs(store, "local", sweep, np.frombuffer(keys, f"S{KEY_BYTES}"))
    return ExistingRuns(done.seen, todo.seen, _estimate(sweep, store, done, todo) if todo.seen else None, others, lost)


def _has_runs(folder: Path) -> bool:
    """Whether a folder is a store with runs. Raises InputError where none can be, below a file for instance."""
    try:
        return stat.S_ISDIR((folder / "manifests").stat().st_mode)
    except FileNotFoundError:
        return False
    except OSError as error:
        from synth_dataset.store.folder_store import unusable_folder

        raise unusable_folder(folder, error) from error


def _estimate(sweep: Sweep, store: FolderStore, done: SpacedNumbers, todo: SpacedNumbers) -> TimeEstimate | None:
    """From runs of this very sweep, and from others of the store."""
    from synth_dataset.attempts.time_estimate import estimate

    keys = {sweep.key(number) for number in done.numbers} | set(islice(store.keys(), SAMPLE))
    recipes = [build_canonical_tree(sweep.build_recipe(number)) for number in todo.numbers]
    return estimate(recipes, [store.manifest(key) for key in sorted(keys)])
