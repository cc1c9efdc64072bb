"""Which runs of a sweep a store already has, found key by key in constant memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from synth_cli.progress import meter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rich.console import Console

    from synth_api.sweep.axes import Axis
    from synth_api.sweep.sweep import Sweep

SHOWN_FROM: Final = 20_000
"""Runs from which looking for them takes long enough to show how far it is."""
STRIDE: Final = 2_000
"""Runs between two moves of the bar."""


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

    def plan(self) -> str:
        """Hash of the plan."""
        return self.sweep.plan()

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
class Existing:
    """How much of a sweep is done."""

    done: int
    todo: int
    seconds_per_run: float | None
    """Mean over some runs of the store; None without any."""


def measure(sweep: Sweep, folder: Path, console: Console) -> Existing:
    """Look for a sweep's runs in the store at `folder`, which need not exist.

    Raises InputError when a run's values do not fit together.
    """
    if not (folder / "manifests").is_dir():
        return Existing(0, sweep.runs, None)

    from synth_dataset.estimate import seconds_per_run
    from synth_dataset.store import FolderStore

    store = FolderStore(folder)
    keys = WatchedSweep(sweep, console).keys()
    done = sum(store.has(key.hex()) for key in keys)
    return Existing(done, sweep.runs - done, seconds_per_run(store))
