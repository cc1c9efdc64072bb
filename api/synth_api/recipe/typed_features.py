"""Check that every named feature exists, and conversion of constants to the type of their feature."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from synth_api.errors import InputError, suggest_name
from synth_api.problems import format_location
from synth_api.prototypes.feature_names import FEATURE_NAMES
from synth_api.prototypes.geometries import GEOMETRIES
from synth_api.prototypes.materials import MATERIALS
from synth_api.prototypes.techniques import TECHNIQUES
from synth_api.recipe.criteria import FeatureCriterion
from synth_api.recipe.expression import parse_expression
from synth_api.recipe.feature_generation import AgglomerateParticles, DepositOnSubstrate, TriggerFeatureUpdate
from synth_api.recipe.feature_values import convert_parameter, convert_value, convert_variability
from synth_api.recipe.node import Builtin
from synth_api.recipe.variabilities import Constant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from synth_api.prototypes.feature import Feature, Prototype
    from synth_api.recipe.feature_generation import FeatureGenerationStep
    from synth_api.recipe.model import (
        Blueprint,
        Blueprints,
        FeatureVariability,
        MeasurementTechniqueBlueprint,
        ParticleBlueprint,
        Recipe,
        SynthChain,
    )

    Features = dict[str, list[Feature | None]]
    """Name -> declarations by prototypes and blueprints; None stands for a feature of any type."""

_COMMON_FEATURES: Final = ("blueprint_name", "category_color")
_KINDS: Final = {
    "geometry": GEOMETRIES,
    "material": MATERIALS,
    "measurement technique": TECHNIQUES,
}


def convert_features(recipe: Recipe) -> Recipe:
    """Return the recipe with every constant in the type of its feature: 1 becomes 1.0 for a float feature.

    Raises InputError for a feature that nothing declares, and for values of the wrong type or outside the bounds.
    """
    of_techniques = _collect_features("measurement_techniques", recipe.blueprints.measurement_techniques)
    of_particles = _collect_features("particles", recipe.blueprints.particles)
    everywhere: Features = defaultdict(list)
    for features in (of_techniques, of_particles):
        for name, declared in features.items():
            everywhere[name] += declared
    _check_criteria(recipe, everywhere)
    _check_triggers(recipe, of_techniques, of_particles, everywhere)
    conditions = recipe.process_conditions
    variabilities = {
        name: _convert_feature_variability(name, bound, everywhere)
        for name, bound in conditions.feature_variabilities.items()
    }
    return recipe.model_copy(
        update={
            "blueprints": _convert_blueprints(recipe.blueprints),
            "process_conditions": conditions.model_copy(update={"feature_variabilities": variabilities}),
            "synth_chain": _convert_chain(recipe.synth_chain),
        }
    )


def _collect_features(
    section: str, blueprints: Mapping[str, MeasurementTechniqueBlueprint] | Mapping[str, ParticleBlueprint]
) -> Features:
    offered: Features = defaultdict(list)
    for name, blueprint in blueprints.items():
        for feature, declared in _list_features(format_location(("blueprints", section, name)), blueprint).items():
            offered[feature].append(declared)
    return offered


def _list_features(path: str, blueprint: Blueprint) -> dict[str, Feature | None]:
    """Return the features of a blueprint's objects. Raises InputError for a name that two of its parts declare."""
    features: dict[str, Feature | None] = dict.fromkeys(_COMMON_FEATURES)
    own = [{feature.name: None} for feature in blueprint.custom_features]
    for part in (*own, *(prototype.features for prototype in _list_prototypes(blueprint))):
        for name, declared in part.items():
            if name in features:
                raise InputError(path, f"two of its parts offer the feature '{name}'; choose other prototypes or names")
            features[name] = declared
    return features


def _list_prototypes(blueprint: Blueprint) -> Iterable[Prototype]:
    values: Any = blueprint
    if hasattr(blueprint, "geometry_prototype_name"):
        return (GEOMETRIES[values.geometry_prototype_name], MATERIALS[values.material_prototype_name])
    return (
        TECHNIQUES[values.measurement_technique_prototype_name],
        MATERIALS[values.measurement_volume_material_prototype_name],
        MATERIALS[values.background_material_prototype_name],
    )


def _check_criteria(recipe: Recipe, everywhere: Features) -> None:
    conditions = recipe.process_conditions
    used = {name for each in conditions.sets.values() for name in parse_expression(each.criterion).list_names()}
    for name, criterion in conditions.feature_criteria.items():
        if isinstance(criterion, FeatureCriterion):
            path = format_location(("process_conditions", "feature_criteria", name, "feature_name"))
            _check_feature_name(path, criterion.feature_name, everywhere, used=name in used)


def _check_feature_name(path: str, name: str, known: Features, *, used: bool) -> None:
    """Raise InputError for an unknown feature. Where no step uses the name, a feature of any prototype is allowed: a
    child recipe inherits more than it needs."""
    if name not in known and (used or name not in FEATURE_NAMES):
        raise InputError(path, f"nothing in this recipe has a feature '{name}'; {_suggest_feature(name, known)}")


