"""Draws from variabilities. Every number is rounded to float32 before use.

The rounding absorbs last-bit differences of log, exp and cos between processors, so that labels do not depend on them.
"""

from __future__ import annotations

import colorsys
import math
import struct
from dataclasses import dataclass
from functools import partial, singledispatch
from typing import TYPE_CHECKING, Any, Final

from synth_api.recipe.node import Builtin
from synth_api.recipe.variabilities import (
    SHAPE_OF_ENDLESS_NUMBER,
    Choice,
    Constant,
    ConstantHsvColorAsRgb,
    LogNormal,
    LogNormal3dHomogeneous,
    LogUniform,
    Normal,
    NumberVariability,
    ParametricVariability,
    RandomHsvColorAsRgb,
    Sometimes,
    UniformDistribution3dHomogeneous,
    UniformDistributionInt,
    UniformDistributionNdHomogeneous,
    UniformlyRandomLocationInMeasurementVolume,
    Weibull,
)
from synth_renderer.model.errors import DrawError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from synth_api.prototypes.feature import FeatureValue
    from synth_api.recipe.variabilities import Variability
    from synth_renderer.model.staged_scene import Box
    from synth_renderer.randomness.streams import Stream

MAX_DRAWS: Final = 100_000
"""Draws before a DrawError. Bounds that hold one draw in ten thousand fail for one value in 20,000."""

_MAX_EXPONENT: Final = 88.0
"""Exponents above it exceed float32: ln(3.4e38) = 88.7."""
_NO_POWER: Final = 1e-8
"""A power up to this gives the same float32 as the logarithm in its place."""


@dataclass(frozen=True)
class Scale:
    """References of lengths: the measurement volume, world frame, scene units, and the width of a pixel.

    `pixel` is None in perspective.
    """

    volume: Box
    pixel: float | None = None


def draw_value(variability: Variability, stream: Stream, scale: Scale) -> FeatureValue:
    """Return one value of the variability.

    Vectors are tuples of 3, colours scene-linear RGBA tuples of 4. Integers, strings and bools stay as they are.
    Raises DrawError if bounds are never met, a number is beyond float32 or a length in pixels has no meaning.
    """
    return _round_to_float32(_sample(variability, stream, scale))


def draw_parameters(variability: Variability, stream_of: Callable[[str], Stream], scale: Scale) -> Variability:
    """Return the variability with its per-run parameters drawn, each from its own stream.

    `stream_of` gives the stream of a parameter by its name.
    """
    if isinstance(variability, Sometimes):
        return variability.model_copy(
            update={"variability": draw_parameters(variability.variability, stream_of, scale)}
        )
    if not isinstance(variability, ParametricVariability):
        return variability
    nodes = {name: getattr(variability, name) for name in variability.parameters}
    drawn = {
        name: draw_value(node, stream_of(name), scale)  # type: ignore[arg-type]
        for name, node in nodes.items()
        if isinstance(node, Builtin)
    }
    return variability.model_copy(update=drawn) if drawn else variability


