"""Survey of a store: the runs of a sweep that exist, and the runs to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth_api.errors import InputError
from synth_api.recipe.run_key import EXCLUDED_KEY
from synth_dataset.documents import layout

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from synth_dataset.attempts.planned_sweep import PlannedSweep
    from synth_dataset.store.base import Store


@dataclass(frozen=True)
class Survey:
    """Numbers of runs of a sweep, and ranges of the runs to do."""

    total: int
    excluded: int
    todo: tuple[tuple[int, int], ...]
    lost: tuple[str, ...] = ()
    """Hexadecimal keys of runs to do that have a manifest but have lost files."""

    @property
    def todo_runs(self) -> int:
        """Number of runs to do."""
        return sum(end - first for first, end in self.todo)

    @property
    def cached_runs(self) -> int:
        """Number of runs that exist with their files."""
        return self.total - self.todo_runs


def write_keys(sweep: PlannedSweep, file: Path, keys: Iterable[bytes] | None = None) -> NDArray[np.bytes_]:
    """Write run keys to a file and return them, of type S32; `keys` replaces `sweep.keys()`. Memory: 32 bytes per run.

    Raises InputError if two runs have the same key, and the errors of `sweep.keys`.
    """
    with file.open("wb") as stream:
        stream.writelines(sweep.keys() if keys is None else keys)
    written = np.fromfile(file, f"S{layout.KEY_BYTES}")
    _check_for_duplicates(sweep, written)
    return written


def survey_keys(store: Store, keys: NDArray[np.bytes_]) -> Survey:
    """Find the runs that exist with their files; `keys` are of type S32. Memory: about 70 bytes more per run.

    Raises DocumentError as `Store.find_lost`.
    """
    excluded = keys == EXCLUDED_KEY
    present = store.find_present_runs(keys)
    lost = np.zeros(len(keys), np.bool_)
    lost[present] = store.find_lost_runs(keys[present])
    excluded_runs = int(excluded.sum())
    todo = to_ranges(map(int, np.flatnonzero(~present & ~excluded | lost)))
    return Survey(len(keys) - excluded_runs, excluded_runs, todo, tuple(map(layout.format_key, keys[lost])))


def to_ranges(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Return ascending numbers as ranges (first, last + 1)."""
    ranges: list[tuple[int, int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number:
            ranges[-1] = (ranges[-1][0], number + 1)
        else:
            ranges.append((number, number + 1))
    return tuple(ranges)


def _check_for_duplicates(sweep: PlannedSweep, keys: NDArray[np.bytes_]) -> None:
    """Raise InputError if two runs have the same key: one picture would be two samples, perhaps one in each split."""
    runs = np.flatnonzero(keys != EXCLUDED_KEY)
    order = runs[np.argsort(keys[runs], kind="stable")]
    same = np.flatnonzero(keys[order[1:]] == keys[order[:-1]])
    if len(same):
        one, other = (int(order[same[0] + step]) for step in (0, 1))
        raise InputError(
            "",
            f"runs {one} and {other} are the same picture, {sweep.describe_run(one)} and {sweep.describe_run(other)}; "
            "take one out",
        )
