"""`plan.json`: the plan of an attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import AwareDatetime, Field

from synth_api.dataset_card import DatasetCard
from synth_api.recipe.categories import DEFAULT_SUPERCATEGORY
from synth_dataset.documents.document import Document, Hash

if TYPE_CHECKING:
    from collections.abc import Iterable

    from synth_api.recipe.categories import ParticleCategory


class AxisDocument(Document):
    """Axis of a sweep: the dotted path that it overrides, and its values in order."""

    path: str
    values: tuple[Any, ...]
    zipped: bool = False
    """True if the axis moves together with the axis before it."""


class SweepPart(Document):
    """One of the sweeps of a joined dataset."""

    plan: Hash
    runs: int
    """Number of keys of the sweep in keys.bin: the product of its axes."""
    axes: tuple[AxisDocument, ...]

    def overrides(self, run: int) -> dict[str, Any]:
        """Return the value of each axis in a run, by mixed-radix arithmetic, the last axis fastest."""
        values: dict[str, Any] = {}
        for axis in reversed(self.axes):
            values[axis.path] = axis.values[run % len(axis.values)]
            run = run if axis.zipped else run // len(axis.values)
        return {axis.path: values[axis.path] for axis in self.axes}


class Category(Document):
    """Category of annotations: its id in `coco.json`, its name and the particle blueprints that belong to it."""

    id: int
    name: str
    supercategory: str = DEFAULT_SUPERCATEGORY
    blueprints: tuple[str, ...] = ()
    """In code-point order; documents of earlier releases lack them."""
    fibres: tuple[str, ...] = Field(default=(), exclude_if=lambda fibres: not fibres)
    """Blueprints whose particles have a centre line, so that the category has keypoints."""
    agglomerates: bool = Field(default=False, exclude_if=lambda agglomerates: not agglomerates)
    """True for the category of agglomerates, to which no blueprint belongs."""

    @property
    def members(self) -> tuple[str, ...]:
        """The particle blueprints; those of a document of an earlier release are the one of its name."""
        return () if self.agglomerates else self.blueprints or (self.name,)


class AttemptDocument(Document):
    """`plan.json`: cached runs and runs to do when the attempt began."""

    name: str
    namespace: str
    plan: Hash
    attempt: Hash
    engine_version: int | None = None
    total: int
    """Number of runs without excluded ones."""
    excluded: int = 0
    cached: int
    todo: tuple[tuple[int, int], ...]
    """Ranges of run numbers to do, (first, last + 1)."""
    batch_size: int | None = None
    """Number of runs of a batch, except the last one; a local attempt has no batches."""
    spread: bool = Field(default=False, exclude_if=lambda spread: not spread)
    """True if batches take the runs to do in the order of `order_runs`; ascending in plans of earlier releases."""
    axes: tuple[AxisDocument, ...]
    """Axes of the sweep; of a joined dataset the axes of all sweeps with the values of all."""
    parts: tuple[SweepPart, ...] = Field(default=(), exclude_if=lambda parts: not parts)
    """Sweeps of a joined dataset, in the order of their runs; empty for one sweep."""
    categories: tuple[Category, ...] = ()
    """Categories of all blueprints of the recipe; documents of earlier releases lack them."""
    card: DatasetCard = DatasetCard()
    """What recipe and sweep say of the dataset."""
    recipe: dict[str, Any] | None = None
    """The recipe, composed with the fixed overrides; of a joined dataset that of its last sweep."""
    created: AwareDatetime

    @property
    def runs(self) -> int:
        """Number of keys in keys.bin: the product of the axes."""
        return self.total + self.excluded

    @property
    def sweeps(self) -> tuple[SweepPart, ...]:
        """The sweeps of the attempt, in the order of their runs."""
        return self.parts or (SweepPart(plan=self.plan, runs=self.runs, axes=self.axes),)

    @property
    def sole_recipe(self) -> dict[str, Any] | None:
        """The recipe that renders all runs with the axes; None of several sweeps, and with axes that move together."""
        return None if self.parts or any(axis.zipped for axis in self.axes) else self.recipe

    def overrides(self, run: int) -> dict[str, Any]:
        """Return the value of each axis of its sweep in a run. Raises IndexError."""
        for sweep in self.sweeps:
            if run < sweep.runs:
                return sweep.overrides(run)
            run -= sweep.runs
        raise IndexError(f"there are {self.runs} runs")


def build_categories(blueprints: Iterable[str]) -> tuple[Category, ...]:
    """Return a category for each particle blueprint, with ids from 1 in the given order."""
    return tuple(Category(id=number, name=name, blueprints=(name,)) for number, name in enumerate(blueprints, start=1))


def name_members(categories: Iterable[Category]) -> tuple[Category, ...]:
    """Return categories with their blueprints, which those of an earlier release do not name."""
    return tuple(category.model_copy(update={"blueprints": category.members}) for category in categories)


def number_categories(categories: Iterable[ParticleCategory]) -> tuple[Category, ...]:
    """Return categories with ids from 1 in the given order."""
    return tuple(
        Category(
            id=number,
            name=each.name,
            supercategory=each.supercategory,
            blueprints=each.blueprints,
            fibres=each.fibres,
            agglomerates=each.agglomerates,
        )
        for number, each in enumerate(categories, start=1)
    )


def find_agglomerates(categories: Iterable[Category]) -> Category | None:
    """Return the category of agglomerates; None of a dataset without."""
    return next((category for category in categories if category.agglomerates), None)
