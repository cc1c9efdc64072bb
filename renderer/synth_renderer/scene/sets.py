"""Members of sets, evaluated on the current features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth_api.recipe.criteria import AlwaysTrue, IsUltimateParent
from synth_api.recipe.expression import parse_expression

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from synth_api.prototypes.feature import FeatureValue
    from synth_api.recipe.criteria import Criterion, FeatureCriterion
    from synth_renderer.scene.features import FeatureTable
    from synth_renderer.scene.world import World


@dataclass(frozen=True)
class Members:
    """A set's members by kind: particles (N,) bool in id order; technique bool; blueprints by name, in map order."""

    particles: NDArray[np.bool_]
    technique: bool = False
    particle_blueprints: tuple[str, ...] = ()
    technique_blueprints: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Kind:
    """Objects of one kind, as criteria see them."""

    name: str
    table: FeatureTable
    ultimate_parents: NDArray[np.bool_] | None = None
    """Particles (n,) without a parent; None for objects of another kind, which are none."""


def find_members(world: World, set_name: str) -> Members:
    """Return the current members of a set; each use evaluates it again."""
    recipe_set = world.recipe.process_conditions.sets.get(set_name)
    expression = recipe_set.criterion if recipe_set else _BUILT_IN[set_name]
    blueprints = world.recipe.blueprints
    tables = [
        _Kind("IsParticle", world.particles.features, world.particles.find_ultimate_parents()),
        _Kind("IsParticleBlueprint", world.particle_blueprints),
        _Kind("IsMeasurementTechniqueBlueprint", world.technique_blueprints),
    ]
    if world.technique:
        tables.append(_Kind("IsMeasurementTechnique", world.technique.features))
    criteria = world.recipe.process_conditions.feature_criteria
    holds = {kind.name: _evaluate_expression(expression, kind, criteria) for kind in tables}
    return Members(
        holds["IsParticle"],
        bool(holds.get("IsMeasurementTechnique", np.zeros(0)).any()),
        tuple(name for name, inside in zip(blueprints.particles, holds["IsParticleBlueprint"], strict=True) if inside),
        tuple(
            name
            for name, inside in zip(
                blueprints.measurement_techniques, holds["IsMeasurementTechniqueBlueprint"], strict=True
            )
            if inside
        ),
    )


_BUILT_IN = {
    "AllParticles": "$IsParticle",
    "AllUltimateParents": "$IsUltimateParent",
    "AllMeasurementTechniques": "$IsMeasurementTechnique",
    "AllMeasurementTechniqueBlueprints": "$IsMeasurementTechniqueBlueprint",
    "AllParticleBlueprints": "$IsParticleBlueprint",
    "Empty": "False",
}


def _evaluate_expression(expression: str, kind: _Kind, criteria: Mapping[str, Criterion]) -> NDArray[np.bool_]:
    rows = kind.table.rows

    def leaf(name: str) -> NDArray[np.bool_]:
        if name in criteria:
            return _evaluate_criterion(criteria[name], kind)
        if name == "IsUltimateParent":
            return _find_ultimate_parents(kind)
        return np.full(rows, name in (kind.name, "AlwaysTrue"))

    def constant(value: bool) -> NDArray[np.bool_]:
        return np.full(rows, value)

    return parse_expression(expression).evaluate(leaf, constant)


def _find_ultimate_parents(kind: _Kind) -> NDArray[np.bool_]:
    return np.zeros(kind.table.rows, dtype=bool) if kind.ultimate_parents is None else kind.ultimate_parents


def _evaluate_criterion(criterion: Criterion, kind: _Kind) -> NDArray[np.bool_]:
    """Return True for each object (n,) that meets the criterion.

    An object without the feature, or with a value of the wrong type, gets `default_return_value`.
    """
    table = kind.table
    if isinstance(criterion, AlwaysTrue):
        return np.ones(table.rows, dtype=bool)
    if isinstance(criterion, IsUltimateParent):
        return _find_ultimate_parents(kind)
    result = np.full(table.rows, criterion.default_return_value)
    values, rows = (
        table.read_column(criterion.feature_name).values,
        np.flatnonzero(table.find_present(criterion.feature_name)),
    )
    found = [tuple(value) if isinstance(value, list) else value for value in values[rows].tolist()]
    example = dict(zip(found, rows.tolist(), strict=True))
    known = {
        value: _check_value(criterion, table.read_value(criterion.feature_name, row)) for value, row in example.items()
    }
    result[rows] = [known[value] for value in found]
    return result


def _check_value(criterion: FeatureCriterion, value: FeatureValue) -> bool:
    try:
        return criterion.check(value)
    except TypeError:
        return criterion.default_return_value
