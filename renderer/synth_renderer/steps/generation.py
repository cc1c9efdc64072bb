"""Feature generation steps: each changes the world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from synth_api.recipe.feature_generation import (
    DistributeInMeasurementVolume,
    InvokeBlueprints,
    LoadState,
    RelaxCollisions,
    TriggerFeatureUpdate,
)
from synth_api.recipe.rendering import SaveState
from synth_api.recipe.variabilities import UniformlyRandomLocationInMeasurementVolume
from synth_renderer.physics.relax import relax
from synth_renderer.scene.sets import members
from synth_renderer.scene.stage import bodies_of
from synth_renderer.streams import Stream, step_names
from synth_renderer.variabilities import draw

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_renderer.scene.world import World
    from synth_renderer.stopwatch import Stopwatch


def generate(world: World, watch: Stopwatch) -> None:
    """Carry out the recipe's feature generation steps in order; a dry run stops at its state."""
    steps = world.recipe.synth_chain.feature_generation_steps
    for name, step in zip(step_names(steps), steps, strict=True):
        with watch.stage("physics" if isinstance(step, RelaxCollisions) else "features"):
            _STEPS[type(step)](world, step, name)
        if world.stopped_by:
            return


def _invoke(world: World, step: InvokeBlueprints, _name: str) -> None:
    chosen = members(world, step.affected_set_name)
    blueprints = world.recipe.blueprints
    for name in chosen.technique_blueprints:
        world.invoke_technique(name, blueprints.measurement_techniques[name])
    for name in chosen.particle_blueprints:
        world.invoke_particles(name, blueprints.particles[name])


def _trigger(world: World, step: TriggerFeatureUpdate, name: str) -> None:
    """Members without the feature are skipped."""
    bound = world.recipe.process_conditions.feature_variabilities[step.feature_variability_name]
    chosen = members(world, step.affected_set_name)
    volume = world.invoked_technique().volume()
    feature = bound.feature_name
    particles = world.particles
    for row in np.flatnonzero(chosen.particles & particles.features.present(feature)):
        stream = Stream(world.seed, name, particles.names[row], feature)
        particles.set_feature(int(row), feature, draw(bound.variability, stream, volume))
    technique = world.invoked_technique()
    if chosen.technique and feature in technique.features:
        stream = Stream(world.seed, name, technique.name, feature)
        technique.features.set(feature, 0, draw(bound.variability, stream, volume))


def _distribute(world: World, step: DistributeInMeasurementVolume, name: str) -> None:
    volume, particles = world.invoked_technique().volume(), world.particles
    for row in np.flatnonzero(members(world, step.affected_set_name).particles):
        stream = Stream(world.seed, name, particles.names[row], "location")
        location = draw(UniformlyRandomLocationInMeasurementVolume(), stream, volume)
        particles.set_feature(int(row), "location", location)


def _relax(world: World, step: RelaxCollisions, _name: str) -> None:
    particles, technique = world.particles, world.invoked_technique()
    affected = members(world, step.affected_set_name).particles
    container = technique.volume() if technique.technique.has_walls() else None
    locations, quaternions, report = relax(bodies_of(particles, affected), step, container)
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
    SaveState: _save,
    LoadState: _load,
}
