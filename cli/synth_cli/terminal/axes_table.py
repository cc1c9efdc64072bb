"""The axes of a sweep as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from synth_cli.terminal.consoles import columns, short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from synth_api.recipe.model import Recipe
    from synth_api.sweep.definition import Sweep


def axes_table(sweep: Sweep) -> Table:
    """A line for each axis: how many values, which, and in what."""
    recipe = _example(sweep)
    table = columns("axis", "values", "", "in", right=["values"])
    for axis in sweep.axes:
        path = f"{axis.path} (zipped)" if axis.zipped else axis.path
        table.add_row(path, f"{len(axis.values):,}", value_words(axis.values), target(recipe, axis.path))
    return table


def axes_document(sweep: Sweep) -> list[dict[str, Any]]:
    """The same for a program; axes with more than a thousand values give only their first and last."""
    recipe = _example(sweep)
    return [
        {
            "path": axis.path,
            "in": target(recipe, axis.path),
            "count": len(axis.values),
            "zipped": axis.zipped,
            "values": list(axis.values) if len(axis.values) <= 1000 else [axis.values[0], axis.values[-1]],
        }
        for axis in sweep.axes
    ]


def _example(sweep: Sweep) -> Recipe:
    """The recipe of the first run that is not left out."""
    return sweep.build_recipe(next(run for run in range(sweep.runs) if sweep.is_included(run)))


def value_words(values: Sequence[Any], most: int = 8) -> str:
    """`100, 200, 300`, of many the first and the last."""
    if len(values) <= most:
        return ", ".join(short(value, 24) for value in values)
    return ", ".join([*(short(value, 24) for value in values[:3]), "…", short(values[-1], 24)])


def target(recipe: object, path: str) -> str:
    """The builtin that a dotted path leads into (`RelaxCollisions`), so that an index is no riddle; else nothing."""
    node, found = recipe, ""
    for word in path.split("."):
        in_list = isinstance(node, tuple)
        node = _child(node, word)
        if (in_list or word == "variability") and isinstance(node, BaseModel):
            found = type(node).__name__
    return found


def _child(node: object, word: str) -> object:
    if isinstance(node, tuple):
        return node[int(word)] if word.isdigit() and int(word) < len(node) else None
    return node.get(word) if isinstance(node, Mapping) else getattr(node, word, None)
