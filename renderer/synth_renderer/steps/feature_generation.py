"""Feature generation steps: each changes the world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from synth_api.recipe.feature_generation import (
    DepositOnSubstrate,
    DistributeInMeasurementVolume,
    InvokeBlueprints,
    LoadState,
    RelaxCollisions,
    TriggerFeatureUpdate,
)
from synth_api.recipe.rendering import SaveState
from synth_api.recipe.variabilities import UniformlyRandomLocationInMeasurementVolume
from synth_renderer.randomness.streams import Stream, step_names
from synth_renderer.randomness.variabilities import Scale, draw, settled, weighted
from synth_renderer.scene.sets import members
from synth_renderer.scene.staging import bodies_of
from synth_renderer.steps.deposit_on_substrate import deposit_on_substrate
from synth_renderer.steps.relax import relax

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from synth_api.recipe.model import Blueprint
    from synth_renderer.scene.world import World
    from synth_renderer.steps.stopwatch import Stopwatch


def generate(world: World, watch: Stopwatch) -> None:
    """Carry out the recipe's feature generation steps in order; a dry run stops at its state."""
    steps = world.recipe.synth_chain.feature_generation_steps
    for name, step in zip(step_names(steps), steps, strict=True):
        with watch.stage("physics" if isinstance(step, RelaxCollisions) else "features"):
            _STEPS[type(step)](world, step, name)
        if world.stopped_by:
            return


def _invoke(world: World, step: InvokeBlueprints, name: str) -> None:
    chosen = members(world, step.affected_set_name)
    blueprints = world.recipe.blueprints
    techniques, particles = chosen.technique_blueprints, chosen.particle_blueprints
    if step.choose == "one":
        stream = Stream(world.seed, name, "", "choice")
        techniques = _one_of(techniques, blueprints.measurement_techniques, stream)
        particles = _one_of(particles, blueprints.particles, stream)
    for technique in techniques:
        world.invoke_technique(technique, blueprints.measurement_techniques[technique])
    for particle in particles:
        world.invoke_particles(particle, blueprints.particles[particle])


def _one_of(names: tuple[str, ...], blueprints: Mapping[str, Blueprint], stream: Stream) -> tuple[str, ...]:
    """One of the names, each as likely as its blueprint's share of the weights; none of none."""
    if not names:
        return ()
    return (names[weighted([blueprints[name].weight or 0.0 for name in names], stream.uniform())],)


def _trigger(world: World, step: TriggerFeatureUpdate, name: str) -> None:
    """Members without the feature are skipped."""
    bound = world.recipe.process_conditions.feature_variabilities[step.feature_variability_name]
    chosen, feature = members(world, step.affected_set_name), bound.feature_name
    technique, particles, scale = world.invoked_technique(), world.particles, _scale(world)

    def stream(of: str, what: str = feature) -> Stream:
        return Stream(world.seed, name, of, what)

    variability = settled(bound.variability, lambda parameter: stream("", f"{feature}.{parameter}"), scale)
    same = draw(variability, stream(""), scale) if bound.per == "run" else None
    for row in np.flatnonzero(chosen.particles & particles.features.present(feature)):
        value = draw(variability, stream(particles.names[row]), scale) if bound.per == "object" else same
        particles.set_feature(int(row), feature, value)
    if chosen.technique and feature in technique.features:
        value = draw(variability, stream(technique.name), scale) if bound.per == "object" else same
        technique.features.set(feature, 0, value)


def _scale(world: World) -> Scale:
    return Scale(world.invoked_technique().volume(), world.pixel())


def _distribute(world: World, step: DistributeInMeasurementVolume, name: str) -> None:
    scale, particles = _scale(world), world.particles
    for row in np.flatnonzero(members(world, step.affected_set_name).particles):
        stream = Stream(world.seed, name, particles.names[row], "location")
        location = draw(UniformlyRandomLocationInMeasurementVolume(), stream, scale)
        particles.set_feature(int(row), "location", location)


def _relax(world: World, step: RelaxCollisions, _name: str) -> None:
    particles, technique = world.particles, world.invoked_technique()
    affected = members(world, step.affected_set_name).particles
    container = technique.volume() if technique.technique.has_walls() else None
    locations, quaternions, report = relax(bodies_of(particles, affected, None), step, container)
    particles.features.set_all("location", locations, affected)
    particles.quaternions[affected] = quaternions
    world.physics.append(report)
    if step.dry_run:
        world.stopped_by = "dry_run"


def _save(world: World, step: SaveState, _name: str) -> None:
    world.save(step.name)


def _load(world: World, step: LoadState, _name: str) -> None:
    world.load(step.name)


_STEPS: dict[type, Callable[[World, Any, str], None]] = {
    InvokeBlueprints: _invoke,
    TriggerFeatureUpdate: _trigger,
    DistributeInMeasurementVolume: _distribute,
    RelaxCollisions: _relax,
    DepositOnSubstrate: deposit_on_substrate,
    SaveState: _save,
    LoadState: _load,
}
