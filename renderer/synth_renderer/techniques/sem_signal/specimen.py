"""The specimen as arrays: what the signal model reads from a staged scene."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_api.prototypes.materials import MATERIALS, PATTERNS
from synth_renderer.geometry.meta_balls import FUSED_GEOMETRY
from synth_renderer.techniques.base.feature_values import read_number
from synth_renderer.techniques.imaging.scene_values import (
    compute_sizes,
    create_stream,
    get_pixel_size,
    list_surface_names,
    make_key,
    make_particle_keys,
    read_feature,
)
from synth_renderer.techniques.sem_signal import ground
from synth_renderer.techniques.sem_signal.samples import SAMPLES_PER_SIDE
from synth_renderer.techniques.sem_signal.skin import Skin
from synth_renderer.techniques.sem_signal.skin_pattern import SkinPatterns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.bodies import Bodies
    from synth_renderer.model.staged_scene import StagedScene
    from synth_renderer.techniques.sem_signal.emission import Pixels
    from synth_renderer.techniques.sem_signal.ground import Ground
    from synth_renderer.techniques.sem_signal.samples import Samples

BUMP_SLOPE: Final = 1.0
"""Rms slope of the skin of `aggregated_texture` at a bump strength of 1."""
BUMP_WAVE: Final = 0.25
"""Its longest wave, particle sizes: that of a noise of scale 4."""
BUMP_FALLOFF: Final = 4.0
"""Its power spectrum falls with this power of frequency."""
DEFAULT_GROUND_LEVEL: Final = 0.15
"""Grey of a background material without a ground model here."""
MAX_DEVIATION: Final = 2.5
"""Standard deviations at which a particle's own grey is cut off."""
MIN_PARTICLE_PIXELS: Final = 2.0
"""Smallest typical particle, pixels."""
EMPTY_FRAME_SHARE: Final = 0.1
"""Typical size in a picture without particles, parts of the frame's longer side."""


def compute_levels(scene: StagedScene) -> NDArray[np.float64]:
    """Return the grey of each particle's level facets, (N,), parts of full white, at least 0."""
    features = scene.technique.features
    contrast, variation = read_number(features, "particle_contrast"), read_number(features, "particle_variation")
    names = list_surface_names(scene)
    deviations = np.array(
        [create_stream(scene, "particle_variation", name).draw_normal() if variation else 0.0 for name in names]
    )
    level = (read_number(features, "ground_level") if "ground_level" in features else 0.0) + contrast
    factor = 1.0 + variation * np.clip(deviations, -MAX_DEVIATION, MAX_DEVIATION).astype(np.float32)
    factor = factor * _compute_composition(scene)
    return np.asarray(np.maximum(level * factor * read_feature(scene, "brightness", 1.0), 0.0), dtype=np.float64)


def _compute_composition(scene: StagedScene) -> NDArray[np.float64]:
    """Return 1, or 1 + `composition_contrast` for the share of the particles that are of the other composition, (N,).

    The yield grows with the atomic number (L. Reimer, Scanning Electron Microscopy, 2nd ed., 1998, chapter 4).
    """
    features = scene.technique.features
    share, contrast = (read_number(features, name) for name in ("composition_share", "composition_contrast"))
    if share == 0 or contrast == 0:
        return np.ones(len(scene))
    names = list_surface_names(scene)
    draws = np.array([create_stream(scene, "composition_share", name).draw_uniform() for name in names])
    return np.where(draws < share, 1.0 + contrast, 1.0)


