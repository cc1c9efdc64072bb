"""The material prototypes as Cycles node trees, each built once a scene and shared by all that wear it.

What differs from particle to particle comes from the object: its `color` and its custom properties. What the
measurement technique decides comes from the scene's custom properties, so every material works under every technique.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from synth_renderer.blender import bpy
from synth_renderer.blender.nodes import Tree, Value

if TYPE_CHECKING:
    from collections.abc import Callable


def material(prototype: str) -> bpy.types.Material:
    """The prototype's material in the open file, built at its first use."""
    existing = bpy.data.materials.get(prototype)
    if existing is not None:
        return existing
    made = bpy.data.materials.new(prototype)
    made.use_nodes = True
    tree = Tree(made.node_tree)
    output = tree.node("ShaderNodeOutputMaterial")
    tree.connect(_SHADERS[prototype](tree), output.inputs["Surface"])
    return made


def _default(tree: Tree) -> Value:
    return tree.node("ShaderNodeBsdfDiffuse", Color=tree.attribute("OBJECT", "color")).outputs[0]


def _plain(tree: Tree) -> Value:
    """A dielectric of index 1.45 with the object's colour and roughness."""
    color, roughness = tree.attribute("OBJECT", "color"), tree.attribute("OBJECT", "roughness", "Fac")
    return tree.node("ShaderNodeBsdfPrincipled", **{"Base Color": color, "Roughness": roughness}).outputs[0]


def _vacuum(tree: Tree) -> Value:
    return tree.node("ShaderNodeBsdfTransparent").outputs[0]


def _sem_polystyrene(tree: Tree) -> Value:
    return _emitter(tree, _tilt_yield(tree))


def _sem_patchy_silicone(tree: Tree) -> Value:
    """Curly threads of residue on a dark ground: a contour line of distorted noise over the substrate's width."""
    seed = tree.attribute("OBJECT", "patch_seed", "Fac")
    offset = tree.math("MULTIPLY", seed, 0.5)
    place = tree.node("ShaderNodeCombineXYZ", X=offset, Y=offset)
    generated = tree.node("ShaderNodeTexCoord").outputs["Generated"]
    moved = tree.node("ShaderNodeVectorMath", operation="ADD", _0=generated, _1=place.outputs[0])
    noise = tree.node(
        "ShaderNodeTexNoise",
        noise_dimensions="2D",
        Vector=moved.outputs[0],
        Scale=tree.attribute("OBJECT", "patch_scale", "Fac"),
        Detail=0.0,
        Distortion=0.6,
    )
    apart = tree.math("ABSOLUTE", tree.math("SUBTRACT", noise.outputs[0], 0.6), 0.0)
    patch = tree.node(
        "ShaderNodeMapRange",
        Value=apart,
        **{"From Min": 0.0, "From Max": 0.045, "To Min": PATCH_YIELD, "To Max": GROUND_YIELD},
    )
    return _emitter(tree, patch.outputs[0])


def _sem_ground(tree: Tree) -> Value:
    """Its structures belong to the signal model; traced it is level and dark."""
    return _emitter(tree, GROUND_YIELD)


GROUND_YIELD: Final = 0.1
"""Secondary electrons that bare silicone emits, relative to polystyrene that faces the beam."""
PATCH_YIELD: Final = 1.6
"""The same along the middle of a thread of residue."""


def _emitter(tree: Tree, strength: Value) -> Value:
    """Secondary electrons leave by the cosine law, whatever the tilt: a Lambert surface by reciprocity."""
    grey = tree.node("ShaderNodeCombineXYZ", X=strength, Y=strength, Z=strength)
    return tree.node("ShaderNodeBsdfDiffuse", Color=grey.outputs[0]).outputs[0]


def _tilt_yield(tree: Tree) -> Value:
    """`detector.tilt_yield` as nodes."""
    facing = tree.math("SUBTRACT", 1.0, tree.node("ShaderNodeLayerWeight", Blend=0.5).outputs["Facing"])
    cutoff = tree.attribute("VIEW_LAYER", "edge_cutoff", "Fac")
    exponent = tree.math("MULTIPLY", tree.attribute("VIEW_LAYER", "edge_exponent", "Fac"), -1.0)
    raised = tree.math("POWER", tree.math("MAXIMUM", facing, cutoff), exponent)
    limit = tree.math("POWER", cutoff, exponent)
    share = tree.math("DIVIDE", tree.math("SUBTRACT", raised, 1.0), tree.math("SUBTRACT", limit, 1.0))
    edge = tree.math("MULTIPLY", share, tree.attribute("VIEW_LAYER", "edge_factor", "Fac"))
    return tree.math("ADD", edge, 1.0)


_SHADERS: Final[dict[str, Callable[[Tree], Value]]] = {
    "default": _default,
    "plain": _plain,
    "vacuum": _vacuum,
    "sem_polystyrene": _sem_polystyrene,
    "sem_patchy_silicone": _sem_patchy_silicone,
    "sem_particle": _sem_polystyrene,
    "sem_ground": _sem_ground,
}
