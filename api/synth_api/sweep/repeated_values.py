"""Checks for repeated values of an axis: two runs would be the same picture, perhaps in two splits of a dataset."""

from __future__ import annotations

from math import ulp
from typing import TYPE_CHECKING, Final, NoReturn

from synth_api.canonical_json import canonical_json
from synth_api.errors import InputError
from synth_api.problems import quote_value
from synth_api.recipe.canonical_tree import LEFT_OUT
from synth_api.sweep.axis_values import DecimalRange, Value, replace_infinities

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from synth_api.sweep.axes import Axis

_SUFFIXES: Final = {1: "st", 2: "nd", 3: "rd"}


def check_repeated_values(axes: Sequence[Axis]) -> None:
    """Raise InputError if the axes of one dimension, one or several zipped, hold the same values at two positions.

    Values are equal if they are equal in a run key: `1`, `1.0` and `1e0`.
    """
    if any(_cannot_repeat(axis.values) for axis in axes):
        return
    positions: dict[bytes, int] = {}
    for position, values in enumerate(zip(*(axis.values for axis in axes), strict=True)):
        earlier = positions.setdefault(canonical_json(replace_infinities(list(values))), position)
        if earlier != position:
            raise InputError(axes[0].path, _describe_repeat(axes, earlier, position, "are the same"))


def check_repeated_runs(axes: Sequence[Axis], keys: Mapping[int, str]) -> None:
    """Raise InputError if the axes of one dimension have the same run key at two of these positions, position -> key.

    This happens with two spellings of one value, and with an axis that is not part of the key, such as `time`.
    """
    positions: dict[str, int] = {}
    for position, key in keys.items():
        earlier = positions.setdefault(key, position)
        if earlier == position:
            continue
        path = axes[0].path
        if path.rpartition(".")[2] in LEFT_OUT:
            raise InputError(path, "no picture or label depends on it, so every value is the same run; take it out")
        raise InputError(path, _describe_repeat(axes, earlier, position, "make the same run"))


def raise_idle_axes(axes: Sequence[Axis], reason: str) -> NoReturn:
    """Raise InputError for the axes of one dimension, because all that they change is without effect."""
    whose, them = ("it", "it") if len(axes) == 1 else ("the zipped axes", "them")
    raise InputError(axes[0].path, f"no picture or label depends on {whose}: {reason}; take {them} out")


def _describe_repeat(axes: Sequence[Axis], one: int, other: int, problem: str) -> str:
    written = " and ".join(dict.fromkeys((_format_values(axes, one), _format_values(axes, other))))
    whose = "the axis" if len(axes) == 1 else "the zipped axes"
    ordinals = f"the {_format_ordinal(one)} and the {_format_ordinal(other)} value"
    return f"{ordinals} of {whose} {problem}, {written}; take one of them out"


def _cannot_repeat(values: Sequence[Value]) -> bool:
    """Return True for ranges whose step exceeds the spacing of floats, so that rounded values stay different."""
    if isinstance(values, DecimalRange):
        return abs(values.step) > ulp(max(abs(values[0]), abs(values[-1])))
    return isinstance(values, range)


def _format_values(axes: Sequence[Axis], position: int) -> str:
    if len(axes) == 1:
        return quote_value(axes[0].values[position])
    return ", ".join(f"{axis.path}={quote_value(axis.values[position])}" for axis in axes)


def _format_ordinal(position: int) -> str:
    number = position + 1
    suffix = "th" if number % 100 in (11, 12, 13) else _SUFFIXES.get(number % 10, "th")
    return f"{number:,}{suffix}"
