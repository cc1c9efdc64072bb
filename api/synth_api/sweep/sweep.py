"""A sweep: one recipe and axes whose product gives N runs, numbered 0 to N - 1, last axis fastest."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import cached_property, partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from synth_api.composition.compose import compose, resolve
from synth_api.composition.overrides import indexed_overrides, indexed_path, override_text
from synth_api.composition.source import read_recipe
from synth_api.errors import InputError
from synth_api.key import canonical_json, run_key
from synth_api.recipe.ineffective import without_effect
from synth_api.recipe.model import parse
from synth_api.sweep.axes import Axis, parse_arguments
from synth_api.sweep.axis_values import DecimalRange, Value, finite
from synth_api.sweep.blueprints import particle_blueprints
from synth_api.sweep.grid import Box, Grid
from synth_api.sweep.keys import keys_of
from synth_api.sweep.name import check_dataset_name
from synth_api.sweep.repeats import refuse_idle, refuse_repeats, refuse_same_run
from synth_api.sweep.structured import axes_of, boxes_of, dimensions_of
from synth_api.sweep.tree import path_of, put
from synth_api.sweep.unused_axes import IdlePlaces
from synth_api.version import ENGINE_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from synth_api.composition.source import RecipeSource
    from synth_api.recipe.model import Recipe
    from synth_api.resources.synth_sweep import SweepAxis


_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sweep:
    """One recipe, composed once with its fixed overrides; `base` still holds its interpolations."""

    name: str
    axes: tuple[Axis, ...]
    base: dict[str, Any]
    boxes: tuple[Box, ...] = ()
    """Which of the runs are left out."""
    particle_blueprints: tuple[str, ...] = ()
    """Names of all that its runs may have; those of the recipe itself come first, equal in all its sweeps."""

    @classmethod
    def load(cls, path: Path, arguments: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> Sweep:
        """Read a recipe file and a command line's arguments; raises InputError as `read_recipe` and `of`."""
        return cls.of(read_recipe(path, environment), arguments)

    @classmethod
    def of(
        cls,
        source: RecipeSource,
        overrides: Sequence[str] = (),
        axes: Sequence[SweepAxis] = (),
        exclude: Sequence[Mapping[str, Value]] = (),
    ) -> Sweep:
        """A sweep of axes in Hydra's grammar (`overrides`) or structured ones (`axes`); their values are checked.

        `exclude` are partial assignments, dotted path -> value: runs that agree with one of them are left out, and the
        others keep their numbers. Raises InputError for whatever is wrong with any of it; logs a warning for each value
        that has no effect.
        """
        given = parse_arguments(overrides).with_axes(axes_of(axes))
        base = compose(source, given.fixed)
        index = partial(indexed_path, base)
        swept = given.indexed(index).axes
        # Hydra's rules for an override: a key to change must be there, one to add must not.
        indexed_overrides(base, [axis.probe for axis in swept])
        blueprints = particle_blueprints(compose(source), base, swept)
        sweep = cls(source.name, swept, base, boxes_of(exclude, swept, index), blueprints)
        if not sweep.count:
            raise InputError("exclude", "leaves no run; take something out of it")
        idle = IdlePlaces()
        sentences: dict[str, None] = {}
        for recipe in sweep._corners():
            findings = list(without_effect(recipe))
            idle.narrow(findings)
            sentences |= dict.fromkeys(str(finding) for finding in findings if finding.is_mentioned)
        sweep._refuse_idle(idle)
        for sentence in sentences:
            _log.warning("%s: %s", source.name, sentence)
        return sweep

    def named(self, name: str | None) -> Sweep:
        """The sweep under a name for its dataset; None keeps the stem of the recipe's file.

        Raises InputError for what no dataset can be called.
        """
        given = self.name if name is None else name
        check_dataset_name(given)
        return replace(self, name=given)

    @cached_property
    def dimensions(self) -> tuple[int, ...]:
        """The grid's dimension in which each axis moves: those of a zip share one."""
        return dimensions_of(self.axes)

    @cached_property
    def grid(self) -> Grid:
        """Run numbers as places, those left out as well."""
        lengths = dict(zip(self.dimensions, (len(axis.values) for axis in self.axes), strict=True))
        return Grid(tuple(lengths.values()), self.boxes)

    @property
    def runs(self) -> int:
        """The product of the axes' lengths, 1 without axes: run numbers are below it, also those left out."""
        return self.grid.size

    @property
    def count(self) -> int:
        """N: runs that are not left out."""
        return self.grid.included

    def included(self, run: int) -> bool:
        """Whether a run is not left out. Raises InputError as `digits`."""
        self._refuse_outside(run)
        return not self.grid.leaves_out(self.grid.place(run))

    def digits(self, run: int) -> list[int]:
        """The index into each axis' values, by mixed-radix arithmetic. Raises InputError for numbers of no run."""
        self._refuse_outside(run)
        return self._digits_at(self.grid.place(run))

    def overrides(self, run: int) -> dict[str, Value]:
        """Dotted path -> value of each axis, in the axes' order."""
        return {axis.path: axis.values[digit] for axis, digit in zip(self.axes, self.digits(run), strict=True)}

    def words(self, run: int) -> str:
        """The overrides of a run as a sentence quotes them, long values shortened. Raises InputError as `digits`."""
        return self._words(self.digits(run))

    def recipe(self, run: int) -> Recipe:
        """The run's recipe. Raises InputError if its values, each of them good, do not fit together."""
        return self.recipe_at(self.digits(run))

    def recipe_at(self, digits: Sequence[int]) -> Recipe:
        """The recipe at an index into each axis' values."""
        try:
            return parse(self._resolved(digits))
        except InputError as error:
            if not self.axes:
                raise
            raise InputError(error.path, f"{error.problem} (in the run with {self._words(digits)})") from None

    def key(self, run: int) -> str:
        """The run's key, 64 hexadecimal digits."""
        return run_key(self.recipe(run))

    def keys(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The keys of runs start … stop - 1 in order, 32 bytes each, equal to `key` but many times faster.

        A run that is left out has `synth_api.key.EXCLUDED_KEY`. Memory does not grow with their number.
        Raises InputError at the first run whose values do not fit together.
        """
        return keys_of(self, start, self.runs if stop is None else min(stop, self.runs))

    def plan(self, output: str = "", batch_size: int | None = None) -> str:
        """The hash of the sweep's inputs, 64 hexadecimal digits: recipe, axes, exclude, engine and output.

        `output` is `Output.identity`, `batch_size` as written in the spec.
        """
        document = {
            "recipe": self.recipe_digest,
            "axes": [_written(axis) for axis in self.axes],
            "exclude": sorted(self._excluded(box) for box in self.boxes),
            "engine": ENGINE_VERSION,
            "output": output,
            "batchSize": batch_size or "auto",
        }
        return _digest(document)

    @property
    def recipe_digest(self) -> str:
        """sha256 of the composed recipe with its fixed overrides, 64 hexadecimal digits."""
        return _digest(self.base)

    def _excluded(self, box: Box) -> list[list[Any]]:
        return [[dimension, sorted(digits)] for dimension, digits in sorted(box.items())]

    def _refuse_outside(self, run: int) -> None:
        if not 0 <= run < self.runs:
            raise InputError("", f"there is no run {run}; this sweep has runs 0 to {self.runs - 1}")

    def _words(self, digits: Sequence[int]) -> str:
        texts = (override_text(axis.values[digit]) for axis, digit in zip(self.axes, digits, strict=True))
        short = (text if len(text) <= 60 else f"{text[:59]}…" for text in texts)
        return ", ".join(f"{axis.path}={text}" for axis, text in zip(self.axes, short, strict=True))

    def _resolved(self, digits: Sequence[int]) -> Any:
        tree: Any = self.base
        for axis, digit in zip(self.axes, digits, strict=True):
            tree = put(tree, path_of(axis.path), axis.values[digit])
        return resolve(tree)

    def _refuse_idle(self, idle: IdlePlaces) -> None:
        """Raise InputError for the axes of a dimension whose places are idle in all runs that were checked."""
        for dimension, axes in enumerate(self._axes_in):
            reason = idle.reason(axes)
            if reason and not any(axis.has_interpolations for axis in self.axes if axis not in axes):
                trees = (self._resolved(self._digits_at(place)) for _, place in self._checked_places(dimension))
                if idle.hold_all_differences(trees):
                    refuse_idle(axes, reason)

    @cached_property
    def _axes_in(self) -> list[list[Axis]]:
        """The axes of each dimension."""
        return [
            [axis for axis, its in zip(self.axes, self.dimensions, strict=True) if its == dimension]
            for dimension in range(len(self.grid.lengths))
        ]

    def _checked_places(self, dimension: int) -> Iterator[tuple[int, list[int]]]:
        """Each index to check in a dimension, and its place beside the first of the others, unless it is left out."""
        first = [0] * len(self._axes_in)
        for digit in sorted({0}.union(*(_checked(axis.values) for axis in self._axes_in[dimension]))):
            place = [*first[:dimension], digit, *first[dimension + 1 :]]
            if not self.grid.leaves_out(place):
                yield digit, place

    def _digits_at(self, place: Sequence[int]) -> list[int]:
        return [place[dimension] for dimension in self.dimensions]

    def _corners(self) -> Iterator[Recipe]:
        """Each value of each axis beside the first of the others; all largest ones together, for bounds on sums.

        Values that make the same run are refused. Places that are left out are not looked at: they may be left out
        because their values do not fit together.
        """
        for axes in self._axes_in:
            refuse_repeats(axes)
        yield from self._included([0] * len(self._axes_in))
        for dimension, axes in enumerate(self._axes_in):
            keys = {}
            for digit, place in self._checked_places(dimension):
                recipe = self.recipe_at(self._digits_at(place))
                keys[digit] = run_key(recipe)
                yield recipe
            refuse_same_run(axes, keys)
        for turn in range(max(map(len, self._axes_in), default=0)):
            yield from self._included([_largest(axes[min(turn, len(axes) - 1)].values) for axes in self._axes_in])

    def _included(self, place: Sequence[int]) -> Iterator[Recipe]:
        """The recipe of a place that is not left out."""
        if not self.grid.leaves_out(place):
            yield self.recipe_at(self._digits_at(place))


def _checked(values: Sequence[Value]) -> Iterable[int]:
    """The indices to check beside the first: bounds are intervals, so of numbers both ends vouch for the rest."""
    last = len(values) - 1
    if isinstance(values, range | DecimalRange):
        return [min(1, last), last]  # the second shows whether steps are whole
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
        return range(1, last + 1)
    smallest, largest = (choose(range(last + 1), key=values.__getitem__) for choose in (min, max))
    broken = next((digit for digit, value in enumerate(values) if isinstance(value, float)), 0)
    return [smallest, largest, broken]


def _largest(values: Sequence[Value]) -> int:
    """The index of the largest number; 0 where not all are numbers."""
    ends = {0, len(values) - 1} if isinstance(values, range | DecimalRange) else range(len(values))
    if not all(isinstance(values[digit], int | float) for digit in ends):
        return 0
    return max(ends, key=lambda digit: float(values[digit]))


def _written(axis: Axis) -> dict[str, Any]:
    zipped = {"zipped": True} if axis.zipped else {}
    values = axis.values
    if isinstance(values, range | DecimalRange):
        step = values[1] - values[0] if len(values) > 1 else 0
        return {"path": axis.path, "range": [values[0], step, len(values)], **zipped}
    return {"path": axis.path, "values": list(values), **zipped}


def _digest(tree: Any) -> str:
    return sha256(canonical_json(finite(tree))).hexdigest()