def _suggest_feature(name: str, known: Iterable[str]) -> str:
    """Return which prototypes have the feature, or if none has it a similar name of `known`."""
    if name not in FEATURE_NAMES:
        return suggest_name(name, known)
    owners = {kind: sorted(each for each in named if name in named[each].features) for kind, named in _KINDS.items()}
    phrases = [
        f"the {kind} prototype{'s' if names[1:] else ''} {', '.join(names)}" for kind, names in owners.items() if names
    ]
    return f"{' and '.join(phrases)} {'have' if sum(map(len, owners.values())) > 1 else 'has'} it"


def _check_triggers(recipe: Recipe, of_techniques: Features, of_particles: Features, everywhere: Features) -> None:
    variabilities = recipe.process_conditions.feature_variabilities
    members = {
        "AllParticles": of_particles,
        "AllUltimateParents": of_particles,
        "AllMeasurementTechniques": of_techniques,
        "AllParticleBlueprints": {},
        "AllMeasurementTechniqueBlueprints": {},
    }
    used = set()
    for index, step in enumerate(recipe.synth_chain.feature_generation_steps):
        if not isinstance(step, TriggerFeatureUpdate):
            continue
        used.add(step.feature_variability_name)
        feature = variabilities[step.feature_variability_name].feature_name
        known = members.get(step.affected_set_name, everywhere)
        if feature in everywhere and feature not in known:
            raise InputError(
                format_location(("synth_chain", "feature_generation_steps", index, "affected_set_name")),
                f"no member of '{step.affected_set_name}' has the feature '{feature}'; choose another set",
            )
    for name, bound in variabilities.items():
        path = format_location(("process_conditions", "feature_variabilities", name, "feature_name"))
        _check_feature_name(path, bound.feature_name, everywhere, used=name in used)


def _convert_feature_variability(name: str, bound: FeatureVariability, everywhere: Features) -> FeatureVariability:
    path = format_location(("process_conditions", "feature_variabilities", name, "variability"))
    declared = everywhere.get(bound.feature_name, [None])
    if None in declared:
        return bound
    problems = []
    for feature in declared:
        assert feature is not None
        try:
            variability = convert_variability(bound.variability, feature)
        except InputError as error:
            problems.append(error)
        else:
            return bound.model_copy(update={"variability": variability})
    where = f"{path}.{problems[0].path}" if problems[0].path else path
    raise InputError(where, f"for the feature '{bound.feature_name}', {problems[0].problem}")


def _convert_chain(chain: SynthChain) -> SynthChain:
    steps = tuple(
        _convert_step(format_location(("synth_chain", "feature_generation_steps", index)), step)
        for index, step in enumerate(chain.feature_generation_steps)
    )
    return chain.model_copy(update={"feature_generation_steps": steps})


def _convert_step(path: str, step: FeatureGenerationStep) -> FeatureGenerationStep:
    match step:
        case DepositOnSubstrate():
            return _convert_deposit(path, step)
        case AgglomerateParticles():
            return _convert_agglomeration(path, step)
    return step


def _convert_agglomeration(path: str, step: AgglomerateParticles) -> AgglomerateParticles:
    field = "primary_particle_number_variability"
    if step.primary_particle_number_variability is None:
        return step
    try:
        value = convert_variability(step.primary_particle_number_variability, step.primary_particle_number)
    except InputError as error:
        raise InputError(f"{path}.{field}.{error.path}", error.problem) from None
    if value == Constant(value=0.0):
        raise InputError(f"{path}.{field}.value", "an agglomerate has one particle or more, not 0")
    return step.model_copy(update={field: value})


def _convert_deposit(path: str, step: DepositOnSubstrate) -> DepositOnSubstrate:
    values = {}
    for name, declared in step.parameters.items():
        value = getattr(step, name)
        if value is None:
            continue
        try:
            values[name] = convert_parameter(value, declared)
        except InputError as error:
            inner = f".{error.path}" if isinstance(value, Builtin) else ""
            raise InputError(f"{path}.{name}{inner}", error.problem) from None
    return step.model_copy(update=values)


def _convert_blueprints(blueprints: Blueprints) -> Blueprints:
    return blueprints.model_copy(
        update={
            section: {
                name: _convert_constants(format_location(("blueprints", section, name)), blueprint)
                for name, blueprint in getattr(blueprints, section).items()
            }
            for section in ("measurement_techniques", "particles")
        }
    )


def _convert_constants(path: str, blueprint: Blueprint) -> Blueprint:
    if not blueprint.features:
        return blueprint
    known = _list_features(path, blueprint)
    constants = {}
    for name, value in blueprint.features.items():
        where = f"{path}.features.{name}"
        feature = known.get(name)
        if feature is None:
            settable = [other for other, declared in known.items() if declared]
            raise InputError(
                where, f"this blueprint has no feature '{name}' to set; {_suggest_feature(name, settable)}"
            )
        try:
            constants[name] = convert_value(value, feature)
        except InputError as error:
            raise InputError(where, error.problem) from None
    return blueprint.model_copy(update={"features": constants})
