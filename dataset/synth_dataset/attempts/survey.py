"""The runs of a sweep that a store has, and those that are to do."""

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
    """What a store has of a sweep: numbers of runs, and ranges of what is to do."""

    total: int
    excluded: int
    todo: tuple[tuple[int, int], ...]
    lost: tuple[str, ...] = ()
    """Keys of the runs to do that have a manifest and have lost files."""

    @property
    def todo_runs(self) -> int:
        """How many runs are to do."""
        return sum(end - first for first, end in self.todo)

    @property
    def cached(self) -> int:
        """How many runs exist."""
        return self.total - self.todo_runs


def write_keys(sweep: PlannedSweep, file: Path) -> NDArray[np.bytes_]:
    """Write the sweep's keys to a file; returns them, of type S32. Memory: 32 bytes a run.

    Raises InputError where two runs have one key, and what `sweep.keys` raises.
    """
    with file.open("wb") as stream:
        stream.writelines(sweep.keys())
    keys = np.fromfile(file, f"S{layout.KEY_BYTES}")
    _refuse_same_runs(sweep, keys)
    return keys


def survey_keys(store: Store, keys: NDArray[np.bytes_]) -> Survey:
    """See which runs exist with their files; `keys` are of type S32. Memory: about 70 bytes a run more.

    Raises DocumentError as `Store.lost`.
    """
    excluded = keys == EXCLUDED_KEY
    present = store.present(keys)
    lost = np.zeros(len(keys), np.bool_)
    lost[present] = store.lost(keys[present])
    left_out = int(excluded.sum())
    todo = ranges(map(int, np.flatnonzero(~present & ~excluded | lost)))
    return Survey(len(keys) - left_out, left_out, todo, tuple(map(layout.key_text, keys[lost])))


def ranges(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Ascending numbers as ranges, first and last + 1."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number:
            found[-1] = (found[-1][0], number + 1)
        else:
            found.append((number, number + 1))
    return tuple(found)


def _refuse_same_runs(sweep: PlannedSweep, keys: NDArray[np.bytes_]) -> None:
    """Raise InputError where two runs have one key: one picture would be two samples, perhaps one in each split."""
    runs = np.flatnonzero(keys != EXCLUDED_KEY)
    order = runs[np.argsort(keys[runs], kind="stable")]
    same = np.flatnonzero(keys[order[1:]] == keys[order[:-1]])
    if len(same):
        one, other = (int(order[same[0] + step]) for step in (0, 1))
        raise InputError(
            "",
            f"runs {one} and {other} are the same picture, {sweep.words(one)} and {sweep.words(other)}; take one out",
        )
