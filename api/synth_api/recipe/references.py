"""Checks that every name in a recipe refers to something and that no name is defined twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from synth_api.errors import InputError, suggest_name
from synth_api.problems import format_location
from synth_api.prototypes.geometries import GEOMETRIES
from synth_api.prototypes.materials import MATERIALS
from synth_api.prototypes.techniques import TECHNIQUES
from synth_api.recipe import unavailable_prototypes as unavailable
from synth_api.recipe.categories import BlueprintClass, add_agglomerates, group_blueprints
from synth_api.recipe.criteria import BUILT_IN_CRITERIA
from synth_api.recipe.expression import parse_expression
from synth_api.recipe.feature_generation import AgglomerateParticles
from synth_api.recipe.model import MAX_PARTICLES
from synth_api.recipe.outputs import build_step_outputs
from synth_api.recipe.rendering import SaveState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from synth_api.prototypes.feature import Prototype
    from synth_api.recipe.categories import ParticleCategory
    from synth_api.recipe.model import Recipe
    from synth_api.recipe.node import Step

BUILT_IN_SETS: Final = {
    "AllMeasurementTechniqueBlueprints": "$IsMeasurementTechniqueBlueprint",
    "AllMeasurementTechniques": "$IsMeasurementTechnique",
    "AllParticleBlueprints": "$IsParticleBlueprint",
    "AllParticles": "$IsParticle",
    "AllUltimateParents": "$IsUltimateParent",
    "Empty": "False",
}
"""Name -> expression of the sets that need no declaration."""

_SET_FIELDS: Final = (
    "affected_set_name",
    "deposited_set_name",
    "set_name_of_interest",
    "set_name_overlapping",
)
_PARTICLE_SETS: Final = frozenset({"AllParticles", "AllUltimateParents", "Empty"})
_STEPS_OF_ANY_SET: Final = frozenset({"InvokeBlueprints", "TriggerFeatureUpdate"})


def check_references(recipe: Recipe) -> None:
    """Raise InputError for the first name that refers to nothing or is defined twice."""
    _check_prototypes(recipe)
    list_recipe_categories(find_classes(recipe), agglomerates=has_agglomerates(recipe))
    _check_criteria_and_sets(recipe)
    for location, step in _iterate_steps(recipe):
        _check_step(recipe, location, step)
    _check_uniqueness(recipe)
    build_step_outputs(recipe.synth_chain.rendering_steps)


def find_classes(recipe: Recipe) -> dict[str, BlueprintClass]:
    """Return the class that each particle blueprint names."""
    return {
        name: BlueprintClass(blueprint.category, blueprint.supercategory)
        for name, blueprint in recipe.blueprints.particles.items()
    }


def list_recipe_categories(
    own: Mapping[str, BlueprintClass], added: Mapping[str, BlueprintClass] | None = None, *, agglomerates: bool
) -> list[ParticleCategory]:
    """Return the categories of a recipe's `own` blueprints, of agglomerates if asked, and of those that a sweep adds.

    Raises InputError for categories that do not fit each other.
    """
    categories = group_blueprints(own, added or {})
    return add_agglomerates(categories, own) if agglomerates else categories


def has_agglomerates(recipe: Recipe) -> bool:
    """Return True if a step of the recipe makes agglomerates."""
    return any(isinstance(step, AgglomerateParticles) for step in recipe.synth_chain.feature_generation_steps)


def _check_prototypes(recipe: Recipe) -> None:
    blueprints = recipe.blueprints
    for name, technique in blueprints.measurement_techniques.items():
        path = format_location(("blueprints", "measurement_techniques", name))
        _check_prototype(
            f"{path}.measurement_technique_prototype_name",
            "measurement technique prototype",
            technique.measurement_technique_prototype_name,
            TECHNIQUES,
            unavailable.TECHNIQUES,
        )
        for field in ("measurement_volume_material_prototype_name", "background_material_prototype_name"):
            _check_material(f"{path}.{field}", getattr(technique, field))
    for name, particles in blueprints.particles.items():
        path = format_location(("blueprints", "particles", name))
        _check_prototype(
            f"{path}.geometry_prototype_name",
            "geometry prototype",
            particles.geometry_prototype_name,
            GEOMETRIES,
            unavailable.GEOMETRIES,
        )
        _check_material(f"{path}.material_prototype_name", particles.material_prototype_name)
    total = sum(particles.max_number for particles in blueprints.particles.values())
    if total > MAX_PARTICLES:
        raise InputError(
            "blueprints.particles",
            f"there are {total:,} particles in all, at most {MAX_PARTICLES:,} have an id; take fewer",
        )


def _check_material(path: str, name: str) -> None:
    _check_prototype(path, "material prototype", name, MATERIALS, unavailable.MATERIALS)


def _check_prototype(path: str, kind: str, name: str, known: Mapping[str, Prototype], later: Collection[str]) -> None:
    if name in known:
        return
    if name in later:
        raise InputError(
            path, f"the {kind} '{name}' is not available in this version; available are {', '.join(sorted(known))}"
        )
    raise InputError(path, f"there is no {kind} '{name}'; {suggest_name(name, known)}")


def _check_criteria_and_sets(recipe: Recipe) -> None:
    conditions = recipe.process_conditions
    for name in conditions.feature_criteria:
        path = format_location(("process_conditions", "feature_criteria", name))
        if name in BUILT_IN_CRITERIA:
            raise InputError(path, f"'{name}' is a built-in criterion; give yours another name")
        if not re.fullmatch(r"\w+", name):
            raise InputError(path, f"a set expression cannot mention '{name}'; use letters, digits and '_' only")
    criteria = {*BUILT_IN_CRITERIA, *conditions.feature_criteria}
    for name, recipe_set in conditions.sets.items():
        path = format_location(("process_conditions", "sets", name))
        if name in BUILT_IN_SETS:
            raise InputError(path, f"'{name}' is a built-in set; give yours another name")
        for mentioned in parse_expression(recipe_set.criterion).list_names():
            if mentioned not in criteria:
                raise InputError(
                    f"{path}.criterion", f"there is no criterion '{mentioned}'; {suggest_name(mentioned, criteria)}"
                )


def _iterate_steps(recipe: Recipe) -> Iterator[tuple[str, Step]]:
    chain = recipe.synth_chain
    lists: tuple[tuple[str, Sequence[Step]], ...] = (
        ("feature_generation_steps", chain.feature_generation_steps),
        ("rendering_steps", chain.rendering_steps),
    )
    for name, steps in lists:
        for index, step in enumerate(steps):
            yield format_location(("synth_chain", name, index)), step


def _check_step(recipe: Recipe, path: str, step: Step) -> None:
    conditions = recipe.process_conditions
    for field in _SET_FIELDS:
        name = getattr(step, field, None)
        if name is None:
            continue
        if name not in BUILT_IN_SETS and name not in conditions.sets:
            raise InputError(
                f"{path}.{field}", f"there is no set '{name}'; {suggest_name(name, [*BUILT_IN_SETS, *conditions.sets])}"
            )
        if type(step).__name__ not in _STEPS_OF_ANY_SET and name in BUILT_IN_SETS.keys() - _PARTICLE_SETS:
            raise InputError(
                f"{path}.{field}", f"this step is about particles, and '{name}' holds none; try AllParticles"
            )
    variability = getattr(step, "feature_variability_name", None)
    if variability is not None and variability not in conditions.feature_variabilities:
        raise InputError(
            f"{path}.feature_variability_name",
            f"there is no variability '{variability}'; {suggest_name(variability, conditions.feature_variabilities)}",
        )


def _check_uniqueness(recipe: Recipe) -> None:
    first: dict[tuple[str, str], str] = {}
    for path, step in _iterate_steps(recipe):
        names = [(path.partition("[")[0], "id", step.id)] if step.id else []
        if isinstance(step, SaveState):
            names.append(("", "name", step.name))
        for scope, field, name in names:
            other = first.setdefault((scope + field, name), path)
            if other != path:
                raise InputError(f"{path}.{field}", f"'{name}' is the {field} of {other} too; give it another one")
