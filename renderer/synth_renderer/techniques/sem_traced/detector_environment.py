"""The environment of the traced electron microscope: by reciprocity the detector lights the specimen."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from synth_renderer.techniques.base.environment import add_substrate, add_volume, add_world, set_background
from synth_renderer.techniques.base.feature_values import read_number
from synth_renderer.techniques.sem_traced.detector import NOMINAL_ILLUMINATION
from synth_renderer.techniques.sem_traced.instrument_features import read_acceptance, read_tilt_yield

if TYPE_CHECKING:
    from synth_renderer.blender import bpy
    from synth_renderer.model.staged_scene import StagedTechnique
    from synth_renderer.techniques.sem_traced.detector import Acceptance

COLLECTION: Final = 0.92
"""Electrons collected per beam electron from a lone convex body that faces the beam, on average."""


def build_environment(scene: bpy.types.Scene, technique: StagedTechnique) -> None:
    """Add measurement volume, substrate and detector, and focus the camera."""
    features = technique.features
    edge = read_tilt_yield(features)
    scene["edge_factor"], scene["edge_cutoff"], scene["edge_exponent"] = edge.factor, edge.cutoff, edge.exponent
    add_volume(scene, technique.volume)
    add_substrate(scene, technique)
    _add_detector(scene, read_acceptance(features))
    scene.cycles.film_exposure = read_number(features, "illumination_strength") / NOMINAL_ILLUMINATION
    lens = scene.camera.data.dof
    lens.use_dof, lens.aperture_fstop = True, 1.0
    lens.focus_distance = (1.0 - read_number(features, "defocus")) * technique.camera.location[2]


def _add_detector(scene: bpy.types.Scene, detector: Acceptance) -> None:
    """The acceptance as the world's radiance: by reciprocity the detector lights the specimen."""
    tree = add_world(scene)
    x, y, z = tree.add_node(
        "ShaderNodeSeparateXYZ", _0=tree.add_node("ShaderNodeTexCoord").outputs["Generated"]
    ).outputs
    rise = tree.add_math("DIVIDE", z, detector.height)
    band = tree.add_math("POWER", math.e, tree.add_math("MULTIPLY", tree.add_math("MULTIPLY", rise, rise), -1.0))
    above = tree.add_math("MULTIPLY", tree.add_math("GREATER_THAN", z, 0.0), COLLECTION * detector.scale)
    side = tree.add_math(
        "ADD", tree.add_math("MULTIPLY", x, detector.side[0]), tree.add_math("MULTIPLY", y, detector.side[1])
    )
    lobe = tree.add_math("ADD", 1.0, tree.add_math("MULTIPLY", side, detector.asymmetry))
    strength = tree.add_math("MULTIPLY", tree.add_math("MULTIPLY", band, above), lobe)
    set_background(tree, tree.add_node("ShaderNodeBackground", Strength=strength, Color=(1.0, 1.0, 1.0, 1.0)))
    scene.world.cycles.sampling_method = "MANUAL"
    scene.world.cycles.sample_map_resolution = 256
