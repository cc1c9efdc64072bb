"""Runs of a composed recipe and its axes: run numbers, places, overrides and recipes, by arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from synth_api.composition.compose import resolve
from synth_api.composition.interpolation import find_reference
from synth_api.composition.overrides import format_override_value
from synth_api.errors import InputError
from synth_api.recipe.parsing import parse_recipe
from synth_api.recipe.run_key import compute_run_key
from synth_api.recipe.traced_pictures import has_traced_pictures
from synth_api.sweep.grid import Box, Grid
from synth_api.sweep.structured_axes import assign_dimensions
from synth_api.sweep.tree_paths import merge_value, parse_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth_api.recipe.model import Recipe
    from synth_api.sweep.axes import Axis
    from synth_api.sweep.axis_values import Value


_DECIDES_TRACING: Final = ("measurement_technique_prototype_name", "rendering_mode")
"""Ends of the paths of axes along which some pictures may be traced and others not."""


@dataclass(frozen=True, kw_only=True)
class RunSpace:
    """Product of the axes over one recipe, its runs numbered 0 to N - 1, the last axis fastest."""

    axes: tuple[Axis, ...]
    base: dict[str, Any]
    """The recipe, composed once with its fixed overrides; it still holds its interpolations."""
    boxes: tuple[Box, ...] = ()
    """Places of the grid whose runs are excluded."""

    @cached_property
    def dimensions(self) -> tuple[int, ...]:
        """Dimension of the grid for each axis; the axes of a zip share one."""
        return assign_dimensions(self.axes)

    @cached_property
    def grid(self) -> Grid:
        """Run numbers as places, excluded ones included."""
        lengths = dict(zip(self.dimensions, (len(axis.values) for axis in self.axes), strict=True))
        return Grid(tuple(lengths.values()), self.boxes)

    @property
    def runs(self) -> int:
        """Number of all runs, excluded ones included: the product of the axes' lengths, 1 without axes."""
        return self.grid.size

    @property
    def count(self) -> int:
        """Number of runs that are not excluded."""
        return self.grid.included_count

    @cached_property
    def axes_by_dimension(self) -> list[list[Axis]]:
        """Axes of each dimension: one, or those of a zip."""
        return [
            [axis for axis, its in zip(self.axes, self.dimensions, strict=True) if its == dimension]
            for dimension in range(len(self.grid.lengths))
        ]

    def is_included(self, run: int) -> bool:
        """Return True if a run is not excluded. Raises InputError as `find_digits`."""
        self._check_run(run)
        return not self.grid.is_excluded(self.grid.find_place(run))

    def find_first_run(self) -> int:
        """Return the number of the first run that is not excluded."""
        return next(run for run in range(self.runs) if self.is_included(run))

    def find_digits(self, run: int) -> list[int]:
        """Return the index into each axis' values, by mixed-radix arithmetic. Raises InputError outside the runs."""
        self._check_run(run)
        return self.find_digits_at(self.grid.find_place(run))

    def overrides(self, run: int) -> dict[str, Value]:
        """Return dotted path -> value of each axis, in the axes' order."""
        return {axis.path: axis.values[digit] for axis, digit in zip(self.axes, self.find_digits(run), strict=True)}

    def describe_run(self, run: int) -> str:
        """Return the overrides of a run for a message, long values shortened. Raises InputError as `find_digits`."""
        return self._describe_digits(self.find_digits(run))

    def build_recipe(self, run: int) -> Recipe:
        """Return the run's recipe. Raises InputError if its values are invalid together."""
        return self.build_recipe_at(self.find_digits(run))

    def build_recipe_at(self, digits: Sequence[int]) -> Recipe:
        """Return the recipe at an index into each axis' values."""
        try:
            tree = self._merge_tree(digits)
            return _parse_tree(tree, resolve(tree))
        except InputError as error:
            if not self.axes:
                raise
            raise InputError(error.path, f"{error.problem} (in the run with {self._describe_digits(digits)})") from None

    @cached_property
    def has_traced_pictures(self) -> bool:
        """True if Cycles traces pictures of the runs; also if it may, since an axis decides or run 0 is impossible."""
        if any(axis.path.endswith(_DECIDES_TRACING) for axis in self.axes):
            return True
        try:
            return has_traced_pictures(self.build_recipe(0))
        except InputError:
            return True

    def key(self, run: int) -> str:
        """Return the run's key, 64 hexadecimal digits."""
        return compute_run_key(self.build_recipe(run))

    def find_digits_at(self, place: Sequence[int]) -> list[int]:
        """Return the index into each axis' values at a place of the grid."""
        return [place[dimension] for dimension in self.dimensions]

    def resolve_tree(self, digits: Sequence[int]) -> Any:
        """Return the recipe's tree at an index into each axis' values, its interpolations resolved."""
        return resolve(self._merge_tree(digits))

    def _merge_tree(self, digits: Sequence[int]) -> Any:
        tree: Any = self.base
        for axis, digit in zip(self.axes, digits, strict=True):
            tree = merge_value(tree, parse_path(axis.path), axis.values[digit])
        return tree

    def _check_run(self, run: int) -> None:
        if not 0 <= run < self.runs:
            raise InputError("", f"there is no run {run}; this sweep has runs 0 to {self.runs - 1}")

    def _describe_digits(self, digits: Sequence[int]) -> str:
        texts = (format_override_value(axis.values[digit]) for axis, digit in zip(self.axes, digits, strict=True))
        short = (text if len(text) <= 60 else f"{text[:59]}…" for text in texts)
        return ", ".join(f"{axis.path}={text}" for axis, text in zip(self.axes, short, strict=True))


def _parse_tree(written: Any, resolved: Any) -> Recipe:
    """Return the recipe of a resolved tree. Raises InputError that also names what a value refers to."""
    try:
        return parse_recipe(resolved)
    except InputError as error:
        reference = find_reference(written, error.path)
        if reference is None:
            raise
        raise InputError(error.path, f"{error.problem} (the value of {reference})") from None
