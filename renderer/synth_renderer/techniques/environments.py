"""What surrounds the particles under each measurement technique: light, substrate, measurement volume."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from synth_renderer.blender import bpy
from synth_renderer.blender.materials import material
from synth_renderer.blender.nodes import Tree
from synth_renderer.techniques.feature_values import number
from synth_renderer.techniques.sem_traced.detector import NOMINAL_ILLUMINATION
from synth_renderer.techniques.sem_traced.secondary_electron_microscope import COLLECTION, acceptance, tilt_yield

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from synth_renderer.model.staged_scene import Box, StagedTechnique
    from synth_renderer.techniques.sem_traced.detector import Acceptance


def _secondary_electron_microscope(scene: bpy.types.Scene, technique: StagedTechnique) -> None:
    features = technique.features
    edge = tilt_yield(features)
    scene["edge_factor"], scene["edge_cutoff"], scene["edge_exponent"] = edge.factor, edge.cutoff, edge.exponent
    _add_volume(scene, technique.volume)
    _add_substrate(scene, technique)
    _add_detector(scene, acceptance(features))
    scene.cycles.film_exposure = number(features, "illumination_strength") / NOMINAL_ILLUMINATION
    lens = scene.camera.data.dof
    lens.use_dof, lens.aperture_fstop = True, 1.0
    lens.focus_distance = (1.0 - number(features, "defocus")) * technique.camera.location[2]


def _default(scene: bpy.types.Scene, technique: StagedTechnique) -> None:
    _add_volume(scene, technique.volume)
    lamp = bpy.data.objects.new("Light", bpy.data.lights.new("Light", "POINT"))
    lamp.data.energy = 1000.0
    lamp.location = (4.0, 1.0, 6.0)
    scene.collection.objects.link(lamp)
    tree = _world(scene)
    _shine(tree, tree.node("ShaderNodeBackground", Color=(0.05, 0.05, 0.05, 1.0)))


def _scanning_electron_microscope(scene: bpy.types.Scene, technique: StagedTechnique) -> None:
    """For states alone: the picture is made without Blender."""
    _add_volume(scene, technique.volume)
    _add_substrate(scene, technique)
    tree = _world(scene)
    _shine(tree, tree.node("ShaderNodeBackground", Color=(1.0, 1.0, 1.0, 1.0)))


ENVIRONMENTS: Final[dict[str, Callable[[bpy.types.Scene, StagedTechnique], None]]] = {
    "default": _default,
    "scanning_electron_microscope": _scanning_electron_microscope,
    "secondary_electron_microscope": _secondary_electron_microscope,
}


def _add_volume(scene: bpy.types.Scene, volume: Box) -> None:
    """The measurement volume, seen in the viewport only."""
    corners = [(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)]
    bounds = list(zip(volume.lower, volume.upper, strict=True))
    vertices = [tuple(bounds[axis][side] for axis, side in enumerate(corner)) for corner in corners]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    obj = _add_mesh(scene, "MeasurementVolume", vertices, faces)
    obj.data.materials.append(material("vacuum"))
    obj.hide_render = True
    obj.display_type = "WIRE"


def _add_substrate(scene: bpy.types.Scene, technique: StagedTechnique) -> None:
    """A plane on the floor of the volume, as wide as the view; its object carries the background's features."""
    camera, z = technique.camera, technique.volume.lower[2]
    assert camera.ortho_scale is not None
    half = camera.ortho_scale / 2
    corners = [(-half, -half, z), (half, -half, z), (half, half, z), (-half, half, z)]
    obj = _add_mesh(scene, "Substrate", corners, [(0, 1, 2, 3)])
    obj.data.materials.append(material(technique.background_material))
    obj.color = technique.features.get("color", (0.8, 0.8, 0.8, 1.0))
    for name in ("roughness", "patch_scale", "patch_seed"):
        if name in technique.features:
            obj[name] = number(technique.features, name)


def _add_mesh(
    scene: bpy.types.Scene, name: str, vertices: Sequence[tuple[float, ...]], faces: Sequence[tuple[int, ...]]
) -> bpy.types.Object:
    data = bpy.data.meshes.new(name)
    data.from_pydata(list(vertices), [], list(faces))
    obj = bpy.data.objects.new(name, data)
    scene.collection.objects.link(obj)
    return obj


def _add_detector(scene: bpy.types.Scene, detector: Acceptance) -> None:
    """The acceptance as the world's radiance: by reciprocity the detector lights the specimen."""
    tree = _world(scene)
    x, y, z = tree.node("ShaderNodeSeparateXYZ", _0=tree.node("ShaderNodeTexCoord").outputs["Generated"]).outputs
    rise = tree.math("DIVIDE", z, detector.height)
    band = tree.math("POWER", math.e, tree.math("MULTIPLY", tree.math("MULTIPLY", rise, rise), -1.0))
    above = tree.math("MULTIPLY", tree.math("GREATER_THAN", z, 0.0), COLLECTION * detector.scale)
    side = tree.math("ADD", tree.math("MULTIPLY", x, detector.side[0]), tree.math("MULTIPLY", y, detector.side[1]))
    lobe = tree.math("ADD", 1.0, tree.math("MULTIPLY", side, detector.asymmetry))
    strength = tree.math("MULTIPLY", tree.math("MULTIPLY", band, above), lobe)
    _shine(tree, tree.node("ShaderNodeBackground", Strength=strength, Color=(1.0, 1.0, 1.0, 1.0)))
    scene.world.cycles.sampling_method = "MANUAL"
    scene.world.cycles.sample_map_resolution = 256


def _world(scene: bpy.types.Scene) -> Tree:
    scene.world = bpy.data.worlds.new("World")
    scene.world.use_nodes = True
    return Tree(scene.world.node_tree)


def _shine(tree: Tree, background: bpy.types.Node) -> None:
    tree.connect(background.outputs[0], tree.node("ShaderNodeOutputWorld").inputs["Surface"])
