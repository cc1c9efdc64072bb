"""Conversion of a custom resource's axes and exclusions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from synth_api.canonical_json import canonical_json
from synth_api.composition.plain_values import check_plain
from synth_api.errors import InputError, suggest_name
from synth_api.problems import quote_value
from synth_api.sweep.axes import Axis, parse_axis_key
from synth_api.sweep.axis_values import DecimalRange, Value, build_range, find_position, replace_infinities

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from synth_api.resources.synth_sweep import AxisSpec, SingleAxis
    from synth_api.sweep.grid import Box

_MAX_STRING: Final = 4096


def build_axes(written: Iterable[AxisSpec]) -> tuple[Axis, ...]:
    """Return the axes of `spec.axes`, those of a zip one behind the other.

    Raises InputError for invalid paths and values, and for zips of unequal lengths.
    """
    axes: list[Axis] = []
    for number, axis in enumerate(written):
        where = f"axes[{number}]"
        if axis.zip is None:
            axes.append(_build_axis(where, axis, zipped=False))
        elif axis.path is not None or axis.values is not None or axis.range is not None:
            raise InputError(where, "has zip and, beside it, path, values or range; move these into the zip")
        else:
            axes += _build_zip(f"{where}.zip", axis.zip)
    return tuple(axes)


def build_boxes(
    excluded: Iterable[Mapping[str, Value]], axes: Sequence[Axis], index: Callable[[str], str]
) -> tuple[Box, ...]:
    """Return the boxes that exclude runs from the grid of these axes; `index` replaces step ids in paths by indices.

    Raises InputError for paths and values that no axis has, and values of a zip that never occur together.
    """
    return tuple(
        _build_box(f"exclude[{number}]", assignment, axes, index) for number, assignment in enumerate(excluded)
    )


def assign_dimensions(axes: Iterable[Axis]) -> tuple[int, ...]:
    """Return the dimension of each axis in the sweep's grid: those of a zip share one."""
    dimensions: list[int] = []
    for axis in axes:
        dimensions.append(len(set(dimensions)) - axis.zipped)
    return tuple(dimensions)


def _build_axis(where: str, axis: SingleAxis | AxisSpec, *, zipped: bool) -> Axis:
    if axis.path is None:
        raise InputError(where, "an axis needs a path, or zip; write the dotted path of a value in the recipe")
    try:
        sign, path = parse_axis_key(axis.path)
    except InputError as error:
        raise InputError(f"{where}.path", f"'{axis.path}' is not valid: {error.problem}") from None
    if (axis.values is None) == (axis.range is None):
        raise InputError(where, f"the axis of '{path}' needs either values or range; write one of them")
    if axis.range is not None:
        return Axis(sign, path, build_range(path, axis.range.start, axis.range.stop, axis.range.step), zipped)
    values = list(axis.values or ())
    if not values:
        raise InputError(f"{where}.values", f"the axis of '{path}' has no values; write them")
    check_plain(f"{where}.values", values)
    _check_lengths(f"{where}.values", values)
    return Axis(sign, path, tuple(values), zipped)


def _build_zip(where: str, axes: Sequence[SingleAxis]) -> list[Axis]:
    result = [_build_axis(f"{where}[{number}]", axis, zipped=number > 0) for number, axis in enumerate(axes)]
    lengths = {len(axis.values) for axis in result}
    if len(lengths) > 1:
        written = ", ".join(f"'{axis.path}' has {len(axis.values):,}" for axis in result)
        raise InputError(where, f"zipped axes need equally many values: {written}")
    return result


def _check_lengths(where: str, value: Any) -> None:
    if isinstance(value, str) and len(value) > _MAX_STRING:
        raise InputError(where, f"a text has {len(value):,} characters, an axis at most {_MAX_STRING:,}; shorten it")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_lengths(where, item)


def _build_box(where: str, assignment: Mapping[str, Value], axes: Sequence[Axis], index: Callable[[str], str]) -> Box:
    if not assignment:
        raise InputError(where, "is empty and would leave out every run; write path: value, or take it out")
    numbers = {axis.path: number for number, axis in enumerate(axes)}
    dimensions = assign_dimensions(axes)
    box: dict[int, frozenset[int]] = {}
    for written, value in assignment.items():
        path = index(written.lstrip("+"))
        if path not in numbers:
            raise InputError(where, f"there is no axis '{written}'; {suggest_name(path, numbers)}")
        digits = _find_digits(axes[numbers[path]].values, value)
        if not digits:
            raise InputError(where, f"the axis '{path}' has no value {quote_value(value)}")
        dimension = dimensions[numbers[path]]
        box[dimension] = digits & box.get(dimension, digits)
        if not box[dimension]:
            raise InputError(where, f"no run has this value of '{path}' together with the others; they are zipped")
    return box


def _find_digits(values: Sequence[Value], value: Value) -> frozenset[int]:
    """Return the indices of a value on an axis; values are equal as JSON, `1` = `1.0`."""
    if isinstance(values, range | DecimalRange):
        place = find_position(values, value)
        return frozenset() if place is None else frozenset({place})
    wanted = canonical_json(replace_infinities(value))
    return frozenset(digit for digit, other in enumerate(values) if canonical_json(replace_infinities(other)) == wanted)
