"""Difference of two datasets: runs by key, then by the values of the axes; memory holds some 80 bytes a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np

from synth_api.canonical_json import canonical_json
from synth_dataset.comparison.value_changes import AxisChange, ValueChange, list_axis_changes, list_changes
from synth_dataset.documents.layout import format_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from synth_dataset.attempts.dataset_source import DatasetSource
    from synth_dataset.documents.run_manifest import Manifest

MAX_LISTED_RUNS: Final = 100
"""Runs of each kind of difference that are listed; all are counted."""
_TYPE: Final = np.dtype([("run", "i8"), ("key", "S32"), ("content", "S8"), ("labels", "S32")])

What = Literal["recipe", "labels", "files", ""]
"""`recipe`: another key; `labels`: other labels of the same key; `files`: only other pictures; empty: run not there."""


@dataclass(frozen=True)
class RunDifference:
    """A run that only one of two datasets has, or that both have differently."""

    run: int | None
    """Its number in the first dataset; None if it is not there."""
    other_run: int | None
    """Its number in the second dataset."""
    overrides: Mapping[str, Any]
    what: What = ""
    changes: tuple[ValueChange, ...] = ()
    """Values of the recipe that differ; for runs of one key, of what rendered them."""


class DifferenceCounts(NamedTuple):
    """Numbers of runs of two datasets together."""

    equal: int
    added: int
    removed: int
    changed: int


@dataclass(frozen=True)
class DatasetDifference:
    """Difference of two datasets: what the second has other than the first."""

    counts: DifferenceCounts
    engine_versions: tuple[int | None, int | None]
    axes: tuple[AxisChange, ...]
    recipe: tuple[ValueChange, ...]
    """Lines of the composed recipes with their fixed overrides; none if a dataset of an earlier release has none."""
    changed: list[RunDifference] = field(default_factory=list)
    """The first of each kind."""
    removed: list[RunDifference] = field(default_factory=list)
    added: list[RunDifference] = field(default_factory=list)

    @property
    def is_equal(self) -> bool:
        """True if both have the same runs with the same files."""
        return self.counts.equal == sum(self.counts)


def compare_datasets(one: DatasetSource, two: DatasetSource) -> DatasetDifference:
    """Compare two datasets. Raises DocumentError, StoreError."""
    first, second = _read_runs(one), _read_runs(two)
    common, places, other_places = np.intersect1d(first["key"], second["key"], return_indices=True)
    mine, theirs = first[places], second[other_places]
    is_other = (mine["labels"] != theirs["labels"]) | (mine["content"] != theirs["content"])
    order = np.argsort(mine["run"][is_other])
    same_key = list(zip(mine[is_other][order], theirs[is_other][order], strict=True))
    removed = first[~np.isin(first["key"], common)]
    added = second[~np.isin(second["key"], common)]
    matched, removed, added = _match_by_values(one, two, removed, added)
    changed = [_describe_same_key(one, two, *pair) for pair in islice(same_key, MAX_LISTED_RUNS)]
    changed += [_describe_other_key(one, two, *pair) for pair in islice(matched, MAX_LISTED_RUNS - len(changed))]
    changes = len(same_key) + len(matched)
    recipes = one.attempt.recipe, two.attempt.recipe
    return DatasetDifference(
        counts=DifferenceCounts(len(common) - len(same_key), len(added), len(removed), changes),
        engine_versions=(one.attempt.engine_version, two.attempt.engine_version),
        axes=list_axis_changes(one.attempt.axes, two.attempt.axes),
        recipe=() if None in recipes else list_changes(*recipes),
        changed=changed,
        removed=[RunDifference(int(row["run"]), None, _overrides(one, row)) for row in removed[:MAX_LISTED_RUNS]],
        added=[RunDifference(None, int(row["run"]), _overrides(two, row)) for row in added[:MAX_LISTED_RUNS]],
    )


def _read_runs(source: DatasetSource) -> NDArray[np.void]:
    """Return run, key, content id and label digest of each run (N,), in run order."""

    def iterate() -> Iterator[tuple[int, bytes, bytes, bytes]]:
        for row in source.iterate_rows(("run", "key", "folder", "label_digest")):
            # The index of an earlier release has no digests.
            digest = row["label_digest"] or source.read_manifest(row["key"]).label_digest
            content = row["folder"].rpartition("/")[2].encode()
            yield row["run"], bytes.fromhex(row["key"]), content, bytes.fromhex(digest)

    return np.fromiter(iterate(), _TYPE)


def _match_by_values(
    one: DatasetSource, two: DatasetSource, removed: NDArray[np.void], added: NDArray[np.void]
) -> tuple[list[tuple[np.void, np.void]], NDArray[np.void], NDArray[np.void]]:
    """Return pairs of runs with the same values of all axes, and the rows of both that have no partner."""
    places: dict[bytes, int] = {}
    for place, row in enumerate(removed):
        places.setdefault(_hash_values(one, row), place)  # joined sweeps may have several runs of equal values
    partners = ((places.pop(_hash_values(two, row), None), number) for number, row in enumerate(added))
    pairs = [(place, number) for place, number in partners if place is not None]
    left = np.delete(removed, [place for place, _ in pairs])
    right = np.delete(added, [number for _, number in pairs])
    return [(removed[place], added[number]) for place, number in sorted(pairs)], left, right


def _hash_values(source: DatasetSource, row: np.void) -> bytes:
    return sha256(canonical_json(_overrides(source, row))).digest()[:16]


def _overrides(source: DatasetSource, row: np.void) -> dict[str, Any]:
    return source.attempt.overrides(int(row["run"]))


def _describe_same_key(one: DatasetSource, two: DatasetSource, mine: np.void, theirs: np.void) -> RunDifference:
    """Return the difference of a run with one key: what has rendered it."""
    what: What = "labels" if mine["labels"] != theirs["labels"] else "files"
    changes = list_changes(_describe_renderer(_read(one, mine)), _describe_renderer(_read(two, theirs)))
    return RunDifference(int(mine["run"]), int(theirs["run"]), _overrides(one, mine), what, changes)


def _describe_other_key(one: DatasetSource, two: DatasetSource, mine: np.void, theirs: np.void) -> RunDifference:
    """Return the difference of runs with other keys: their recipes and the engine version are what a key covers."""
    trees = [
        {"engine_version": manifest.engine_version, **source.store.read_recipe(manifest)}
        for source, manifest in ((one, _read(one, mine)), (two, _read(two, theirs)))
    ]
    return RunDifference(int(mine["run"]), int(theirs["run"]), _overrides(one, mine), "recipe", list_changes(*trees))


def _describe_renderer(manifest: Manifest) -> dict[str, Any]:
    return {"versions": manifest.versions, "processor": manifest.processor, "device": manifest.device}


def _read(source: DatasetSource, row: np.void) -> Manifest:
    return source.read_manifest(format_key(bytes(row["key"])))
