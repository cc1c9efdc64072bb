"""Values of a recipe that change no output: legal in the recipe language, but worth a warning."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from synth_api.problems import format_location, quote_value
from synth_api.prototypes.geometries import GEOMETRIES
from synth_api.prototypes.materials import MATERIALS
from synth_api.prototypes.techniques import TECHNIQUES
from synth_api.recipe.criteria import FeatureCriterion
from synth_api.recipe.feature_generation import InvokeBlueprints, TriggerFeatureUpdate
from synth_api.recipe.model import MeasurementTechniqueBlueprint
from synth_api.recipe.node import Builtin, Node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_api.prototypes.feature import Prototype
    from synth_api.recipe.model import ParticleBlueprint, Recipe

    Location = tuple[str | int, ...]

_WITHOUT_BACKGROUND: Final = "default"
"""The measurement technique prototype that has no background."""
_VARIABILITIES: Final = ("process_conditions", "feature_variabilities")


class Finding(NamedTuple):
    """A place of a recipe that no picture or label depends on, whatever value it holds."""

    location: Location
    value: Any
    reason: str
    is_mentioned: bool = True
    """False for a default, and for what a recipe that others inherit from may hold."""

    def __str__(self) -> str:
        return f"{format_location(self.location)}: {_quote(self.value)} has no effect: {self.reason}"


def _quote(value: Any) -> str:
    if isinstance(value, Builtin):
        return type(value).__name__
    return str(list(value)) if isinstance(value, tuple) else quote_value(value)


def find_ineffective_values(recipe: Recipe) -> Iterator[Finding]:
    """Yield the places that no picture or label of this recipe depends on, those at their defaults as well."""
    return chain(
        _find_fields(recipe, ()), _find_weights(recipe), _find_features(recipe), _find_unused_variabilities(recipe)
    )


def describe_ineffective_values(recipe: Recipe) -> Iterator[str]:
    """Return a sentence for each value that changes no output though it could be meant to: path, value, reason.

    Values that equal their default are not mentioned.
    """
    return (str(finding) for finding in find_ineffective_values(recipe) if finding.is_mentioned)


def _find_fields(value: Any, location: Location) -> Iterator[Finding]:
    """Yield the fields that their nodes declare to be without effect."""
    if isinstance(value, Node):
        fields = type(value).model_fields
        for name, reason in value.list_ineffective_fields().items():
            held = getattr(value, name)
            yield Finding((*location, name), held, reason, held != fields[name].default)
        for name in fields:
            yield from _find_fields(getattr(value, name), (*location, name))
    elif isinstance(value, dict | tuple):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _find_fields(item, (*location, key))


def _find_weights(recipe: Recipe) -> Iterator[Finding]:
    steps = recipe.synth_chain.feature_generation_steps
    if any(isinstance(step, InvokeBlueprints) and step.choose == "one" for step in steps):
        return
    for section, name, blueprint in _iterate_blueprints(recipe):
        reason = "no step chooses one of several blueprints"
        yield Finding(("blueprints", section, name, "weight"), blueprint.weight, reason, blueprint.weight is not None)


def _find_features(recipe: Recipe) -> Iterator[Finding]:
    """Yield features without effect that a blueprint or a triggered variability sets."""
    techniques = [
        blueprint.measurement_technique_prototype_name
        for blueprint in recipe.blueprints.measurement_techniques.values()
    ]
    # A criterion decides by a feature what a set holds, whether or not pictures show the feature.
    compared = dict.fromkeys(_list_compared_features(recipe), "")
    reasons: dict[str, list[str]] = {}
    for section, name, blueprint in _iterate_blueprints(recipe):
        if isinstance(blueprint, MeasurementTechniqueBlueprint):
            material = blueprint.background_material_prototype_name
            if blueprint.measurement_technique_prototype_name == _WITHOUT_BACKGROUND:
                place = ("blueprints", section, name, "background_material_prototype_name")
                yield Finding(place, material, "this technique has no background", material != "vacuum")
            own = _explain_technique_features(blueprint) | compared
        else:
            own = _explain_particle_features(blueprint, techniques) | compared
        for feature, reason in own.items():
            reasons.setdefault(feature, []).append(reason)
        for feature, value in blueprint.features.items():
            if own.get(feature):
                yield Finding(("blueprints", section, name, "features", feature), value, own[feature])
    for variability in _list_triggered_variabilities(recipe):
        feature = recipe.process_conditions.feature_variabilities[variability].feature_name
        if all(reasons.get(feature, [""])):
            yield Finding((*_VARIABILITIES, variability, "feature_name"), feature, reasons[feature][0])
            yield Finding((*_VARIABILITIES, variability), None, reasons[feature][0], is_mentioned=False)


def _find_unused_variabilities(recipe: Recipe) -> Iterator[Finding]:
    used = set(_list_triggered_variabilities(recipe))
    for name in recipe.process_conditions.feature_variabilities:
        if name not in used:
            yield Finding((*_VARIABILITIES, name), None, "no step draws from it", is_mentioned=False)


def _explain_technique_features(blueprint: MeasurementTechniqueBlueprint) -> dict[str, str]:
    """Return feature -> reason why it has no effect, empty if it has one."""
    technique = blueprint.measurement_technique_prototype_name
    volume = MATERIALS[blueprint.measurement_volume_material_prototype_name]
    background = MATERIALS[blueprint.background_material_prototype_name]
    if technique == _WITHOUT_BACKGROUND:
        seen = dict.fromkeys(background.features, "this technique has no background")
    else:
        seen = _explain_material_features(background, [technique])
    return (
        {name: feature.no_effect for name, feature in TECHNIQUES[technique].features.items()}
        | dict.fromkeys(volume.features, "the measurement volume is not rendered")
        | seen
    )


def _explain_particle_features(blueprint: ParticleBlueprint, techniques: list[str]) -> dict[str, str]:
    geometry = GEOMETRIES[blueprint.geometry_prototype_name]
    return {name: feature.no_effect for name, feature in geometry.features.items()} | _explain_material_features(
        MATERIALS[blueprint.material_prototype_name], techniques
    )


def _explain_material_features(material: Prototype, techniques: list[str]) -> dict[str, str]:
    hidden = material.shown_by and not set(material.shown_by) & set(techniques)
    return dict.fromkeys(material.features, f"{' and '.join(techniques)} does not show it" if hidden else "")


def _list_compared_features(recipe: Recipe) -> Iterator[str]:
    """Return the names of the features that criteria compare."""
    criteria = recipe.process_conditions.feature_criteria.values()
    return (criterion.feature_name for criterion in criteria if isinstance(criterion, FeatureCriterion))


def _list_triggered_variabilities(recipe: Recipe) -> Iterator[str]:
    """Yield the names of the variabilities that steps draw from, each once."""
    steps = recipe.synth_chain.feature_generation_steps
    yield from dict.fromkeys(step.feature_variability_name for step in steps if isinstance(step, TriggerFeatureUpdate))


def _iterate_blueprints(recipe: Recipe) -> Iterator[tuple[str, str, MeasurementTechniqueBlueprint | ParticleBlueprint]]:
    for section in ("measurement_techniques", "particles"):
        for name, blueprint in getattr(recipe.blueprints, section).items():
            yield section, name, blueprint
