"""Which runs of a sweep a store already has, found key by key in constant memory."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Final

from synth_cli.progress import meter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from rich.console import Console

    from synth_api.sweep.sweep import Sweep
    from synth_dataset.store import FolderStore

SHOWN_FROM: Final = 20_000
"""Runs from which looking for them takes long enough to show how far it is."""
STRIDE: Final = 2_000
"""Runs between two moves of the bar."""
SAMPLED: Final = 50
"""Manifests that the time of a run is the mean of."""


@dataclass(frozen=True)
class Existing:
    """What is done of a choice of runs."""

    done: int
    missing: tuple[range, ...]
    """Ascending, disjoint ranges of run numbers."""
    seconds_per_run: float | None
    """Mean of some runs that are done; None without any."""

    @property
    def todo(self) -> int:
        """How many runs are missing."""
        return sum(map(len, self.missing))


def measure(sweep: Sweep, folder: Path, console: Console, chosen: Sequence[range] | None = None) -> Existing:
    """Look for the `chosen` runs (all of them unless given) in the store at `folder`, which need not exist.

    Raises InputError when a run's values do not fit together.
    """
    chosen = (range(sweep.runs),) if chosen is None else chosen
    if not (folder / "manifests").is_dir():
        return Existing(0, tuple(chosen), None)

    from synth_dataset.store import FolderStore

    store = FolderStore(folder)
    total = sum(map(len, chosen))
    missing: list[range] = []
    done: list[str] = []
    count = 0
    with meter(console, "looking for", total, "run") if total >= SHOWN_FROM else nullcontext() as progress:
        for number, key in numbered_keys(sweep, chosen):
            if store.has(key.hex()):
                count += 1
                if len(done) < SAMPLED:
                    done.append(key.hex())
            else:
                append(missing, number)
            if progress is not None and number % STRIDE == STRIDE - 1:
                progress.advance(STRIDE)
    return Existing(count, tuple(missing), _mean_seconds(store, done))


def numbered_keys(sweep: Sweep, chosen: Iterable[range]) -> Iterator[tuple[int, bytes]]:
    """Run number and key of each chosen run, one at a time."""
    for part in chosen:
        yield from zip(part, sweep.keys(part.start, part.stop), strict=True)


def append(numbers: list[range], number: int) -> None:
    """Add a number above all others to ascending, disjoint ranges."""
    if numbers and numbers[-1].stop == number:
        numbers[-1] = range(numbers[-1].start, number + 1)
    else:
        numbers.append(range(number, number + 1))


def _mean_seconds(store: FolderStore, keys: Sequence[str]) -> float | None:
    return fmean(sum(store.manifest(key).seconds.values()) for key in keys) if keys else None
