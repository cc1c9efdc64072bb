"""The feature generation steps, one function each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from synth_api.recipe.feature_generation import (
    AgglomerateParticles,
    DepositOnSubstrate,
    DistributeInMeasurementVolume,
    InvokeBlueprints,
    LoadState,
    RelaxCollisions,
    TriggerFeatureUpdate,
)
from synth_api.recipe.rendering import SaveState
from synth_api.recipe.variabilities import UniformlyRandomLocationInMeasurementVolume
from synth_renderer.model.errors import RenderError
from synth_renderer.randomness.streams import Stream, build_step_names
from synth_renderer.randomness.variabilities import Scale, choose_index, draw_parameters, draw_value
from synth_renderer.scene.features import COMPONENTS, FACTORS
from synth_renderer.scene.orientation import UNTURNED, orient_particle
from synth_renderer.scene.sets import find_members
from synth_renderer.scene.staging import build_bodies
from synth_renderer.steps.agglomerate import agglomerate_particles
from synth_renderer.steps.deposit_on_substrate import deposit_on_substrate
from synth_renderer.steps.relax import relax

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from synth_api.recipe.model import Blueprint, ParticleBlueprint
    from synth_renderer.scene.world import Particles, World
    from synth_renderer.steps.stopwatch import Stopwatch


_PLACES: Final = ("location", *COMPONENTS)
_SIZES: Final = ("dimensions", *FACTORS)


def run_generation_steps(world: World, watch: Stopwatch) -> None:
    """Run the recipe's feature generation steps in order; a dry run stops after its step."""
    steps = world.recipe.synth_chain.feature_generation_steps
    for name, step in zip(build_step_names(steps), steps, strict=True):
        with watch.measure_stage("physics" if isinstance(step, RelaxCollisions) else "features"):
            _STEPS[type(step)](world, step, name)
        if world.stopped_by:
            return


def _invoke(world: World, step: InvokeBlueprints, name: str) -> None:
    chosen = find_members(world, step.affected_set_name)
    blueprints = world.recipe.blueprints
    techniques, particles = chosen.technique_blueprints, chosen.particle_blueprints
    if step.choose == "one":
        stream = Stream(world.seed, name, "", "choice")
        techniques = _choose_one(techniques, blueprints.measurement_techniques, stream)
        particles = _choose_one(particles, blueprints.particles, stream)
    for technique in techniques:
        world.invoke_technique(technique, blueprints.measurement_techniques[technique])
    for particle in particles:
        blueprint = blueprints.particles[particle]
        world.invoke_particles(particle, blueprint, _draw_number(world, name, particle, blueprint))


def _draw_number(world: World, step: str, name: str, blueprint: ParticleBlueprint) -> int:
    """Return the number of particles of the blueprint `name`."""
    if isinstance(blueprint.number, int):
        return blueprint.number
    number = draw_value(blueprint.number, Stream(world.seed, step, "", f"{name}.number"), _build_scale(world))
    assert isinstance(number, int)
    return number


def _choose_one(names: tuple[str, ...], blueprints: Mapping[str, Blueprint], stream: Stream) -> tuple[str, ...]:
    """Return one of the names by the weights of their blueprints; an empty tuple for no names."""
    if not names:
        return ()
    return (names[choose_index([blueprints[name].weight or 0.0 for name in names], stream.draw_uniform())],)


def _update_feature(world: World, step: TriggerFeatureUpdate, name: str) -> None:
    """Draw a feature of the set's members; those without the feature are skipped."""
    bound = world.recipe.process_conditions.feature_variabilities[step.feature_variability_name]
    chosen, feature = find_members(world, step.affected_set_name), bound.feature_name
    technique, particles, scale = world.require_technique(), world.particles, _build_scale(world)

    def stream(of: str, what: str = feature) -> Stream:
        return Stream(world.seed, name, of, what)

    variability = draw_parameters(bound.variability, lambda parameter: stream("", f"{feature}.{parameter}"), scale)
    same = draw_value(variability, stream(""), scale) if bound.per == "run" else None
    for row in _list_affected_rows(particles, chosen.particles, feature):
        value = draw_value(variability, stream(particles.names[row]), scale) if bound.per == "object" else same
        if feature in _PLACES:
            particles.move_with_agglomerate(int(row), feature, value)
        else:
            particles.set_feature(int(row), feature, value)
    if chosen.technique and feature in technique.features:
        value = draw_value(variability, stream(technique.name), scale) if bound.per == "object" else same
        technique.features.set_value(feature, 0, value)


def _list_affected_rows(particles: Particles, chosen: NDArray[np.bool_], feature: str) -> NDArray[np.int64]:
    """Return the rows whose feature is drawn: an agglomerate moves with its first particle.

    Raises RenderError if it would change the size of a particle in an agglomerate.
    """
    rows = chosen & particles.features.find_present(feature)
    if feature in _PLACES:
        rows &= particles.find_ultimate_parents()
    if feature in _SIZES and particles.membership["agglomerate"][rows].any():
        raise RenderError(
            f"the feature '{feature}' of particles in agglomerates would part them; set it before AgglomerateParticles"
        )
    return np.flatnonzero(rows)


def _build_scale(world: World) -> Scale:
    return Scale(world.require_technique().compute_volume(), world.compute_pixel_size())


def _distribute(world: World, step: DistributeInMeasurementVolume, name: str) -> None:
    scale, particles = _build_scale(world), world.particles
    affected = find_members(world, step.affected_set_name).particles
    for row in np.flatnonzero(affected & particles.find_ultimate_parents()):
        stream = Stream(world.seed, name, particles.names[row], "location")
        location = draw_value(UniformlyRandomLocationInMeasurementVolume(), stream, scale)
        particles.move_with_agglomerate(int(row), "location", location)
        orient_particle(world, int(row), _build_orientation_key(world, name, int(row)))


def _build_orientation_key(world: World, step: str, row: int) -> np.uint64:
    return np.uint64(Stream(world.seed, step, world.particles.names[row], "orientation").draw_word())


def _relax(world: World, step: RelaxCollisions, name: str) -> None:
    """Let particles come to rest; those that no step has turned yet begin in the orientation of their feature."""
    particles, technique = world.particles, world.require_technique()
    for row in np.flatnonzero(
        find_members(world, step.affected_set_name).particles
        & particles.find_ultimate_parents()
        & (particles.quaternions == UNTURNED).all(axis=1)
    ):
        orient_particle(world, int(row), _build_orientation_key(world, name, int(row)))
    affected = particles.complete_agglomerates(find_members(world, step.affected_set_name).particles)
    container = technique.compute_volume() if technique.technique.has_walls() else None
    locations, quaternions, report = relax(
        build_bodies(particles, affected, None), step, container, particles.membership["agglomerate"][affected]
    )
    particles.features.set_values("location", locations, affected)
    particles.quaternions[affected] = quaternions
    world.physics.append(report)
    if step.dry_run:
        world.stopped_by = "dry_run"


def _save_state(world: World, step: SaveState, _name: str) -> None:
    world.save_state(step.name)


def _load_state(world: World, step: LoadState, _name: str) -> None:
    world.load_state(step.name)


_STEPS: dict[type, Callable[[World, Any, str], None]] = {
    InvokeBlueprints: _invoke,
    TriggerFeatureUpdate: _update_feature,
    DistributeInMeasurementVolume: _distribute,
    RelaxCollisions: _relax,
    AgglomerateParticles: agglomerate_particles,
    DepositOnSubstrate: deposit_on_substrate,
    SaveState: _save_state,
    LoadState: _load_state,
}
