"""Variabilities: what a feature's new value is drawn from."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

from pydantic import BeforeValidator, Field, model_validator

from synth_api.recipe.node import Builtin, ByTarget, Float, Int, Share, legacy_targets
from synth_api.recipe.values import plain_value


class Constant(Builtin):
    """The value itself, in the feature's own type; lists become tuples."""

    value: Annotated[Any, BeforeValidator(plain_value)]


class UniformDistribution3dHomogeneous(Builtin):
    """One draw, three equal numbers in [location, location + scale]; in the feature's unit."""

    location: Float
    scale: Float
    """The width of the range."""


class UniformDistributionNdHomogeneous(Builtin):
    """One draw in [location, location + scale]: a number, or `num_dimensions` equal ones; in the feature's unit."""

    location: Float
    scale: Float
    """The width of the range."""
    num_dimensions: Annotated[Int, Field(ge=1, le=16)] = 1


class LogNormal3dHomogeneous(Builtin):
    """One log-normal draw, three equal numbers, drawn anew until it lies strictly between `min` and `max`."""

    geometric_mean: Annotated[Float, Field(gt=0)]
    geometric_standard_deviation: Annotated[Float, Field(ge=1)]
    """A factor; 1 means no variation."""
    min: Float | None = None
    max: Float | None = None

    @model_validator(mode="after")
    def _possible(self) -> LogNormal3dHomogeneous:
        if self.max is not None and (self.max <= 0 or (self.min is not None and self.max <= self.min)):
            raise ValueError(f"nothing lies between min {self.min} and max {self.max}; values are positive")
        return self


class UniformlyRandomLocationInMeasurementVolume(Builtin):
    """A point anywhere in the measurement volume, scene units; particles may stick out."""


class ConstantHsvColorAsRgb(Builtin):
    """A colour given as HSV, its RGB taken as scene-linear without gamma."""

    family: ClassVar[str] = "$plugins.official"

    hue: Share = 0.5
    saturation: Share = 0.5
    value: Share = 1.0
    alpha: Share = 1.0


class RandomHsvColorAsRgb(Builtin):
    """A colour with hue, saturation and value each uniform in its range, its RGB taken as scene-linear."""

    family: ClassVar[str] = "$plugins.official"

    h_min: Share = 0.0
    h_max: Share = 1.0
    s_min: Share = 0.0
    s_max: Share = 1.0
    v_min: Share = 0.0
    v_max: Share = 1.0
    alpha: Share = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> RandomHsvColorAsRgb:
        for part in "hsv":
            lower, upper = getattr(self, f"{part}_min"), getattr(self, f"{part}_max")
            if lower > upper:
                raise ValueError(f"{part}_min {lower} is above {part}_max {upper}")
        return self


class UniformDistributionInt(Builtin):
    """An integer in location … location + scale - 1."""

    family: ClassVar[str] = "$plugins.official"

    location: Int
    scale: Annotated[Int, Field(ge=1)]


Variability = (
    Constant
    | UniformDistribution3dHomogeneous
    | UniformDistributionNdHomogeneous
    | LogNormal3dHomogeneous
    | UniformlyRandomLocationInMeasurementVolume
    | ConstantHsvColorAsRgb
    | RandomHsvColorAsRgb
    | UniformDistributionInt
)

LEGACY: Final = legacy_targets(
    "process_conditions.variabilities",
    Constant,
    UniformDistribution3dHomogeneous,
    UniformDistributionNdHomogeneous,
    LogNormal3dHomogeneous,
    UniformlyRandomLocationInMeasurementVolume,
    ConstantHsvColorAsRgb,
    RandomHsvColorAsRgb,
    UniformDistributionInt,
)
VariabilityNode = Annotated[Variability, ByTarget(LEGACY)]
