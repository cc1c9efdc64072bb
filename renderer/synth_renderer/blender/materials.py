"""The material prototypes as Cycles node trees, each built once per scene and shared by its objects.

Values of one particle are the `color` and custom properties of its object. Values of the measurement technique are
custom properties of the scene, so every material works under every technique.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from synth_renderer.blender import bpy
from synth_renderer.blender.nodes import NodeTree, Value

if TYPE_CHECKING:
    from collections.abc import Callable


def get_material(prototype: str) -> bpy.types.Material:
    """Return the prototype's material in the open file, built at its first use."""
    existing = bpy.data.materials.get(prototype)
    if existing is not None:
        return existing
    made = bpy.data.materials.new(prototype)
    made.use_nodes = True
    tree = NodeTree(made.node_tree)
    output = tree.add_node("ShaderNodeOutputMaterial")
    tree.connect(_SHADERS[prototype](tree), output.inputs["Surface"])
    return made


def _default(tree: NodeTree) -> Value:
    return tree.add_node("ShaderNodeBsdfDiffuse", Color=tree.add_attribute("OBJECT", "color")).outputs[0]


def _plain(tree: NodeTree) -> Value:
    """A dielectric of index 1.45 with the object's colour and roughness."""
    color, roughness = tree.add_attribute("OBJECT", "color"), tree.add_attribute("OBJECT", "roughness", "Fac")
    return tree.add_node("ShaderNodeBsdfPrincipled", **{"Base Color": color, "Roughness": roughness}).outputs[0]


def _vacuum(tree: NodeTree) -> Value:
    return tree.add_node("ShaderNodeBsdfTransparent").outputs[0]


def _sem_polystyrene(tree: NodeTree) -> Value:
    return _emitter(tree, _tilt_yield(tree))


def _sem_patchy_silicone(tree: NodeTree) -> Value:
    """Curly threads of residue on a dark ground: a contour line of distorted noise over the substrate's width."""
    seed = tree.add_attribute("OBJECT", "patch_seed", "Fac")
    offset = tree.add_math("MULTIPLY", seed, 0.5)
    place = tree.add_node("ShaderNodeCombineXYZ", X=offset, Y=offset)
    generated = tree.add_node("ShaderNodeTexCoord").outputs["Generated"]
    moved = tree.add_node("ShaderNodeVectorMath", operation="ADD", _0=generated, _1=place.outputs[0])
    noise = tree.add_node(
        "ShaderNodeTexNoise",
        noise_dimensions="2D",
        Vector=moved.outputs[0],
        Scale=tree.add_attribute("OBJECT", "patch_scale", "Fac"),
        Detail=0.0,
        Distortion=0.6,
    )
    apart = tree.add_math("ABSOLUTE", tree.add_math("SUBTRACT", noise.outputs[0], 0.6), 0.0)
    patch = tree.add_node(
        "ShaderNodeMapRange",
        Value=apart,
        **{"From Min": 0.0, "From Max": 0.045, "To Min": PATCH_YIELD, "To Max": GROUND_YIELD},
    )
    return _emitter(tree, patch.outputs[0])


def _aggregated_texture(tree: NodeTree) -> Value:
    """Bumps of two noises in the world's frame, so that they go on where two balls have fused.

    Scales are numbers over the size of the particle.
    """
    per_size = tree.add_attribute("OBJECT", "bump_scale", "Fac")
    place = tree.add_node("ShaderNodeNewGeometry").outputs["Position"]
    coarse, fine = (
        tree.add_node(
            "ShaderNodeTexNoise",
            Vector=place,
            Scale=tree.add_math("MULTIPLY", per_size, scale),
            Detail=detail,
        ).outputs[0]
        for scale, detail in BUMP_NOISES
    )
    size = tree.add_math("DIVIDE", BUMP_DEPTH, tree.add_math("MAXIMUM", per_size, 1e-6))
    bump = tree.add_node(
        "ShaderNodeBump",
        Strength=tree.add_attribute("OBJECT", "bump_strength", "Fac"),
        Distance=size,
        Height=tree.add_math("ADD", coarse, fine),
    )
    return _emitter(tree, _tilt_yield(tree, bump.outputs[0]), bump.outputs[0])


