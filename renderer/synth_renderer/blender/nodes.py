"""A builder of shader node trees."""

from __future__ import annotations

from typing import Any, TypeAlias

from synth_renderer.blender import bpy

Value: TypeAlias = "bpy.types.NodeSocket | float | tuple[float, ...]"


class NodeTree:
    """A node tree, emptied, to which nodes are added."""

    def __init__(self, tree: bpy.types.NodeTree) -> None:
        self._tree = tree
        tree.nodes.clear()

    def add_node(self, kind: str, **settings: Any) -> bpy.types.Node:
        """Add a node. Settings in lower case are its properties, others its inputs by name, `_0` by position."""
        node = self._tree.nodes.new(kind)
        inputs = {name: value for name, value in settings.items() if not name[0].islower()}
        for name in settings.keys() - inputs.keys():
            setattr(node, name, settings[name])
        for name, value in inputs.items():
            self.connect(value, node.inputs[int(name[1:]) if name[0] == "_" else name])
        return node

    def connect(self, value: Value, socket: bpy.types.NodeSocket) -> None:
        """Connect an input to an output, or set it to a constant."""
        if isinstance(value, bpy.types.NodeSocket):
            self._tree.links.new(value, socket)
        else:
            socket.default_value = value

    def add_math(self, operation: str, first: Value, second: Value) -> bpy.types.NodeSocket:
        """Add a math node, for example `MULTIPLY`, and return its output."""
        return self.add_node("ShaderNodeMath", operation=operation, _0=first, _1=second).outputs[0]

    def add_attribute(self, owner: str, name: str, output: str = "Color") -> bpy.types.NodeSocket:
        """Add a node that reads a property; owner OBJECT, or VIEW_LAYER for the scene's custom properties."""
        return self.add_node("ShaderNodeAttribute", attribute_type=owner, attribute_name=name).outputs[output]
