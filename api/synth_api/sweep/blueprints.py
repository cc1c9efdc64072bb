"""Categories of a sweep: one list for all runs, whatever particle blueprints a run invokes."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

from synth_api.errors import InputError
from synth_api.problems import format_location
from synth_api.prototypes.geometries import GEOMETRIES
from synth_api.recipe.categories import BlueprintClass
from synth_api.recipe.feature_generation import LEGACY, AgglomerateParticles
from synth_api.recipe.references import find_classes, has_agglomerates, list_recipe_categories
from synth_api.sweep.axis_values import DecimalRange
from synth_api.sweep.tree_paths import merge_value, parse_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from synth_api.composition.source import Tree
    from synth_api.recipe.categories import ParticleCategory
    from synth_api.recipe.model import Recipe
    from synth_api.sweep.axes import Axis

_CLASS_KEYS = ("category", "supercategory")
_AGGLOMERATION_TARGETS: Final = {AgglomerateParticles.target} | {
    written for written, target in LEGACY.items() if target == AgglomerateParticles.target
}


def list_categories(written: Tree, recipe: Recipe, axes: Collection[Axis]) -> tuple[ParticleCategory, ...]:
    """Return the categories of the particle blueprints of all runs: the recipe's own, then those that a sweep adds.

    `written` is the composed recipe without overrides, `recipe` that of the first run. Both parts are in code-point
    order, so a recipe's own categories have the same positions in every sweep of it, also where an override deletes a
    blueprint. That of agglomerates lies between both parts if the recipe or a run has a step that makes them. Raises
    InputError for a blueprint with two categories.
    """
    own = {name: _read_class(node) for name, node in _list_blueprints(written).items()}
    classes = own | find_classes(recipe)
    for name, node in (item for axis in axes for item in _iterate_axis_blueprints(axis)):
        named = _read_class(node)
        if classes.setdefault(name, named) != named and named != BlueprintClass():
            raise _build_axis_error(format_location(("blueprints", "particles", name, "category")))
    categories = list_recipe_categories(
        {name: named for name, named in classes.items() if name in own},
        {name: named for name, named in classes.items() if name not in own},
        agglomerates=has_agglomerates(recipe) or any(map(_has_agglomerates, chain((written,), _iterate_trees(axes)))),
    )
    fibres = _find_fibres(written, recipe, axes)
    return tuple(
        replace(category, fibres=tuple(name for name in category.blueprints if name in fibres))
        for category in categories
    )


def _find_fibres(written: Tree, recipe: Recipe, axes: Collection[Axis]) -> frozenset[str]:
    """Return the particle blueprints whose geometry prototype has a centre line in a run or more."""
    geometries: set[tuple[str, Any]] = {
        (name, blueprint.geometry_prototype_name) for name, blueprint in recipe.blueprints.particles.items()
    }
    nodes = chain(_list_blueprints(written).items(), *map(_iterate_axis_blueprints, axes))
    geometries |= {(name, node.get("geometry_prototype_name")) for name, node in nodes if isinstance(node, dict)}
    known = {geometry for geometry, prototype in GEOMETRIES.items() if prototype.has_centre_line}
    return frozenset(name for name, geometry in geometries if isinstance(geometry, str) and geometry in known)


def _has_agglomerates(tree: Tree) -> bool:
    """Return True if a step in a tree, which need not be a whole recipe, makes agglomerates."""
    steps = _find_node(tree, "synth_chain", "feature_generation_steps")
    nodes = steps.values() if isinstance(steps, dict) else steps if isinstance(steps, list) else ()
    return any(isinstance(node, dict) and str(node.get("_target_")) in _AGGLOMERATION_TARGETS for node in nodes)


def check_axis(axis: Axis) -> None:
    """Raise InputError for several values of the dataset's card or of a category: all runs are one dataset."""
    path = parse_path(axis.path)
    if len(axis.values) == 1:
        return
    if path[0] == "dataset" or (path[:2] == ("blueprints", "particles") and path[3:] and path[3] in _CLASS_KEYS):
        raise _build_axis_error(axis.path)


def _build_axis_error(path: str) -> InputError:
    return InputError(path, "an axis cannot change it, because all runs of a sweep are one dataset; give it one value")


def _read_class(node: Any) -> BlueprintClass:
    values = [node.get(key) if isinstance(node, dict) else None for key in _CLASS_KEYS]
    return BlueprintClass(*(value if isinstance(value, str) else None for value in values))


def _list_blueprints(tree: Tree) -> dict[str, Any]:
    """Return the nodes below `blueprints.particles`; a reference has none: only this place can hold blueprints."""
    blueprints = _find_node(tree, "blueprints", "particles")
    return blueprints if isinstance(blueprints, dict) else {}


def _find_node(tree: Tree, *keys: str) -> Any:
    """Return the node below keys of maps; None if there is none."""
    node: Any = tree
    for key in keys:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def _iterate_axis_blueprints(axis: Axis) -> Iterator[tuple[str, Any]]:
    """Yield name and node of each blueprint that an axis sets, or sets a key of."""
    for tree in _iterate_trees((axis,)):
        yield from _list_blueprints(tree).items()


def _iterate_trees(axes: Iterable[Axis]) -> Iterator[Tree]:
    """Yield a tree with each value of each axis alone; a range of numbers has one, because none adds a node."""
    for axis in axes:
        numbers_only = isinstance(axis.values, range | DecimalRange)
        for value in islice(axis.values, 1) if numbers_only else axis.values:
            yield merge_value({}, parse_path(axis.path), value)