BUMP_NOISES: Final = ((4.0, 5.0), (30.0, 10.0))
"""Scale and detail of the noises of `aggregated_texture`."""
BUMP_DEPTH: Final = 0.15
"""Height of its bumps, particle sizes."""


def _band_noise(tree: NodeTree) -> Value:
    """Level bands along y over the substrate."""
    generated = tree.add_node("ShaderNodeTexCoord").outputs["Generated"]
    wave = tree.add_node("ShaderNodeTexWave", bands_direction="Y", Vector=generated, Scale=0.5, Detail=0.7)
    band = tree.add_node(
        "ShaderNodeMapRange", Value=wave.outputs["Fac"], **{"To Min": 0.81 * BAND_YIELD, "To Max": BAND_YIELD}
    )
    return _emitter(tree, band.outputs[0])


BAND_YIELD: Final = 0.6
"""Relative emission of the brightest line of a band."""


def _sem_ground(tree: NodeTree) -> Value:
    """A level, dark ground: only the signal model has its structures."""
    return _emitter(tree, GROUND_YIELD)


GROUND_YIELD: Final = 0.1
"""Secondary electrons that bare silicone emits, relative to polystyrene that faces the beam."""
PATCH_YIELD: Final = 1.6
"""Relative emission along the middle of a thread of residue."""


def _emitter(tree: NodeTree, strength: Value, normal: Value | None = None) -> Value:
    """Secondary electrons leave by the cosine law, whatever the tilt: a Lambert surface by reciprocity."""
    grey = tree.add_node("ShaderNodeCombineXYZ", X=strength, Y=strength, Z=strength)
    turned = {} if normal is None else {"Normal": normal}
    return tree.add_node("ShaderNodeBsdfDiffuse", Color=grey.outputs[0], **turned).outputs[0]


def _tilt_yield(tree: NodeTree, normal: Value | None = None) -> Value:
    """Build the nodes of the edge effect: the formula of `sem_traced.detector.TiltYield`."""
    turned = {} if normal is None else {"Normal": normal}
    layer = tree.add_node("ShaderNodeLayerWeight", Blend=0.5, **turned)
    facing = tree.add_math("SUBTRACT", 1.0, layer.outputs["Facing"])
    cutoff = tree.add_attribute("VIEW_LAYER", "edge_cutoff", "Fac")
    exponent = tree.add_math("MULTIPLY", tree.add_attribute("VIEW_LAYER", "edge_exponent", "Fac"), -1.0)
    raised = tree.add_math("POWER", tree.add_math("MAXIMUM", facing, cutoff), exponent)
    limit = tree.add_math("POWER", cutoff, exponent)
    share = tree.add_math("DIVIDE", tree.add_math("SUBTRACT", raised, 1.0), tree.add_math("SUBTRACT", limit, 1.0))
    edge = tree.add_math("MULTIPLY", share, tree.add_attribute("VIEW_LAYER", "edge_factor", "Fac"))
    return tree.add_math("ADD", edge, 1.0)


_SHADERS: Final[dict[str, Callable[[NodeTree], Value]]] = {
    "default": _default,
    "plain": _plain,
    "vacuum": _vacuum,
    "sem_polystyrene": _sem_polystyrene,
    "sem_patchy_silicone": _sem_patchy_silicone,
    "sem_particle": _sem_polystyrene,
    "aggregated_texture": _aggregated_texture,
    "band_noise": _band_noise,
    "sem_ground": _sem_ground,
    "tem_amorphous": _default,
    "tem_particle": _default,
    "tem_film": _vacuum,
}
