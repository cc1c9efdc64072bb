"""Feature criteria: conditions on one feature of an object, from which set expressions are built."""

from __future__ import annotations

import colorsys
from typing import Annotated, Any, ClassVar, Final

from pydantic import BeforeValidator, Field, model_validator

from synth_api.recipe.node import Bool, Builtin, ByTarget, Float, Int, build_legacy_targets
from synth_api.recipe.values import parse_plain_value

BUILT_IN_CRITERIA: Final = (
    "AlwaysTrue",
    "IsMeasurementTechnique",
    "IsMeasurementTechniqueBlueprint",
    "IsParticle",
    "IsParticleBlueprint",
    "IsUltimateParent",
)
"""Criteria that set expressions may use without a declaration."""

Plain = Annotated[Any, BeforeValidator(parse_plain_value)]


class FeatureCriterion(Builtin):
    """A condition on the value of one feature."""

    feature_name: str
    default_return_value: Bool
    """Result for objects without the feature, or with a value of a type that cannot be checked."""

    def check(self, value: Any) -> bool:
        """Return True if a feature's value meets the criterion. Raises TypeError for a type that cannot be checked."""
        raise NotImplementedError


class IsEqualTo(FeatureCriterion):
    """True where value == comparand."""

    comparand: Plain

    def check(self, value: Any) -> bool:
        """Return True if the values are equal; 1 equals 1.0."""
        return bool(value == self.comparand)


class IsSmallerThan(FeatureCriterion):
    """True where value < comparand."""

    comparand: Plain

    def check(self, value: Any) -> bool:
        """Return True if the value is strictly smaller than the comparand."""
        return bool(value < self.comparand)


class IsGreaterThan(FeatureCriterion):
    """True where value > comparand."""

    comparand: Plain

    def check(self, value: Any) -> bool:
        """Return True if the value is strictly greater than the comparand."""
        return bool(value > self.comparand)


class ContainsString(FeatureCriterion):
    """`search_string` is part of the value: `Bead` also matches a blueprint `Bead2`."""

    search_string: str

    def check(self, value: Any) -> bool:
        """Return True if the value is a string with this substring or a tuple with this member."""
        return self.search_string in value


class AlwaysTrue(Builtin):
    """Holds for every object."""


class IsUltimateParent(Builtin):
    """Holds for a particle without a parent."""


class InCompartment(FeatureCriterion):
    """The value lies in the k-th of n compartments of every interval of `interval_length`, k counted from 1."""

    family: ClassVar[str] = "$plugins.official"

    compartment_no: Annotated[Int, Field(ge=1)]
    compartments_total: Annotated[Int, Field(ge=1)]
    interval_length: Annotated[Float, Field(gt=0)] = 1.0

    def check(self, value: Any) -> bool:
        """Return True if the value lies in the compartment, lower bound inclusive, upper bound exclusive."""
        width = self.interval_length / self.compartments_total
        position = value % self.interval_length
        return bool(width * (self.compartment_no - 1) <= position < width * self.compartment_no)

    @model_validator(mode="after")
    def _check_compartment(self) -> InCompartment:
        if self.compartment_no > self.compartments_total:
            raise ValueError(
                f"compartment_no {self.compartment_no} is beyond compartments_total {self.compartments_total}"
            )
        return self


class InHsvRange(FeatureCriterion):
    """The colour's hue, saturation and value lie in their ranges, upper bounds exclusive."""

    family: ClassVar[str] = "$plugins.official"

    h_min: Float = 0.0
    h_max: Float = 1.0
    s_min: Float = 0.0
    s_max: Float = 1.0
    v_min: Float = 0.0
    v_max: Float = 1.0

    def check(self, value: Any) -> bool:
        """Return True if the first three components, taken as RGB, lie in the HSV ranges."""
        lower = (self.h_min, self.s_min, self.v_min)
        upper = (self.h_max, self.s_max, self.v_max)
        hsv = colorsys.rgb_to_hsv(*value[:3])
        return all(low <= part < high for low, part, high in zip(lower, hsv, upper, strict=True))


Criterion = (
    IsEqualTo
    | IsSmallerThan
    | IsGreaterThan
    | ContainsString
    | AlwaysTrue
    | IsUltimateParent
    | InCompartment
    | InHsvRange
)

LEGACY: Final = build_legacy_targets(
    "process_conditions.feature_criteria",
    IsEqualTo,
    IsSmallerThan,
    IsGreaterThan,
    ContainsString,
    AlwaysTrue,
    IsUltimateParent,
    InCompartment,
    InHsvRange,
)
CriterionNode = Annotated[Criterion, ByTarget(LEGACY)]
