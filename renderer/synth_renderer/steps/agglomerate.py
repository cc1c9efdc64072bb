"""The step that joins spheres to agglomerates."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from synth_api.recipe.feature_generation import PUBLISHED_MODES
from synth_renderer.agglomeration.growth import FRACTAL_DIMENSIONS, grow_agglomerate
from synth_renderer.model.errors import DrawError, RenderError
from synth_renderer.model.transforms import compute_middle, multiply_quaternions
from synth_renderer.randomness.streams import Stream
from synth_renderer.randomness.variabilities import Scale, draw_parameters, draw_value
from synth_renderer.scene.sets import find_members
from synth_renderer.scene.staging import build_scaled_mesh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from synth_api.recipe.feature_generation import AgglomerateParticles
    from synth_renderer.model.staged_scene import Box
    from synth_renderer.scene.world import Particles, World


def agglomerate_particles(world: World, step: AgglomerateParticles, name: str) -> None:
    """Join the step's particles to agglomerates, each around the mean place of its particles.

    Raises RenderError for particles that are no spheres, or in an agglomerate already, and for an agglomerate that is
    longer than the measurement volume; DrawError for a number of primary particles that is not positive.
    """
    particles, volume = world.particles, world.require_technique().compute_volume()
    rows = np.flatnonzero(find_members(world, step.affected_set_name).particles)
    radii = _read_radii(world, rows)
    for members in _group_rows(world, step, name, rows):
        key = np.uint64(Stream(world.seed, name, particles.names[members[0]], "collisions").draw_word())
        _join_particles(particles, members, radii[np.searchsorted(rows, members)], step, key, volume)


def _read_radii(world: World, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the radii of the particles `rows`, scene units. Raises RenderError unless they are free spheres."""
    particles, radii = world.particles, np.empty(len(rows))
    for position, row in enumerate(rows):
        size, particle = particles.compute_size(int(row)), particles.names[row]
        if not build_scaled_mesh(particles, int(row), None, world.meshes).is_sphere:
            raise RenderError(
                f"particle {particle} is no sphere, and only spheres agglomerate; take the prototype sphere with equal"
                " dimensions"
            )
        if particles.membership["agglomerate"][row]:
            raise RenderError(f"particle {particle} is in an agglomerate already; leave it out of the step's set")
        radii[position] = size[0] / 2
    return radii


def _group_rows(
    world: World, step: AgglomerateParticles, name: str, rows: NDArray[np.int64]
) -> Iterator[NDArray[np.int64]]:
    """Yield the rows of each agglomerate in order of the ids; the last one has what is left."""
    technique = world.require_technique()
    scale, variability = (
        Scale(technique.compute_volume(), world.compute_pixel_size()),
        step.primary_particle_number_variability,
    )
    number = "primary_particle_number"
    if variability is not None:
        variability = draw_parameters(variability, lambda part: Stream(world.seed, name, "", f"{number}.{part}"), scale)
    while len(rows):
        size = len(rows)
        if variability is not None:
            drawn = draw_value(variability, Stream(world.seed, name, world.particles.names[rows[0]], number), scale)
            assert isinstance(drawn, float | int)
            if drawn <= 0:
                raise DrawError(
                    f"primary_particle_number_variability draws {drawn:g}, and an agglomerate has one particle or more"
                )
            size = math.ceil(drawn)
        yield rows[:size]
        rows = rows[size:]


def _join_particles(
    particles: Particles,
    members: NDArray[np.int64],
    radii: NDArray[np.float64],
    step: AgglomerateParticles,
    key: np.uint64,
    volume: Box,
) -> None:
    mode, randomness = PUBLISHED_MODES.get(step.mode, (step.mode, step.randomness))
    assert randomness is not None
    grown = grow_agglomerate(radii, mode, step.speed, randomness, step.sintering_ratio, key)
    _require_room(grown.centres, radii, volume)
    membership = particles.membership
    membership["agglomerate"][members] = membership["agglomerate"].max() + 1
    membership["contacts"][members] = np.bincount(grown.contacts.ravel(), minlength=len(members))
    membership["fractal_dimension"][members] = FRACTAL_DIMENSIONS[mode, randomness == 1]
    if len(members) == 1:
        return
    locations = particles.features.read_column("location").values
    chosen = np.zeros(len(particles), dtype=bool)
    chosen[members] = True
    particles.features.set_values("location", compute_middle(locations[members]) + grown.centres, chosen)
    for member, turn in zip(members, grown.turns, strict=True):
        particles.quaternions[member] = multiply_quaternions(turn, particles.quaternions[member])


def _require_room(centres: NDArray[np.float64], radii: NDArray[np.float64], volume: Box) -> None:
    length = float(((centres + radii[:, None]).max(axis=0) - (centres - radii[:, None]).min(axis=0)).max())
    room = max(high - low for low, high in zip(volume.lower, volume.upper, strict=True))
    if length > room:
        raise RenderError(
            f"an agglomerate of {len(radii)} particles is {length:.4g} long, and the measurement volume {room:.4g};"
            " take fewer or smaller particles"
        )
