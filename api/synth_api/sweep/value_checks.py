"""Checks of a sweep's values before any run: each composes, differs from the others and has an effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_api.recipe.ineffective_values import find_ineffective_values
from synth_api.recipe.run_key import compute_run_key
from synth_api.sweep.axis_values import DecimalRange
from synth_api.sweep.repeated_values import check_repeated_runs, check_repeated_values, raise_idle_axes
from synth_api.sweep.unused_axes import IdlePlaces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from synth_api.recipe.model import Recipe
    from synth_api.sweep.axis_values import Value
    from synth_api.sweep.run_space import RunSpace


def check_values(space: RunSpace) -> list[str]:
    """Check the values of all axes; return one sentence for each value of the recipe that has no effect.

    Raises InputError for a value that fits no recipe, for values that repeat and for axes without effect.
    """
    idle = IdlePlaces()
    sentences: dict[str, None] = {}
    for recipe in _build_corner_recipes(space):
        findings = list(find_ineffective_values(recipe))
        idle.narrow(findings)
        sentences |= dict.fromkeys(str(finding) for finding in findings if finding.is_mentioned)
    _refuse_idle_axes(space, idle)
    return list(sentences)


def _build_corner_recipes(space: RunSpace) -> Iterator[Recipe]:
    """Yield recipes with each value of each axis and the first of the others, and with all largest, to test sums.

    Values that make the same run are refused. Excluded places are not checked: their values may not fit together.
    """
    for axes in space.axes_by_dimension:
        check_repeated_values(axes)
    yield from _build_recipe(space, [0] * len(space.axes_by_dimension))
    for dimension, axes in enumerate(space.axes_by_dimension):
        keys = {}
        for digit, place in _iterate_places(space, dimension):
            recipe = space.build_recipe_at(space.find_digits_at(place))
            keys[digit] = compute_run_key(recipe)
            yield recipe
        check_repeated_runs(axes, keys)
    for turn in range(max(map(len, space.axes_by_dimension), default=0)):
        yield from _build_recipe(
            space, [_find_largest(axes[min(turn, len(axes) - 1)].values) for axes in space.axes_by_dimension]
        )


def _refuse_idle_axes(space: RunSpace, idle: IdlePlaces) -> None:
    """Raise InputError for the axes of a dimension whose places are idle in all runs that were checked."""
    for dimension, axes in enumerate(space.axes_by_dimension):
        reason = idle.find_reason(axes)
        if reason and not any(axis.has_interpolations for axis in space.axes if axis not in axes):
            trees = (space.resolve_tree(space.find_digits_at(place)) for _, place in _iterate_places(space, dimension))
            if idle.contains_differences(trees):
                raise_idle_axes(axes, reason)


def _iterate_places(space: RunSpace, dimension: int) -> Iterator[tuple[int, list[int]]]:
    """Yield each index to check in a dimension, and its place with the first of the others, unless it is excluded."""
    first = [0] * len(space.axes_by_dimension)
    for digit in sorted({0}.union(*(_sample_digits(axis.values) for axis in space.axes_by_dimension[dimension]))):
        place = [*first[:dimension], digit, *first[dimension + 1 :]]
        if not space.grid.is_excluded(place):
            yield digit, place


def _build_recipe(space: RunSpace, place: Sequence[int]) -> Iterator[Recipe]:
    """Yield the recipe of a place unless it is excluded."""
    if not space.grid.is_excluded(place):
        yield space.build_recipe_at(space.find_digits_at(place))


def _sample_digits(values: Sequence[Value]) -> Iterable[int]:
    """Return the indices to check beside the first: of numbers both ends, because bounds are intervals."""
    last = len(values) - 1
    if isinstance(values, range | DecimalRange):
        return [min(1, last), last]  # the second shows whether steps are whole
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
        return range(1, last + 1)
    smallest, largest = (choose(range(last + 1), key=values.__getitem__) for choose in (min, max))
    broken = next((digit for digit, value in enumerate(values) if isinstance(value, float)), 0)
    return [smallest, largest, broken]


def _find_largest(values: Sequence[Value]) -> int:
    """Return the index of the largest number; 0 where not all are numbers."""
    ends = {0, len(values) - 1} if isinstance(values, range | DecimalRange) else range(len(values))
    if not all(isinstance(values[digit], int | float) for digit in ends):
        return 0
    return max(ends, key=lambda digit: float(values[digit]))
