"""Variabilities: distributions from which new values of features are drawn."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from synth_api.prototypes.feature import Feature, FeatureType
from synth_api.recipe.node import Builtin, ByTarget, Float, Int, PlainOrByTarget, Share, build_legacy_targets
from synth_api.recipe.values import parse_plain_value


class Constant(Builtin):
    """The value itself, in the feature's own type; lists become tuples."""

    value: Annotated[Any, BeforeValidator(parse_plain_value)]


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
    """One log-normal draw, three equal numbers, redrawn until it lies strictly between `min` and `max`."""

    geometric_mean: Annotated[Float, Field(gt=0)]
    geometric_standard_deviation: Annotated[Float, Field(ge=1)]
    """A factor; 1 means no variation."""
    min: Float | None = None
    max: Float | None = None

    @model_validator(mode="after")
    def _check_bounds(self) -> LogNormal3dHomogeneous:
        if self.max is not None and (self.max <= 0 or (self.min is not None and self.max <= self.min)):
            raise ValueError(f"nothing lies between min {self.min} and max {self.max}; values are positive")
        return self


class UniformlyRandomLocationInMeasurementVolume(Builtin):
    """A point anywhere in the measurement volume, scene units; particles may protrude."""


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
    def _check_order(self) -> RandomHsvColorAsRgb:
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


class NumberVariability(Builtin):
    """Draw of one number, or several equal ones, in the feature's unit or in pixels of the picture."""

    num_dimensions: Annotated[Int, Field(ge=1, le=16)] = 1
    unit: Literal["feature", "px"] = "feature"
    """`px`: the drawn number times the width of a pixel is the value; orthographic techniques only."""


class LogUniform(NumberVariability):
    """A number whose logarithm is uniform between those of `min` and `max`."""

    min: Annotated[Float, Field(gt=0)]
    max: Annotated[Float, Field(gt=0)]

    @model_validator(mode="after")
    def _check_order(self) -> LogUniform:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self


class Choice(Builtin):
    """One of several values, each as likely as its share of the weights."""

    values: Annotated[tuple[Annotated[Any, BeforeValidator(parse_plain_value)], ...], Field(min_length=1)]
    weights: tuple[Annotated[Float, Field(ge=0)], ...] | None = None
    """One weight for each value; null means equal weights."""

    @model_validator(mode="after")
    def _check_weights(self) -> Choice:
        if self.weights is None:
            return self
        if len(self.weights) != len(self.values):
            raise ValueError(
                f"the number of values is {len(self.values)}, and that of weights {len(self.weights)}; give one weight"
                " for each value"
            )
        if not any(self.weights):
            raise ValueError("the weights are all 0; give at least one value a weight above 0")
        return self


_SimpleVariability = (
    Constant
    | UniformDistribution3dHomogeneous
    | UniformDistributionNdHomogeneous
    | LogNormal3dHomogeneous
    | UniformlyRandomLocationInMeasurementVolume
    | ConstantHsvColorAsRgb
    | RandomHsvColorAsRgb
    | UniformDistributionInt
    | LogUniform
    | Choice
)

LEGACY: Final = build_legacy_targets(
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
Parameter = Annotated[_SimpleVariability | float, PlainOrByTarget(LEGACY)]
"""A plain value, or a variability that is drawn once in a run."""


class ParametricVariability(NumberVariability):
    """A variability whose parameters may themselves be drawn, once in a run."""

    parameters: ClassVar[dict[str, Feature]]
    """Name -> feature that declares the type and bounds of its value."""

    min: Float | None = None
    max: Float | None = None

    @model_validator(mode="after")
    def _check_bounds(self) -> ParametricVariability:
        if self.min is not None and self.max is not None and self.max <= self.min:
            raise ValueError(f"nothing lies between min {self.min} and max {self.max}")
        return self


class Normal(ParametricVariability):
    """A normal draw, redrawn until it lies strictly between `min` and `max`."""

    parameters: ClassVar[dict[str, Feature]] = {
        "mean": Feature(FeatureType.FLOAT, 0.0, "middle of the distribution"),
        "standard_deviation": Feature(FeatureType.FLOAT, 1.0, "its width", minimum=0.0),
    }

    mean: Parameter
    standard_deviation: Parameter


class LogNormal(ParametricVariability):
    """A log-normal draw, sizes by number for instance, redrawn until it lies strictly between `min` and `max`."""

    parameters: ClassVar[dict[str, Feature]] = {
        "median": Feature(FeatureType.FLOAT, 1.0, "half of the draws are smaller", minimum=1e-6),
        "geometric_standard_deviation": Feature(FeatureType.FLOAT, 1.0, "a factor; 1 is no variation", minimum=1.0),
    }

    median: Parameter
    geometric_standard_deviation: Parameter
    weighting: Literal["number", "mass"] = "number"
    """`mass`: half of the mass of equally dense particles is in smaller ones."""


SHAPE_OF_ENDLESS_NUMBER: Final = 3.0
"""Up to this shape a Weibull distribution by mass has no distribution by number without a smallest size."""


class Weibull(ParametricVariability):
    """A Weibull draw, redrawn until it lies strictly between `min` and `max`."""

    parameters: ClassVar[dict[str, Feature]] = {
        "characteristic": Feature(FeatureType.FLOAT, 1.0, "1 - 1/e of the draws are smaller", minimum=1e-6),
        "shape": Feature(FeatureType.FLOAT, 1.0, "its exponent; larger ones make it narrower", minimum=0.1),
    }

    characteristic: Parameter
    shape: Parameter
    weighting: Literal["number", "mass"] = "number"
    """`mass`: 1 - 1/e of the mass of equally dense particles is in smaller ones (Rosin-Rammler)."""

    @model_validator(mode="after")
    def _check_number_by_mass(self) -> Weibull:
        is_endless = self.weighting == "mass" and (self.min is None or self.min <= 0)
        if is_endless and isinstance(self.shape, float | int) and self.shape <= SHAPE_OF_ENDLESS_NUMBER:
            raise ValueError(
                f"by mass with a shape of {self.shape:g}, almost all particles would be endlessly small; give a min"
                f" above 0, or a shape above {SHAPE_OF_ENDLESS_NUMBER:g}"
            )
        return self


_UnmixedVariability = _SimpleVariability | Normal | LogNormal | Weibull


class Sometimes(Builtin):
    """A value of the variability in a share of the draws, else a constant."""

    share: Share
    variability: Annotated[_UnmixedVariability, ByTarget(LEGACY)]
    otherwise: Annotated[Any, BeforeValidator(parse_plain_value)]


Variability = _UnmixedVariability | Sometimes
VariabilityNode = Annotated[Variability, ByTarget(LEGACY)]
ParameterNode = Annotated[Variability | bool | float | int | str, PlainOrByTarget(LEGACY)]
"""A plain value, or a variability that is drawn once in a run."""
