"""The part of a sweep's interface that an attempt uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class PlannedAxis(Protocol):
    """An axis as `synth_api` has it."""

    @property
    def path(self) -> str:
        """Dotted path of the override."""

    @property
    def values(self) -> Sequence[Any]:
        """Its values, in order."""

    @property
    def zipped(self) -> bool:
        """Whether it moves together with the axis before it."""


class PlannedRuns(Protocol):
    """What a plan says of runs."""

    @property
    def axes(self) -> Sequence[PlannedAxis]:
        """Their axes, the last one fastest."""

    @property
    def particle_blueprints(self) -> Sequence[str]:
        """Names of all that they may have, in the order of the categories."""


class PlannedSweep(PlannedRuns, Protocol):
    """What an attempt needs of a sweep."""

    @property
    def name(self) -> str:
        """Name of its dataset."""

    def keys(self) -> Iterator[bytes]:
        """Keys in run order, 32 bytes each."""

    def plan(self) -> str:
        """Hash of the plan, hexadecimal."""

    def words(self, run: int) -> str:
        """The overrides of a run as a sentence quotes them."""
