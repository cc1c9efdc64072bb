"""A scene after its generation steps: what label pass, technique, tables and state file are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synth_api.prototypes.techniques import TECHNIQUES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from synth_api.prototypes.feature import FeatureValue
    from synth_renderer.model.bodies import Bodies
    from synth_renderer.model.camera import Camera


@dataclass(frozen=True)
class Box:
    """An axis-aligned box, world frame, scene units."""

    lower: tuple[float, float, float]
    upper: tuple[float, float, float]


@dataclass(frozen=True)
class FeatureColumn:
    """One feature of N particles: values (N,), (N, 3) or (N, 4), present (N,) bool where the particle has it.

    Floats are float64 that hold float32-rounded numbers; strings have dtype object.
    """

    values: NDArray[Any]
    present: NDArray[np.bool_]


@dataclass(frozen=True)
class Agglomerates:
    """What the particle table says of the agglomerates of N particles, (N,) each."""

    number: NDArray[np.int32]
    """From 1, in the order of their first particles; 0 for particles in none."""
    primaries: NDArray[np.int32]
    contacts: NDArray[np.int32]
    """Contacts of the particle itself."""
    gyration_radius: NDArray[np.float64]
    """Scene units; NaN in none."""
    fractal_prefactor: NDArray[np.float64]
    """n (a / Rg)^D: n primary particles of the mean radius a, D the fractal dimension; NaN for fewer than 2."""


@dataclass(frozen=True)
class StagedTechnique:
    """The invoked measurement technique: prototype names, feature values, camera and volume."""

    name: str
    prototype: str
    background_material: str
    features: Mapping[str, FeatureValue]
    """Features of technique, volume and background material, one name each."""
    camera: Camera
    volume: Box

    @property
    def bodies_overlap(self) -> bool:
        """True if bodies shine through in the picture, so that their visible masks are the amodal ones."""
        return TECHNIQUES[self.prototype].bodies_overlap


@dataclass(frozen=True)
class StagedScene:
    """N particles in id order (particle i has id i + 1) under one technique. Nothing here changes any more."""

    seed: int
    names: tuple[str, ...]
    blueprints: tuple[str, ...]
    """Blueprint name of each particle."""
    geometries: tuple[str, ...]
    """Geometry prototype of each particle."""
    materials: tuple[str, ...]
    """Material prototype of each particle."""
    features: Mapping[str, FeatureColumn]
    bodies: Bodies
    technique: StagedTechnique
    agglomerates: Agglomerates | None = None
    """None if no step of the recipe agglomerates particles."""
    has_fibres: bool = False
    """True if a particle blueprint of the recipe has a geometry with a centre line."""

    def __len__(self) -> int:
        return len(self.names)
