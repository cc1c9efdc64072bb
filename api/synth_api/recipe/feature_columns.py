"""Feature columns of the particle table: one list for all runs of a recipe, whatever particles a run has."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from synth_api.prototypes.feature import FeatureType
from synth_api.prototypes.geometries import GEOMETRIES
from synth_api.prototypes.materials import MATERIALS
from synth_api.recipe.feature_generation import TriggerFeatureUpdate
from synth_api.recipe.variabilities import (
    Choice,
    Constant,
    NumberVariability,
    Sometimes,
    UniformDistributionInt,
    UniformDistributionNdHomogeneous,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from synth_api.prototypes.feature import FeatureValue
    from synth_api.recipe.model import ParticleBlueprint, Recipe
    from synth_api.recipe.variabilities import Variability

_TYPES: Final = {
    bool: FeatureType.BOOL,
    int: FeatureType.INT,
    float: FeatureType.FLOAT,
    str: FeatureType.STRING,
    tuple: FeatureType.STRING,
}
"""Type of a value -> type of its column; a list that is drawn for a custom feature of one value is text."""


def list_feature_columns(recipe: Recipe) -> dict[str, FeatureType]:
    """Return column -> type for the features of all particle blueprints, invoked or not, in the order of the table.

    A vector has the columns `<name>.x`, `.y`, `.z`, a colour `.r`, `.g`, `.b`, `.a`; the order is that of the names,
    then of the parts. Only custom features may hold values of several types: numbers are FLOAT then, others STRING.
    A feature without `has_column` is left out if no blueprint sets it and no step draws it.
    """
    drawn = _find_drawn_types(recipe)
    types: dict[tuple[str, int, str], set[FeatureType]] = defaultdict(set)
    for blueprint in recipe.blueprints.particles.values():
        for name, value, declared in _iterate_features(blueprint, drawn.keys()):
            if isinstance(value, tuple):
                for position, part in enumerate(list_parts(len(value))):
                    types[name, position, f"{name}.{part}"].add(FeatureType.FLOAT)
            elif declared is not None:
                types[name, -1, name].add(declared)
            else:
                types[name, -1, name] |= _list_types(value) | drawn.get(name, set())
    return {column: _join_types(types[name, position, column]) for name, position, column in sorted(types)}


def list_parts(size: int) -> str:
    """Return the letters of the parts of a vector or, of four numbers, a colour."""
    return "rgba" if size == 4 else "xyz"[:size]


def _iterate_features(
    blueprint: ParticleBlueprint, drawn: Collection[str]
) -> Iterator[tuple[str, FeatureValue, FeatureType | None]]:
    """Yield name, first value and declared type of each feature with a column; a custom one may be of any type."""
    yield from ((feature.name, feature.value, None) for feature in blueprint.custom_features)
    yield from ((name, "", None) for name in ("blueprint_name", "category_color"))
    for prototype in (GEOMETRIES[blueprint.geometry_prototype_name], MATERIALS[blueprint.material_prototype_name]):
        for name, feature in prototype.features.items():
            if feature.has_column or name in drawn or name in blueprint.features:
                yield name, feature.default, feature.type


def _find_drawn_types(recipe: Recipe) -> Mapping[str, set[FeatureType]]:
    """Return feature -> types of the values that the steps draw for it."""
    drawn: dict[str, set[FeatureType]] = defaultdict(set)
    for step in recipe.synth_chain.feature_generation_steps:
        if isinstance(step, TriggerFeatureUpdate):
            bound = recipe.process_conditions.feature_variabilities[step.feature_variability_name]
            drawn[bound.feature_name] |= _list_drawn_types(bound.variability)
    return drawn


def _list_drawn_types(variability: Variability) -> set[FeatureType]:
    match variability:
        case Constant():
            return _list_types(variability.value)
        case Choice():
            return _list_types(*variability.values)
        case Sometimes():
            return _list_drawn_types(variability.variability) | _list_types(variability.otherwise)
        case UniformDistributionInt():
            return {FeatureType.INT}
        case UniformDistributionNdHomogeneous() | NumberVariability() if variability.num_dimensions == 1:
            return {FeatureType.FLOAT}
    return {FeatureType.STRING}


def _list_types(*values: Any) -> set[FeatureType]:
    return {_TYPES[type(value)] for value in values if value is not None}


def _join_types(types: set[FeatureType]) -> FeatureType:
    if len(types) == 1:
        return next(iter(types))
    return FeatureType.FLOAT if types == {FeatureType.INT, FeatureType.FLOAT} else FeatureType.STRING
