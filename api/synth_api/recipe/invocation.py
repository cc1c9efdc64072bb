"""Check of the blueprints that the steps invoke, and of the particles that they find, without drawing values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from synth_api.errors import InputError, suggest_name
from synth_api.prototypes.geometries import GEOMETRIES
from synth_api.recipe.feature_generation import AgglomerateParticles, InvokeBlueprints, LoadState
from synth_api.recipe.rendering import SaveState
from synth_api.recipe.set_members import list_blueprints, list_certain_particles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth_api.recipe.model import Blueprint, Recipe

_STEPS = "synth_chain.feature_generation_steps"


@dataclass(frozen=True)
class _InvokedBlueprints:
    """Blueprints invoked so far."""

    technique: str | None = None
    particles: frozenset[str] = frozenset()


def check_invocation(recipe: Recipe) -> None:
    """Raise InputError unless the steps invoke exactly one measurement technique, before all else, nothing twice.

    Raise it also unless each LoadState names a state that an earlier step saved, and for an AgglomerateParticles of
    particles that are no spheres in any run.
    """
    if not recipe.blueprints.measurement_techniques:
        raise InputError("blueprints.measurement_techniques", "a recipe needs one, and this map is empty; add it")
    now = _InvokedBlueprints()
    saved: dict[str, _InvokedBlueprints] = {}
    for index, step in enumerate(recipe.synth_chain.feature_generation_steps):
        path = f"{_STEPS}[{index}]"
        if isinstance(step, SaveState):
            saved[step.name] = now
        elif isinstance(step, LoadState):
            if step.name not in saved:
                raise InputError(
                    f"{path}.name",
                    f"no step before this one saves a state '{step.name}'; {suggest_name(step.name, saved)}",
                )
            now = saved[step.name]
        elif isinstance(step, InvokeBlueprints):
            now = _invoke_blueprints(recipe, now, step, f"{path}.affected_set_name")
        elif now.technique is None:
            raise InputError(
                path, "a measurement technique must be invoked before this step; move its step to the front"
            )
        elif isinstance(step, AgglomerateParticles):
            _require_spheres(recipe, now, step.affected_set_name, f"{path}.affected_set_name")
    if now.technique is None:
        raise InputError(
            _STEPS,
            "no step invokes a measurement technique; begin with InvokeBlueprints of AllMeasurementTechniqueBlueprints",
        )


def _invoke_blueprints(
    recipe: Recipe, now: _InvokedBlueprints, step: InvokeBlueprints, path: str
) -> _InvokedBlueprints:
    name = step.affected_set_name
    techniques = list_blueprints(
        recipe, name, recipe.blueprints.measurement_techniques, "IsMeasurementTechniqueBlueprint"
    )
    particles = list_blueprints(recipe, name, recipe.blueprints.particles, "IsParticleBlueprint")
    if step.choose == "one":
        _check_weights(recipe, name, techniques, particles, path)
        techniques = techniques[:1]
    there = [*([now.technique] if now.technique else []), *techniques]
    if len(there) > 1 and techniques:
        raise InputError(
            path,
            f"a run has exactly one measurement technique, '{name}' would make it {' and '.join(there)}; invoke one",
        )
    if techniques:
        now = replace(now, technique=techniques[0])
    if particles and now.technique is None:
        raise InputError(
            path, f"'{name}' invokes particles before the measurement technique; move that step to the front"
        )
    for particle in particles:
        if particle in now.particles:
            raise InputError(path, f"'{particle}' has been invoked by a step before; take one of the two out")
    return replace(now, particles=now.particles | set(particles))


def _check_weights(recipe: Recipe, name: str, techniques: list[str], particles: list[str], path: str) -> None:
    """Raise InputError unless one blueprint of the set can be chosen by weight."""
    if not techniques and not particles:
        raise InputError(path, f"'{name}' holds no blueprint, and choose: one needs one at least; choose another set")
    if techniques and particles:
        raise InputError(
            path, f"'{name}' holds measurement techniques and particles; choose: one needs blueprints of one kind"
        )
    section = "measurement_techniques" if techniques else "particles"
    blueprints: Mapping[str, Blueprint] = getattr(recipe.blueprints, section)
    for member in techniques or particles:
        if blueprints[member].weight is None:
            raise InputError(
                f"blueprints.{section}.{member}",
                f"choose: one takes a blueprint of '{name}' by weight, and this one has none; add its weight",
            )
    if not any(blueprints[member].weight for member in techniques or particles):
        raise InputError(path, f"the weights of the blueprints in '{name}' are all 0; give at least one a larger one")


def _require_spheres(recipe: Recipe, now: _InvokedBlueprints, set_name: str, path: str) -> None:
    """Raise InputError if the set holds particles that steps invoke and whose geometry never is a sphere."""
    for name in list_certain_particles(recipe, set_name):
        blueprint = recipe.blueprints.particles[name]
        is_there = name in now.particles and blueprint.max_number > 0 and blueprint.weight != 0
        geometry = blueprint.geometry_prototype_name
        if is_there and not GEOMETRIES[geometry].can_be_sphere:
            spheres = ", ".join(sorted(each for each in GEOMETRIES if GEOMETRIES[each].can_be_sphere))
            raise InputError(
                path,
                f"'{set_name}' holds the particles of '{name}', whose geometry is {geometry}, and only spheres"
                f" agglomerate; leave them out of the set, or give them one of {spheres}",
            )