def compute_cores(scene: StagedScene, levels: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return size over the shell's size, 0 where there is no core, and grey of each particle's core, (N,) each."""
    return read_feature(scene, "core_size", 0.0), levels * read_feature(scene, "core_brightness", 0.0)


def build_skin(scene: StagedScene) -> Skin:
    """Return the skin of each particle; its longest wave in scene units.

    That of `aggregated_texture` has slopes of the same rms in every octave, as the sum of two noises of many octaves.
    """
    bumps = read_feature(scene, "bump_strength", 0.0)
    is_bumpy, scales = bumps > 0, read_feature(scene, "roughness_scale", 1.0)
    return Skin(
        slopes=np.where(is_bumpy, BUMP_SLOPE * bumps, read_feature(scene, "roughness_slope", 0.0)),
        waves=np.where(is_bumpy, BUMP_WAVE, scales) * np.maximum(_compute_surface_sizes(scene), 1e-6),
        falloffs=np.where(is_bumpy, BUMP_FALLOFF, read_feature(scene, "roughness_falloff", 3.0)),
    )


def place_skins(scene: StagedScene) -> Bodies:
    """Return the bodies in whose frames their skins lie: for balls that fuse the world's, so that they share one."""
    bodies, fused = scene.bodies, _find_meta_balls(scene)
    if not fused.any():
        return bodies
    locations, quaternions = bodies.locations.copy(), bodies.quaternions.copy()
    locations[fused], quaternions[fused] = 0.0, (1.0, 0.0, 0.0, 0.0)
    return replace(bodies, locations=locations, quaternions=quaternions)


def _find_meta_balls(scene: StagedScene) -> NDArray[np.bool_]:
    return np.array([geometry == FUSED_GEOMETRY for geometry in scene.geometries], dtype=bool)


def _compute_surface_sizes(scene: StagedScene) -> NDArray[np.float64]:
    """Return the mean extent of each body, (N,), scene units; of balls that fuse that of the largest one."""
    sizes, fused = compute_sizes(scene), _find_meta_balls(scene)
    blueprints = np.array(scene.blueprints, dtype=object)
    for name in dict.fromkeys(blueprints[fused]):
        members = fused & (blueprints == name)
        sizes[members] = sizes[members].max()
    return sizes


def build_skin_patterns(scene: StagedScene) -> SkinPatterns:
    """Return the pattern of each particle; its scale in scene units."""
    column = scene.features.get("skin_pattern")
    words = ["none"] * len(scene) if column is None else np.where(column.present, column.values, "none")
    return SkinPatterns(
        radii=compute_sizes(scene) / 2,
        kinds=np.array([PATTERNS.index(word) for word in words], dtype=np.int64),
        strengths=read_feature(scene, "skin_strength", 0.0),
        scales=read_feature(scene, "skin_scale", 1.0) * np.maximum(compute_sizes(scene), 1e-6),
        stretches=read_feature(scene, "skin_stretch", 1.0),
        keys=make_particle_keys(scene, "skin_pattern"),
    )


def build_ground(scene: StagedScene) -> Ground:
    """Return the ground of the technique's background material."""
    technique = scene.technique
    height, width = technique.camera.height, technique.camera.width
    if technique.background_material == "sem_ground":
        numbers = {name: read_number(technique.features, name) for name in MATERIALS["sem_ground"].features
                   if name != "ground_pattern"}  # fmt: skip
        pattern = PATTERNS.index(str(technique.features["ground_pattern"]))
        return ground.build_structured_ground(numbers, pattern, height, width, lambda feature: make_key(scene, feature))
    if technique.background_material == "sem_patchy_silicone":
        features = {name: read_number(technique.features, name) for name in ("patch_scale", "patch_seed")}
        return ground.build_patchy_ground(features, height, width)
    if technique.background_material == "band_noise":
        return ground.build_banded_ground(height, width)
    level = 0.0 if technique.background_material == "vacuum" else DEFAULT_GROUND_LEVEL
    return ground.build_plain_ground(level, height, width)


def compute_height(scene: StagedScene, pixels: Pixels, below: Ground) -> NDArray[np.float32]:
    """Return the mean height (H, W) of the bodies and of the ground between them, pixels."""
    return pixels.height * np.float32(1 / get_pixel_size(scene)) + (np.float32(1) - pixels.coverage) * below.height


def compute_typical_size(scene: StagedScene, samples: Samples) -> float:
    """Return the median size of the bodies in the picture, pixels; a share of the frame where there is none."""
    ids = samples.ids[::SAMPLES_PER_SIDE, ::SAMPLES_PER_SIDE]
    is_visible = np.bincount(ids.ravel(), minlength=len(scene) + 1)[1:] > 0
    if not is_visible.any():
        return EMPTY_FRAME_SHARE * max(scene.technique.camera.width, scene.technique.camera.height)
    return max(float(np.median(compute_sizes(scene)[is_visible])) / get_pixel_size(scene), MIN_PARTICLE_PIXELS)
