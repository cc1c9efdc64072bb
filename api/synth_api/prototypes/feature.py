"""A feature and a prototype, as the catalogues of geometries, materials and techniques declare them.

Lengths are in scene units (the predecessor's Blender units), colours scene-linear RGBA, angles degrees.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FeatureValue = float | int | bool | str | tuple[float, ...] | None


class FeatureType(StrEnum):
    """Type of a feature's value; `VECTOR` has three components, `COLOR` four (RGBA)."""

    FLOAT = "float"
    INT = "int"
    BOOL = "bool"
    STRING = "string"
    VECTOR = "vector"
    COLOR = "color"


@dataclass(frozen=True)
class Feature:
    """A declared feature: its type, default, inclusive bounds, unit and meaning."""

    type: FeatureType
    default: FeatureValue
    meaning: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    maximum_reason: str = ""
    """Reason of a maximum that could surprise, as the second half of a sentence."""
    choices: tuple[str, ...] = ()
    """Allowed strings; empty if any string is allowed."""
    no_effect: str = ""
    """Reason why it changes no output, as the second half of a sentence; empty if it changes outputs."""
    has_column: bool = True
    """Whether the particle table has a column of it also where the recipe neither sets nor draws it.

    False for a feature that is younger than the engine version: tables and label digests of older recipes stay.
    """


@dataclass(frozen=True)
class Prototype:
    """A geometry, material or measurement technique that this version renders."""

    meaning: str
    features: Mapping[str, Feature] = field(default_factory=dict)
    shown_by: tuple[str, ...] = ()
    """The measurement techniques whose pictures show a material's features; all, if there are none."""
    is_traced: bool = False
    """True if Cycles traces the real image of a measurement technique, on a GPU where there is one."""
    bodies_overlap: bool = False
    """True if bodies shine through in the pictures of a measurement technique: the visible mask of each is then its
    amodal mask, whatever lies before it.
    """
    has_centre_line: bool = False
    """True if labels have the centre line of a geometry."""
    can_be_sphere: bool = False
    """True if a geometry with equal extents, and without relief where it may have one, is a sphere."""
    microscope: str = ""
    """Electron microscope that a measurement technique is or a material is made for: scanning or transmission."""
    role: str = ""
    """What a material is made for: particle or background; both, if empty."""


def build_float(default: float, meaning: str, unit: str, minimum: float, maximum: float) -> Feature:
    """Return a feature of type float."""
    return Feature(FeatureType.FLOAT, default, meaning, unit, minimum, maximum)
