"""Overrides that replace one plain value by another one, as most do, without the 0.05 s that Hydra takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import QuotedString

from synth_api.composition.overrides import read_override

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra.core.override_parser.types import Override

_MISSING: Final = "???"


def replace_scalars(tree: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any] | None:
    """Return the tree with the values of all overrides, as Hydra does; None if Hydra is needed for one of them.

    `overrides` have passed `index_overrides`. The nodes of a recipe are untyped where they hold such values, so that
    any of these may replace another one.
    """
    for text in overrides:
        override = read_override(text, OverridesParser.create())
        value: Any = override.value()
        value = value.text if isinstance(value, QuotedString) else value
        if _needs_hydra(override) or not _is_plain(value):
            return None
        replaced = _replace(tree, override.key_or_group.split("."), value)
        if replaced is None:
            return None
        tree = replaced
    return tree


def _needs_hydra(override: Override) -> bool:
    return override.is_add() or override.is_force_add() or override.is_delete() or override.package is not None


def _is_plain(value: Any) -> bool:
    """Return True for a number, or a text without a meaning for Hydra."""
    return isinstance(value, int | float) or (isinstance(value, str) and value != _MISSING and "${" not in value)


def _replace(node: Any, words: Sequence[str], value: Any) -> Any:
    """Return a copy of the node with the value at a place that has another plain value, else None."""
    if not words:
        return value if _is_plain(node) else None
    key: Any = words[0]
    if isinstance(node, list):
        key = int(key) if key.isascii() and key.isdigit() and int(key) < len(node) else None
    elif not isinstance(node, dict) or key not in node:
        return None
    child = None if key is None else _replace(node[key], words[1:], value)
    if child is None:
        return None
    copy = node.copy()
    copy[key] = child
    return copy
