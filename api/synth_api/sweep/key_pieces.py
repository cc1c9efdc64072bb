"""Fast keys for long ranges of numbers: the bytes around the one number that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synth_api.canonical_json import canonical_json
from synth_api.errors import InputError
from synth_api.recipe.parsing import parse_recipe
from synth_api.sweep.tree_paths import Path, find_differences, get_value, remove_entry, replace_value

if TYPE_CHECKING:
    from collections.abc import Sequence

Pieces = list[bytes]
"""Bytes of a node around its number; `number.join(pieces)` is the node."""

_EVERYWHERE = 1_000
_HOLE = "\0"
_HOLE_TEXT = canonical_json(_HOLE)


def encode_number(value: float) -> bytes:
    """Return a number as RFC 8785 writes it."""
    return b"%d" % value if isinstance(value, int) else canonical_json(value)


def cut_at_number(one: dict[str, Any], other: dict[str, Any], nodes: Sequence[Path]) -> tuple[Pieces, ...] | None:
    """Cut the nodes of a key document where it differs from another; None unless they differ at required numbers
    only.

    A value that equals its default is left out of the document, and a range may contain the default. So only a number
    without a default, which every recipe must give, may be inserted.
    """
    cut = one
    for path in find_differences(one, other, _EVERYWHERE):
        if (
            not isinstance(path[-1], str)
            or not _is_number(get_value(one, path))
            or not _is_required(one["recipe"], path[1:])
        ):
            return None
        cut = replace_value(cut, path, _HOLE)
    return tuple(canonical_json(get_value(cut, node)).split(_HOLE_TEXT) for node in nodes)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_required(recipe: dict[str, Any], path: Path) -> bool:
    try:
        parse_recipe(remove_entry(recipe, path))
    except InputError:
        return True
    return False
