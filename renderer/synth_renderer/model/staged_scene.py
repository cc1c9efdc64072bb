"""A scene after its generation steps: what label pass, technique, tables and state file are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from synth_api.prototypes import FeatureValue
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
class StagedTechnique:
    """The invoked measurement technique: prototype names, feature values, camera and volume."""

    name: str
    prototype: str
    background_material: str
    features: Mapping[str, FeatureValue]
    """Features of technique, volume and background material, one name each."""
    camera: Camera
    volume: Box


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

    def __len__(self) -> int:
        return len(self.names)
