"""Protocols of a sweep: the properties and methods that an attempt needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from synth_api.dataset_card import DatasetCard
    from synth_api.recipe.categories import ParticleCategory
    from synth_api.sweep.axes import Axis
    from synth_dataset.documents.attempt_document import AxisDocument


class PlannedRuns(Protocol):
    """Axes, categories, recipe and card of a number of runs."""

    @property
    def axes(self) -> Sequence[Axis | AxisDocument]:
        """Axes of the runs, the last one fastest."""

    @property
    def categories(self) -> Sequence[ParticleCategory]:
        """Categories of all blueprints that a run may have, in the order of their ids."""

    @property
    def base(self) -> dict[str, Any] | None:
        """The recipe, composed with the fixed overrides; None in a dataset of an earlier release."""

    @property
    def card(self) -> DatasetCard:
        """What people say of the dataset."""


class PlannedSweep(PlannedRuns, Protocol):
    """Sweep with a name, a plan and run keys, as `synth_api.sweep.definition.Sweep`."""

    @property
    def name(self) -> str:
        """Name of the dataset of the sweep."""

    def keys(self) -> Iterator[bytes]:
        """Yield the run keys in run order, 32 bytes each."""

    def plan(self) -> str:
        """Return the hash of the plan, hexadecimal."""

    def describe_run(self, run: int) -> str:
        """Return the overrides of a run as a message quotes them."""
