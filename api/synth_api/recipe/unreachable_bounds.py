"""Check that draws can lie between the bounds of a distribution: a run would draw in vain, and fail."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from synth_api.errors import InputError
from synth_api.recipe.variabilities import (
    Choice,
    Constant,
    LogNormal,
    LogUniform,
    Normal,
    UniformDistributionNdHomogeneous,
)

if TYPE_CHECKING:
    from synth_api.recipe.variabilities import Variability

FARTHEST: Final = 6.0
"""Standard deviations beyond which a bound is out of reach: one value in 10,000 meets it within the 100,000 draws
after which a run fails.
"""


def check_reach(variability: Variability) -> None:
    """Raise InputError, its path `min` or `max`, if hardly any draw of a converted variability meets that bound."""
    match variability:
        case Normal():
            middle, spread = _find_range(variability.mean), _find_range(variability.standard_deviation)
            _check_distance(variability, middle, spread, "mean and standard_deviation")
        case LogNormal() if variability.weighting == "number":
            middle, spread = _find_range(variability.median), _find_range(variability.geometric_standard_deviation)
            _check_distance(variability, _take_logarithm(middle), _take_logarithm(spread), "median and"
                            " geometric_standard_deviation")  # fmt: skip


def _check_distance(
    variability: Normal | LogNormal, middle: tuple[float, float], spread: tuple[float, float], parameters: str
) -> None:
    low, high = middle
    is_logarithmic = isinstance(variability, LogNormal)
    for name, sign, nearest in (("min", 1, high), ("max", -1, low)):
        bound = getattr(variability, name)
        if bound is None or (is_logarithmic and bound <= 0):
            continue
        distance = sign * ((math.log(bound) if is_logarithmic else bound) - nearest)
        if distance > FARTHEST * spread[1]:
            side, change = ("above", "smaller") if sign > 0 else ("below", "larger")
            raise InputError(
                name, f"with this {parameters}, hardly any draw is {side} {bound:g}; give a {change} {name}, or leave"
                " it out")  # fmt: skip


def _find_range(parameter: Any) -> tuple[float, float]:
    """Return the smallest and the largest value of a parameter; infinite where they are not known."""
    match parameter:
        case int() | float():
            return parameter, parameter
        case Constant():
            return parameter.value, parameter.value
        case LogUniform() if parameter.unit == "feature":
            return parameter.min, parameter.max
        case UniformDistributionNdHomogeneous():
            ends = (parameter.location, parameter.location + parameter.scale)
            return min(ends), max(ends)
        case Choice():
            return min(parameter.values), max(parameter.values)
    return -math.inf, math.inf


def _take_logarithm(ends: tuple[float, float]) -> tuple[float, float]:
    low, high = (math.log(end) if end > 0 else -math.inf for end in ends)
    return low, high
