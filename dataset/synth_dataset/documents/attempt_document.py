"""`plan.json`: the plan of an attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import AwareDatetime, Field

from synth_dataset.documents.document import Document, Hash

if TYPE_CHECKING:
    from collections.abc import Iterable


class AxisDocument(Document):
    """An axis: the dotted path it overrides and its values in order."""

    path: str
    values: tuple[Any, ...]
    zipped: bool = False
    """Moves together with the axis before it."""


class SweepPart(Document):
    """One of the sweeps whose runs a dataset joins."""

    plan: Hash
    runs: int
    """Length of its part of keys.bin: the full product of its axes."""
    axes: tuple[AxisDocument, ...]

    def overrides(self, run: int) -> dict[str, Any]:
        """The value of each axis in a run, by mixed-radix arithmetic, the last axis fastest."""
        values: dict[str, Any] = {}
        for axis in reversed(self.axes):
            values[axis.path] = axis.values[run % len(axis.values)]
            run = run if axis.zipped else run // len(axis.values)
        return {axis.path: values[axis.path] for axis in self.axes}


class Category(Document):
    """A class of annotations: a particle blueprint and the id that `coco.json` gives it."""

    id: int
    name: str


class AttemptDocument(Document):
    """plan.json: what was cached and what was to do when the attempt began."""

    name: str
    namespace: str
    plan: Hash
    attempt: Hash
    engine_version: int | None = None
    total: int
    """Runs, excluded ones left out."""
    excluded: int = 0
    cached: int
    todo: tuple[tuple[int, int], ...]
    """Ranges of run numbers, first and last + 1."""
    batch_size: int | None = None
    """Runs of a batch, the last one perhaps smaller; a laptop has no batches."""
    axes: tuple[AxisDocument, ...]
    """Of several sweeps all axes, each with the values of all of them."""
    parts: tuple[SweepPart, ...] = Field(default=(), exclude_if=lambda parts: not parts)
    """The sweeps that the dataset joins, in the order of their runs; empty when it has one."""
    categories: tuple[Category, ...] = ()
    """Of the sweep's recipe, whatever its runs show; documents of earlier releases lack them."""
    created: AwareDatetime

    @property
    def runs(self) -> int:
        """Length of keys.bin: the full product of the axes."""
        return self.total + self.excluded

    @property
    def sweeps(self) -> tuple[SweepPart, ...]:
        """The sweeps whose runs these are, in the order of the runs."""
        return self.parts or (SweepPart(plan=self.plan, runs=self.runs, axes=self.axes),)

    def overrides(self, run: int) -> dict[str, Any]:
        """The value in a run of each axis of its sweep."""
        for sweep in self.sweeps:
            if run < sweep.runs:
                return sweep.overrides(run)
            run -= sweep.runs
        raise IndexError(f"there are {self.runs} runs")


def categories_of(blueprints: Iterable[str]) -> tuple[Category, ...]:
    """The categories of particle blueprints, ids from 1 in the given order."""
    return tuple(Category(id=number, name=name) for number, name in enumerate(blueprints, start=1))
