"""Bound of the depth of values, checked before anything that calls itself for each level."""

from __future__ import annotations

from typing import Any, Final

from synth_api.errors import InputError

MAX_DEPTH: Final = 64
"""Levels of lists and mappings in a whole spec."""
_SHOWN: Final = 4


def check_depth(value: Any, limit: int = MAX_DEPTH) -> None:
    """Raise InputError with the start of the path to a value that has too many levels of lists and mappings."""
    level: list[tuple[Any, tuple[str, ...]]] = [(value, ())] if isinstance(value, dict | list) else []
    for _ in range(limit + 1):
        level = [
            (child, (*path, str(key)) if len(path) < _SHOWN else path)
            for node, path in level
            for key, child in (node.items() if isinstance(node, dict) else enumerate(node))
            if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise InputError(".".join(level[0][1]), f"is nested more than {limit} deep; flatten it")
