"""What a variability draws from its stream. Every number is rounded to float32 before use.

The rounding absorbs last-bit differences of log, exp and cos between processors, so that labels do not depend on them.
"""

from __future__ import annotations

import colorsys
import math
import struct
from functools import singledispatch
from typing import TYPE_CHECKING, Final

from synth_api.recipe.variabilities import (
    Constant,
    ConstantHsvColorAsRgb,
    LogNormal3dHomogeneous,
    RandomHsvColorAsRgb,
    UniformDistribution3dHomogeneous,
    UniformDistributionInt,
    UniformDistributionNdHomogeneous,
    UniformlyRandomLocationInMeasurementVolume,
)

if TYPE_CHECKING:
    from synth_api.prototypes import FeatureValue
    from synth_api.recipe.variabilities import Variability
    from synth_renderer.scene.staged import Box
    from synth_renderer.streams import Stream

MAX_DRAWS: Final = 100_000
"""Even bounds that hold one draw in ten thousand are missed so often only once in 20,000 values."""

_LARGEST_EXPONENT: Final = 88.0
"""exp of more is beyond float32."""


class DrawError(RuntimeError):
    """A value that cannot be drawn, with the reason as one sentence."""


def draw(variability: Variability, stream: Stream, volume: Box) -> FeatureValue:
    """One value of the variability; `volume` is the measurement volume, world frame, scene units.

    Vectors are tuples of 3, colours scene-linear RGBA tuples of 4. Integers, strings and bools stay as they are.
    Raises DrawError if bounds are never met or a number is beyond float32.
    """
    return _rounded(_draw(variability, stream, volume))


def to_float32(value: float) -> float:
    """The nearest float32, as a float. Raises DrawError beyond its range."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        raise DrawError(f"the drawn value {value} is beyond float32; choose smaller parameters") from None


def _rounded(value: FeatureValue) -> FeatureValue:
    if isinstance(value, float):
        return to_float32(value)
    if isinstance(value, tuple):
        return tuple(to_float32(component) for component in value)
    return value


@singledispatch
def _draw(variability: object, _stream: Stream, _volume: Box) -> FeatureValue:
    raise NotImplementedError(f"no sampler for {type(variability).__name__}")


@_draw.register(Constant)
def _constant(variability: Constant, _stream: Stream, _volume: Box) -> FeatureValue:
    value: FeatureValue = variability.value
    return value


@_draw.register(UniformDistribution3dHomogeneous)
def _uniform_3d(variability: UniformDistribution3dHomogeneous, stream: Stream, _volume: Box) -> FeatureValue:
    """One draw, three equal numbers in [location, location + scale]."""
    return (variability.location + stream.uniform() * variability.scale,) * 3


@_draw.register(UniformDistributionNdHomogeneous)
def _uniform_nd(variability: UniformDistributionNdHomogeneous, stream: Stream, _volume: Box) -> FeatureValue:
    """One draw; a number, or `num_dimensions` equal ones."""
    value = variability.location + stream.uniform() * variability.scale
    return value if variability.num_dimensions == 1 else (value,) * variability.num_dimensions


@_draw.register(LogNormal3dHomogeneous)
def _log_normal(variability: LogNormal3dHomogeneous, stream: Stream, _volume: Box) -> FeatureValue:
    """exp(ln gm + z ln gsd) with z standard normal, drawn anew until its float32 lies strictly between the bounds."""
    mean = math.log(variability.geometric_mean)
    deviation = math.log(variability.geometric_standard_deviation)
    lower = -math.inf if variability.min is None else variability.min
    upper = math.inf if variability.max is None else variability.max
    for _ in range(MAX_DRAWS):
        exponent = mean + stream.normal() * deviation
        if exponent < _LARGEST_EXPONENT and lower < (value := to_float32(math.exp(exponent))) < upper:
            return (value,) * 3
    raise DrawError(
        f"a log-normal of geometric mean {variability.geometric_mean} and geometric standard deviation "
        f"{variability.geometric_standard_deviation} met none of {MAX_DRAWS} draws between {lower} and {upper}; "
        "widen the bounds"
    )


@_draw.register(UniformlyRandomLocationInMeasurementVolume)
def _location(_variability: UniformlyRandomLocationInMeasurementVolume, stream: Stream, volume: Box) -> FeatureValue:
    """Three draws, in the order x, y, z."""
    return tuple(
        lower + stream.uniform() * (upper - lower) for lower, upper in zip(volume.lower, volume.upper, strict=True)
    )


@_draw.register(ConstantHsvColorAsRgb)
def _constant_hsv(variability: ConstantHsvColorAsRgb, _stream: Stream, _volume: Box) -> FeatureValue:
    """HSV to RGB, taken as scene-linear without gamma."""
    return (
        *colorsys.hsv_to_rgb(variability.hue, variability.saturation, variability.value),
        variability.alpha,
    )


@_draw.register(RandomHsvColorAsRgb)
def _random_hsv(variability: RandomHsvColorAsRgb, stream: Stream, _volume: Box) -> FeatureValue:
    """Three draws, in the order h, s, v, each uniform between its bounds."""
    bounds = (
        (variability.h_min, variability.h_max),
        (variability.s_min, variability.s_max),
        (variability.v_min, variability.v_max),
    )
    h, s, v = (low + stream.uniform() * (high - low) for low, high in bounds)
    return (*colorsys.hsv_to_rgb(h, s, v), variability.alpha)


@_draw.register(UniformDistributionInt)
def _uniform_int(variability: UniformDistributionInt, stream: Stream, _volume: Box) -> FeatureValue:
    """An integer in location … location + scale - 1."""
    return variability.location + stream.below(variability.scale)
