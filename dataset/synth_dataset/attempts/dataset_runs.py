"""The runs of a dataset: those of one sweep, or of several sweeps one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_api.canonical_json import canonical_json
from synth_api.recipe.categories import ParticleCategory, join_categories
from synth_api.recipe.run_key import EXCLUDED_KEY
from synth_dataset.attempts.attempt import to_axis_documents
from synth_dataset.attempts.live_attempts import contains_keys
from synth_dataset.documents.attempt_document import AxisDocument, SweepPart

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from synth_api.dataset_card import DatasetCard
    from synth_dataset.attempts.planned_sweep import PlannedSweep
    from synth_dataset.documents.attempt_document import AttemptDocument


@dataclass(frozen=True)
class DatasetRuns:
    """Runs by their number in the dataset, and the numbers of the runs of the sweep of this call."""

    plan: str
    axes: tuple[AxisDocument, ...]
    categories: tuple[ParticleCategory, ...]
    """In the order of their ids; empty if the previous dataset is of a release without categories."""
    base: dict[str, Any] | None
    """Recipe of the sweep of this call."""
    card: DatasetCard
    """What the sweep of this call says of the dataset."""
    parts: tuple[SweepPart, ...]
    """Empty if the dataset has one sweep."""
    keys: NDArray[np.bytes_]
    """Type S32, shape (runs,)."""
    numbers: NDArray[np.int64]
    """Number in the dataset of each run of the sweep."""


def take_sweep(sweep: PlannedSweep, keys: NDArray[np.bytes_]) -> DatasetRuns:
    """Return the runs of one sweep; `keys` are its run keys, of type S32."""
    return DatasetRuns(
        plan=sweep.plan(),
        axes=to_axis_documents(sweep.axes),
        categories=tuple(sweep.categories),
        base=sweep.base,
        card=sweep.card,
        parts=(),
        keys=keys,
        numbers=np.arange(len(keys)),
    )


def join_sweep(
    before: AttemptDocument, before_keys: NDArray[np.bytes_], sweep: PlannedSweep, keys: NDArray[np.bytes_]
) -> DatasetRuns:
    """Return the runs of a dataset followed by those of a sweep, each in their order.

    A run of the sweep that the dataset already has keeps its number and is excluded from the part of the sweep. A
    sweep without new runs adds no part. Categories keep their ids.
    """
    order = np.argsort(before_keys, kind="stable")
    ordered = before_keys[order]
    is_known = contains_keys(ordered, keys)
    numbers = np.arange(len(keys)) + len(before_keys)
    numbers[is_known] = order[np.searchsorted(ordered, keys[is_known])]
    categories = tuple(
        ParticleCategory(
            category.name, category.supercategory, category.members, category.fibres, category.agglomerates
        )
        for category in before.categories
    )
    if is_known.all():
        return DatasetRuns(
            before.plan, before.axes, categories, before.recipe, sweep.card, before.parts, before_keys, numbers
        )
    parts = (*before.sweeps, SweepPart(plan=sweep.plan(), runs=len(keys), axes=to_axis_documents(sweep.axes)))
    return DatasetRuns(
        plan=sha256("".join(part.plan for part in parts).encode()).hexdigest(),
        axes=_merge_axes(parts),
        categories=join_categories(categories, sweep.categories) if categories else (),
        base=sweep.base,
        card=sweep.card,
        parts=parts,
        keys=np.concatenate([before_keys, np.where(is_known, EXCLUDED_KEY, keys)]),
        numbers=numbers,
    )


def _merge_axes(sweeps: Iterable[SweepPart]) -> tuple[AxisDocument, ...]:
    """Return the axes of all sweeps in order of appearance, each with the distinct values of all sweeps."""
    values: dict[str, dict[bytes, Any]] = {}
    for sweep in sweeps:
        for axis in sweep.axes:
            known = values.setdefault(axis.path, {})
            for value in axis.values:
                known.setdefault(canonical_json(value), value)
    return tuple(AxisDocument(path=path, values=tuple(known.values())) for path, known in values.items())
