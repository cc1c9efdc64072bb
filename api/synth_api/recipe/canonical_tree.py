"""Canonical tree of a recipe, the input of its run key: all that shapes the output (docs/contracts.md, section 2)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from synth_api.recipe.node import Builtin, Node

if TYPE_CHECKING:
    from synth_api.composition.source import Tree
    from synth_api.recipe.model import Recipe

LEFT_OUT: Final = frozenset(
    {"parameters", "id", "parent", "time", "blender_log_file_name", "category", "supercategory", "dataset"},
)
"""Keys whose values change no file of a run."""


def build_canonical_tree(recipe: Recipe) -> Tree:
    """Return the recipe as a plain tree without what changes no pixel; `parse` reads it back.

    Left out are values that equal their default, `parameters`, step ids, `time`, `parent` and the log's name. Targets,
    modes and types of numbers are the canonical ones; tuples are lists.
    """
    return _build_mapping(recipe)


def _build_mapping(node: Node) -> Tree:
    tree: Tree = {"_target_": node.target} if isinstance(node, Builtin) else {}
    for name, alias, default in _list_fields(type(node)):
        value = getattr(node, name)
        if value != default or type(value) is not type(default):
            tree[alias] = _to_plain_value(value)
    return tree


@cache
def _list_fields(kind: type[Node]) -> tuple[tuple[str, str, Any], ...]:
    """Return name, key in the tree and default of each field that shapes the output."""
    return tuple(
        (name, field.alias or name, field.get_default(call_default_factory=True))
        for name, field in kind.model_fields.items()
        if name not in LEFT_OUT
    )


def _to_plain_value(value: Any) -> Any:
    if isinstance(value, Node):
        return _build_mapping(value)
    if isinstance(value, dict):
        return {key: _to_plain_value(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_to_plain_value(item) for item in value]
    return value
