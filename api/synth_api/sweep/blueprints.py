"""Particle blueprints of a sweep: one list for all runs, whatever a run invokes."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from synth_api.sweep.axis_values import DecimalRange
from synth_api.sweep.tree_paths import merge_value, parse_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from synth_api.composition.source import Tree
    from synth_api.sweep.axes import Axis


def list_particle_blueprints(written: Tree, base: Tree, axes: Iterable[Axis]) -> tuple[str, ...]:
    """Return the names of the particle blueprints of all runs: the recipe's own, then those that a sweep adds.

    `written` is the composed recipe without overrides, `base` the one with them. Both parts are in code-point order,
    so a recipe's own blueprints have the same positions in every sweep of it, also where an override deletes one.
    """
    own = _list_names(written)
    added = _list_names(base).union(*map(_list_axis_names, axes)) - own
    return (*sorted(own), *sorted(added))


def _list_names(tree: Any) -> set[str]:
    """Return the names below `blueprints.particles`; a reference has none, as only this place can hold blueprints."""
    for section in ("blueprints", "particles"):
        tree = tree.get(section) if isinstance(tree, dict) else None
    return set(tree) if isinstance(tree, dict) else set()


def _list_axis_names(axis: Axis) -> set[str]:
    """Return the names of the blueprints that an axis sets, or sets a key of."""
    numbers_only = isinstance(axis.values, range | DecimalRange)
    values = islice(axis.values, 1) if numbers_only else axis.values
    return set().union(*(_list_names(merge_value({}, parse_path(axis.path), value)) for value in values))
