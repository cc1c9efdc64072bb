"""The axes of a sweep as a table and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from synth_cli.terminal.formatting import shorten
from synth_cli.terminal.tables import build_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from synth_api.recipe.model import Recipe
    from synth_api.sweep.definition import Sweep


def build_axes_table(sweep: Sweep) -> Table:
    """Return a table with one row per axis: path, number of values, values, builtin."""
    recipe = _find_example(sweep)
    table = build_table("axis", "values", "", "in", right=["values"])
    for axis in sweep.axes:
        path = f"{axis.path} (zipped)" if axis.zipped else axis.path
        table.add_row(path, f"{len(axis.values):,}", format_values(axis.values), find_target(recipe, axis.path))
    return table


def build_axes_document(sweep: Sweep) -> list[dict[str, Any]]:
    """Return the axes for `-o json`; of more than 1,000 values only the first and the last."""
    recipe = _find_example(sweep)
    return [
        {
            "path": axis.path,
            "in": find_target(recipe, axis.path),
            "count": len(axis.values),
            "zipped": axis.zipped,
            "values": list(axis.values) if len(axis.values) <= 1000 else [axis.values[0], axis.values[-1]],
        }
        for axis in sweep.axes
    ]


def _find_example(sweep: Sweep) -> Recipe:
    """Return the recipe of the first run that is not excluded."""
    return sweep.build_recipe(next(run for run in range(sweep.runs) if sweep.is_included(run)))


def format_values(values: Sequence[Any], limit: int = 8) -> str:
    """Format values as `100, 200, 300`; of more than `limit` the first three and the last."""
    if len(values) <= limit:
        return ", ".join(shorten(value, 24) for value in values)
    return ", ".join([*(shorten(value, 24) for value in values[:3]), "…", shorten(values[-1], 24)])


def find_target(recipe: object, path: str) -> str:
    """Return the builtin that a dotted path leads into, such as `RelaxCollisions`; empty if there is none."""
    node, found = recipe, ""
    for word in path.split("."):
        in_list = isinstance(node, tuple)
        node = _get_child(node, word)
        if (in_list or word == "variability") and isinstance(node, BaseModel):
            found = type(node).__name__
    return found


def _get_child(node: object, word: str) -> object:
    if isinstance(node, tuple):
        return node[int(word)] if word.isdigit() and int(word) < len(node) else None
    return node.get(word) if isinstance(node, Mapping) else getattr(node, word, None)
