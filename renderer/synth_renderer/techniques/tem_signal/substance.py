"""What the particles of a staged scene are made of: absorption, phase, core, texture and lattice of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.techniques.base.feature_values import read_number
from synth_renderer.techniques.imaging.scene_values import (
    compute_sizes,
    create_stream,
    list_surface_names,
    make_particle_keys,
    read_feature,
)
from synth_renderer.techniques.tem_signal.crystals import Crystals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.staged_scene import StagedScene

ABSORPTION_PER_DENSITY: Final = 0.5
"""Absorption of `tem_amorphous` per density and scene unit: the grey 0.5 of the predecessor's volume."""
DEFAULT_ABSORPTION: Final = 1.0
"""Exponent across a particle of a material without a model here."""
MAX_DEVIATION: Final = 2.5
"""Standard deviations at which a particle's own absorption is cut off."""
MIN_FACTOR: Final = 0.05
"""Lowest factor on a particle's absorption by its own deviation."""


@dataclass(frozen=True)
class Substance:
    """Substances of N particles, (N,) each."""

    sizes: NDArray[np.float64]
    """Mean extent, scene units."""
    absorptions: NDArray[np.float64]
    """Exponent per scene unit."""
    phases: NDArray[np.float64]
    """Phase shift per scene unit, rad."""
    core_sizes: NDArray[np.float64]
    """Size of the core over that of the particle; 0 is none."""
    core_absorptions: NDArray[np.float64]
    """Absorption and phase shift of the core over those of the shell; 0 is a cavity."""
    textures: NDArray[np.float64]
    """Rms of the relative density."""
    texture_scales: NDArray[np.float64]
    """Longest wave of the texture, scene units."""
    texture_keys: NDArray[np.uint64]
    """SplitMix64 keys."""
    crystals: Crystals


def build_substance(scene: StagedScene) -> Substance:
    """Return what the particles are made of, by the features of their materials and the technique."""
    sizes = np.maximum(compute_sizes(scene), 1e-6)
    variation = _draw_variation(scene)
    return Substance(
        sizes=sizes,
        absorptions=_read_absorption(scene, sizes) * variation,
        phases=read_feature(scene, "phase_shift", 0.0) / sizes * variation,
        core_sizes=read_feature(scene, "core_size", 0.0),
        core_absorptions=read_feature(scene, "core_absorption", 1.0),
        textures=read_feature(scene, "texture", 0.0),
        texture_scales=read_feature(scene, "texture_scale", 1.0) * sizes,
        texture_keys=make_particle_keys(scene, "texture"),
        crystals=Crystals(
            contrasts=read_feature(scene, "crystal_contrast", 0.0),
            extinctions=read_feature(scene, "extinction_distance", 1.0),
            tilts=read_feature(scene, "crystal_tilt", 0.0),
            bends=read_feature(scene, "bend_contours", 0.0),
            grains=read_feature(scene, "crystal_grains", 1.0).astype(np.int64),
            twins=read_feature(scene, "twin_planes", 0.0).astype(np.int64),
            keys=make_particle_keys(scene, "crystal_tilt"),
        ),
    )


def _read_absorption(scene: StagedScene, sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the exponent per scene unit, (N,): of `tem_amorphous` by its density, else across the particle's size."""
    across = read_feature(scene, "absorption", DEFAULT_ABSORPTION) / sizes
    density = read_feature(scene, "density", -1.0)
    return np.where(density >= 0, ABSORPTION_PER_DENSITY * density, across)


def _draw_variation(scene: StagedScene) -> NDArray[np.float64]:
    """Return the factor of each particle's surface, (N,): 1 + `particle_variation` z, z standard normal and limited."""
    variation = read_number(scene.technique.features, "particle_variation")
    if variation == 0:
        return np.ones(len(scene))
    names = list_surface_names(scene)
    draws = np.array([create_stream(scene, "particle_variation", name).draw_normal() for name in names])
    deviations = np.clip(draws, -MAX_DEVIATION, MAX_DEVIATION).astype(np.float32)
    return np.maximum(1.0 + variation * deviations, MIN_FACTOR)
