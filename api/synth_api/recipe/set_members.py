"""Members of sets as far as they are known before a run: blueprints, and the blueprints whose particles are members."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from synth_api.prototypes.geometries import GEOMETRIES
from synth_api.prototypes.materials import MATERIALS
from synth_api.recipe.criteria import FeatureCriterion
from synth_api.recipe.expression import parse_expression
from synth_api.recipe.references import BUILT_IN_SETS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from synth_api.recipe.model import Blueprint, ParticleBlueprint, Recipe

_FREE_PARTICLE: Final = ("IsParticle", "IsUltimateParent")


@dataclass(frozen=True)
class _Truth:
    """A truth value in Kleene's logic: 0 is false, 1 true and 0.5 unknown."""

    degree: float

    def __and__(self, other: _Truth) -> _Truth:
        return _Truth(min(self.degree, other.degree))

    def __or__(self, other: _Truth) -> _Truth:
        return _Truth(max(self.degree, other.degree))

    def __invert__(self) -> _Truth:
        return _Truth(1 - self.degree)


_UNKNOWN: Final = _Truth(0.5)


def list_blueprints(recipe: Recipe, set_name: str, blueprints: Mapping[str, Blueprint], kind: str) -> list[str]:
    """Return the names of the blueprints in a set, in map order; `kind` is the built-in criterion that they meet."""
    return [
        name
        for name, each in blueprints.items()
        if _is_member(recipe, set_name, _list_own_features(name, each), (kind,))
    ]


def list_certain_particles(recipe: Recipe, set_name: str) -> list[str]:
    """Return the names of the blueprints whose particles are in a set whatever a run draws, in map order.

    It holds for particles outside of agglomerates.
    """
    drawn = {each.feature_name for each in recipe.process_conditions.feature_variabilities.values()}
    return [
        name
        for name, each in recipe.blueprints.particles.items()
        if _is_member(
            recipe, set_name, _list_own_features(name, each), _FREE_PARTICLE, drawn | _list_prototype_features(each)
        )
    ]


def _list_own_features(name: str, blueprint: Blueprint) -> dict[str, Any]:
    return {feature.name: feature.value for feature in blueprint.custom_features} | {"blueprint_name": name}


def _list_prototype_features(blueprint: ParticleBlueprint) -> set[str]:
    geometry, material = GEOMETRIES[blueprint.geometry_prototype_name], MATERIALS[blueprint.material_prototype_name]
    return {*geometry.features, *material.features}


def _is_member(
    recipe: Recipe, set_name: str, features: Mapping[str, Any], kinds: Collection[str], unknown: Collection[str] = ()
) -> bool:
    """Return True if an object certainly is in a set: `features` has its known values, `unknown` names the others."""
    recipe_set = recipe.process_conditions.sets.get(set_name)
    expression = parse_expression(recipe_set.criterion if recipe_set else BUILT_IN_SETS[set_name])
    criteria = recipe.process_conditions.feature_criteria

    def find_truth(name: str) -> _Truth:
        criterion = criteria.get(name)
        if not isinstance(criterion, FeatureCriterion):
            target = type(criterion).__name__ if criterion else name
            return _Truth(target in (*kinds, "AlwaysTrue"))
        return _UNKNOWN if criterion.feature_name in unknown else _Truth(_check_criterion(criterion, features))

    return expression.evaluate(find_truth, _Truth).degree == 1


def _check_criterion(criterion: FeatureCriterion, features: Mapping[str, Any]) -> bool:
    if criterion.feature_name not in features:
        return criterion.default_return_value
    try:
        return criterion.check(features[criterion.feature_name])
    except TypeError:
        return criterion.default_return_value