def to_float32(value: float) -> float:
    """Return the nearest float32, as a float. Raises DrawError beyond its range."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        raise DrawError(f"the drawn value {value} is beyond float32; choose smaller parameters") from None


def _round_to_float32(value: FeatureValue) -> FeatureValue:
    if isinstance(value, float):
        return to_float32(value)
    if isinstance(value, tuple):
        return tuple(to_float32(component) for component in value)
    return value


@singledispatch
def _sample(variability: object, _stream: Stream, _scale: Scale) -> FeatureValue:
    raise NotImplementedError(f"no sampler for {type(variability).__name__}")


@_sample.register(Constant)
def _constant(variability: Constant, _stream: Stream, _scale: Scale) -> FeatureValue:
    value: FeatureValue = variability.value
    return value


@_sample.register(UniformDistribution3dHomogeneous)
def _uniform_3d(variability: UniformDistribution3dHomogeneous, stream: Stream, _scale: Scale) -> FeatureValue:
    """One draw, three equal numbers in [location, location + scale]."""
    return (variability.location + stream.draw_uniform() * variability.scale,) * 3


@_sample.register(UniformDistributionNdHomogeneous)
def _uniform_nd(variability: UniformDistributionNdHomogeneous, stream: Stream, _scale: Scale) -> FeatureValue:
    """One draw; a number, or `num_dimensions` equal ones."""
    value = variability.location + stream.draw_uniform() * variability.scale
    return value if variability.num_dimensions == 1 else (value,) * variability.num_dimensions


@_sample.register(LogNormal3dHomogeneous)
def _log_normal_3d(variability: LogNormal3dHomogeneous, stream: Stream, _scale: Scale) -> FeatureValue:
    """exp(ln gm + z ln gsd) with z standard normal, drawn again until its float32 lies strictly between the bounds."""
    name = (
        f"a log-normal of geometric mean {variability.geometric_mean} and geometric standard deviation "
        f"{variability.geometric_standard_deviation}"
    )
    mean, deviation = math.log(variability.geometric_mean), math.log(variability.geometric_standard_deviation)
    value = _sample_between(
        lambda: _exp(mean + stream.draw_normal() * deviation), variability.min, variability.max, name
    )
    return (value,) * 3


def _exp(exponent: float) -> float:
    """Return exp(exponent), infinity beyond float32."""
    return math.exp(exponent) if exponent < _MAX_EXPONENT else math.inf


def _sample_between(candidate: Callable[[], float], lower: float | None, upper: float | None, name: str) -> float:
    """Return the first candidate whose float32 lies strictly between the bounds. Raises DrawError with `name`."""
    low = -math.inf if lower is None else lower
    high = math.inf if upper is None else upper
    for _ in range(MAX_DRAWS):
        value = candidate()
        if value < math.inf and low < (value := to_float32(value)) < high:
            return value
    raise DrawError(f"{name} met none of {MAX_DRAWS} draws between {low} and {high}; widen the bounds")


@_sample.register(UniformlyRandomLocationInMeasurementVolume)
def _location(_variability: UniformlyRandomLocationInMeasurementVolume, stream: Stream, scale: Scale) -> FeatureValue:
    """Three draws, in the order x, y, z."""
    return tuple(
        lower + stream.draw_uniform() * (upper - lower)
        for lower, upper in zip(scale.volume.lower, scale.volume.upper, strict=True)
    )


@_sample.register(ConstantHsvColorAsRgb)
def _constant_hsv(variability: ConstantHsvColorAsRgb, _stream: Stream, _scale: Scale) -> FeatureValue:
    """HSV to RGB, taken as scene-linear without gamma."""
    return (
        *colorsys.hsv_to_rgb(variability.hue, variability.saturation, variability.value),
        variability.alpha,
    )


@_sample.register(RandomHsvColorAsRgb)
def _random_hsv(variability: RandomHsvColorAsRgb, stream: Stream, _scale: Scale) -> FeatureValue:
    """Three draws, in the order h, s, v, each uniform between its bounds."""
    bounds = (
        (variability.h_min, variability.h_max),
        (variability.s_min, variability.s_max),
        (variability.v_min, variability.v_max),
    )
    h, s, v = (low + stream.draw_uniform() * (high - low) for low, high in bounds)
    return (*colorsys.hsv_to_rgb(h, s, v), variability.alpha)


@_sample.register(UniformDistributionInt)
def _uniform_int(variability: UniformDistributionInt, stream: Stream, _scale: Scale) -> FeatureValue:
    """An integer in location … location + scale - 1."""
    return variability.location + stream.draw_below(variability.scale)


@_sample.register(LogUniform)
def _log_uniform(variability: LogUniform, stream: Stream, scale: Scale) -> FeatureValue:
    """exp(ln min + u (ln max - ln min))."""
    low, high = math.log(variability.min), math.log(variability.max)
    return _to_scene_units(variability, math.exp(low + stream.draw_uniform() * (high - low)), scale)


@_sample.register(Normal)
def _normal(variability: Normal, stream: Stream, scale: Scale) -> FeatureValue:
    """mean + z standard_deviation with z standard normal."""
    mean, deviation = _number(variability.mean), _number(variability.standard_deviation)
    name = f"a normal distribution of mean {mean} and standard deviation {deviation}"
    value = _sample_between(lambda: mean + stream.draw_normal() * deviation, variability.min, variability.max, name)
    return _to_scene_units(variability, value, scale)


@_sample.register(LogNormal)
def _log_normal(variability: LogNormal, stream: Stream, scale: Scale) -> FeatureValue:
    """exp(ln median + z ln gsd) with z standard normal.

    The median by number of a distribution by mass is exp(-3 ln^2 gsd) times its own (T. Hatch, S. P. Choate,
    Statistical description of the size properties of non uniform particulate substances, Journal of the Franklin
    Institute 207, 1929).
    """
    median, deviation = _number(variability.median), _number(variability.geometric_standard_deviation)
    name = f"a log-normal of median {median} and geometric standard deviation {deviation}"
    if median <= 0 or deviation <= 0:
        raise DrawError(f"{name} does not exist; both must be positive")
    log_median, width = math.log(median), math.log(deviation)
    if variability.weighting == "mass":
        log_median -= 3 * width * width
    value = _sample_between(
        lambda: _exp(log_median + stream.draw_normal() * width), variability.min, variability.max, name
    )
    return _to_scene_units(variability, value, scale)


@_sample.register(Weibull)
def _weibull(variability: Weibull, stream: Stream, scale: Scale) -> FeatureValue:
    """characteristic e^(1 / shape), e standard exponential by number, and of `_draw_exponential_by_mass` by mass."""
    characteristic, shape = _number(variability.characteristic), _number(variability.shape)
    name = f"a Weibull distribution of characteristic {characteristic} and shape {shape}"
    if characteristic <= 0 or shape <= 0:
        raise DrawError(f"{name} does not exist; both must be positive")
    draw = partial(_draw_exponential, stream)
    if variability.weighting == "mass":
        lowest = max(variability.min or 0.0, 0.0) / characteristic
        if lowest == 0 and shape <= SHAPE_OF_ENDLESS_NUMBER:
            raise DrawError(f"{name} by mass has endlessly many small particles; give a min above 0")
        draw = partial(_draw_exponential_by_mass, stream, shape, lowest)
    try:
        value = _sample_between(
            lambda: characteristic * math.pow(draw(), 1 / shape), variability.min, variability.max, name
        )
    except OverflowError:
        raise DrawError(
            f"{name} leads to numbers beyond float64 between {variability.min} and {variability.max}; give bounds"
            " nearer to the characteristic, or another shape"
        ) from None
    return _to_scene_units(variability, value, scale)


def _draw_exponential(stream: Stream) -> float:
    """Return -ln(1 - u), standard exponential."""
    return -math.log(1.0 - stream.draw_uniform())


def _draw_exponential_by_mass(stream: Stream, shape: float, lowest: float) -> float:
    """Return y = (x / characteristic)^shape of a size x drawn by number from a Weibull distribution by mass.

    `lowest` is the smallest x, in characteristics. By mass, y is standard exponential (P. Rosin, E. Rammler, The laws
    governing the fineness of powdered coal, Journal of the Institute of Fuel 7, 1933). The mass of a particle goes as
    x^3, so the density of y by number is y^-a exp(-y), a = 3 / shape. It lies below y^-a up to y = 1, and below exp(-y)
    from there on: a point below the one or the other is drawn until it lies below the density.
    """
    power, start = 3.0 / shape, math.pow(lowest, shape)
    middle, first = max(1.0, start), math.exp(-start)
    smaller = first * _integrate_power(start, middle, power)
    larger = math.pow(middle, -power) * math.exp(-middle)
    while True:
        area = stream.draw_uniform() * (smaller + larger)
        if area < smaller:
            value = _find_end_of_power(start, area / first, power)
            density = math.exp(start - value)
        else:
            value = middle + _draw_exponential(stream)
            density = math.pow(middle / value, power)
        if stream.draw_uniform() < density:
            return value


def _integrate_power(start: float, end: float, power: float) -> float:
    """Return the area below y^-power from start to end; start is above 0 where power is 1 or more."""
    rest = 1.0 - power
    if abs(rest) < _NO_POWER:
        return math.log(end / start)
    return (math.pow(end, rest) - math.pow(start, rest)) / rest


def _find_end_of_power(start: float, area: float, power: float) -> float:
    """Return the end to which the area below y^-power from start is that given."""
    rest = 1.0 - power
    if abs(rest) < _NO_POWER:
        return start * math.exp(area)
    return math.pow(math.pow(start, rest) + rest * area, 1.0 / rest)


def _number(parameter: Any) -> float:
    """Return a parameter that is a number, or that `draw_parameters` has drawn."""
    return float(parameter)


def _to_scene_units(variability: NumberVariability, value: float, scale: Scale) -> FeatureValue:
    """Return the value in scene units, repeated for every component."""
    if variability.unit == "px":
        if scale.pixel is None:
            raise DrawError("a length in pixels has no meaning here: the view is in perspective; give scene units")
        value = to_float32(value) * scale.pixel
    return value if variability.num_dimensions == 1 else (value,) * variability.num_dimensions


@_sample.register(Choice)
def _choice(variability: Choice, stream: Stream, _scale: Scale) -> FeatureValue:
    """The first value at which the weights' running sum exceeds u times their sum."""
    weights = variability.weights or (1.0,) * len(variability.values)
    value: FeatureValue = variability.values[choose_index(weights, stream.draw_uniform())]
    return value


def choose_index(weights: Sequence[float], u: float) -> int:
    """Return the first index at which the running sum exceeds u times the sum; 0 <= u < 1, not all weights are 0."""
    goal, running, last = u * sum(weights), 0.0, 0
    for index, weight in enumerate(weights):
        running += weight
        if weight:
            last = index
        if running > goal:
            break
    return last


@_sample.register(Sometimes)
def _sometimes(variability: Sometimes, stream: Stream, scale: Scale) -> FeatureValue:
    """The constant where u is at least the share; else a draw from the rest of the stream."""
    if stream.draw_uniform() >= variability.share:
        value: FeatureValue = variability.otherwise
        return value
    return _sample(variability.variability, stream, scale)
