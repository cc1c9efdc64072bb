"""Our own solver for spheres: the same bits on every x86-64 machine, time linear in the number of spheres.

Only + - x / and square roots in float64, compiled without fastmath, one thread, contacts in an order that the input
alone decides.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from synth_renderer.model.errors import PhysicsError
from synth_renderer.model.relax_report import PhysicsReport
from synth_renderer.numerics.kernel import kernel
from synth_renderer.physics.forces import Forces, damping_rate, kept_fraction
from synth_renderer.physics.impulses import (
    Contacts,
    Spheres,
    Surface,
    contacts_of,
    inherit,
    iterate,
    prepare,
    start_warm,
)
from synth_renderer.physics.neighbours import near_pairs
from synth_renderer.physics.overlaps import largest_overlap, moved, project, separate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.staged_scene import Box

COULOMB = 0.03
"""Coulomb's coefficient of fresh contacts between surfaces of friction 1: wet spheres slide easily until they rest."""
DRYING = 0.05
"""Between surfaces of friction 1 a contact of age a holds against an acceleration of DRYING t^3 a, t seconds after the
start: the sample dries and its contacts set. BU/s^2 per s^4. Against gravity 100 that keeps a loose heap loose and
stops its last beads; at 10,000 the heap rests before it counts (the granular Bond number)."""
MEMORY = 0.08
"""Way of slipping or rolling, in smallest radii, that makes a contact new."""
DENSEST = 0.74
"""Share of space that equal spheres fill in the densest packing (Hales 2005)."""
MOST_OVERLAP = 0.01
"""Remaining overlap, in smaller radii, with which a run is not worth keeping."""
OVERLAP_GOAL = 0.001
"""Remaining overlap, in smaller radii, at which pushing apart ends."""
MOST_SWEEPS = 2000
"""Cap of sweeps that push apart, before and again after the motion."""
MOST_SUBSTEPS = 128
"""Cap to which substeps per frame are raised."""
LONGEST_WAY = 0.25
"""Way of a sphere in one substep, in smallest radii, above which substeps are added."""
SKIN = 0.5
"""Width of the layer around a sphere, in smallest radii, in which neighbours are listed."""
STILL = 0.05
"""Iterations of a substep end early when no impulse changes by more than this share of what gravity adds in it."""
NO_REBOUND = 0.1
"""A rebound that damping would end within this many smallest radii does not happen (a low Stokes number)."""
RECOVERY = 0.2
"""Share of an overlap's depth that a substep without gravity takes away by speed, as Bullet's solver does (its error
reduction parameter, `btContactSolverInfo::m_erp`)."""
REST_WAY = 0.003
"""Way in one frame, in smallest radii, below which a sphere counts as resting."""
REST_FRAMES = 12
"""Resting frames after which the motion has ended."""


def settle_spheres(
    locations: NDArray[np.float64], radii: NDArray[np.float64], forces: Forces, container: Box | None
) -> tuple[NDArray[np.float64], PhysicsReport]:
    """Let spheres fall, collide and come to rest.

    locations (N, 3) and radii (N,), float64, world frame, scene units; returns new locations (N, 3). The container is
    closed: floor, walls and lid; spheres that stick out of it are brought in first. All spheres start at rest. With
    gravity overlaps are pushed apart first, without speed; without it they throw the spheres apart. Surfaces keep a
    collision margin each. Raises `PhysicsError` when the container cannot hold the spheres or when they still overlap
    by more than MOST_OVERLAP.
    """
    settled = np.array(locations, dtype=np.float64).reshape(-1, 3)
    sizes = np.array(radii, dtype=np.float64) + forces.collision_margin
    if not len(settled):
        return settled, PhysicsReport("spheres", 0.0, True, 0, 0, 0)
    walls = _walls(settled, sizes, container)
    is_falling = any(forces.acceleration)
    sweeps = separate(settled, sizes, walls, OVERLAP_GOAL, MOST_SWEEPS) if is_falling else 0
    frames, substeps, iterations, at_rest = _move(settled, sizes, walls, forces)
    sweeps += separate(settled, sizes, walls, OVERLAP_GOAL, MOST_SWEEPS)
    overlap = float(largest_overlap(settled, sizes, walls))
    if overlap > MOST_OVERLAP:
        raise PhysicsError(
            f"particles still overlap by {overlap:.2g} of the smaller radius after {int(sweeps)} sweeps that push them"
            f" apart (at most {MOST_OVERLAP}); fewer or smaller ones fit"
        )
    return settled, PhysicsReport(
        solver="spheres",
        largest_overlap=overlap,
        came_to_rest=at_rest,
        frames=frames,
        substeps=substeps,
        iterations=iterations,
        separation_sweeps=int(sweeps),
    )


def _walls(locations: NDArray[np.float64], radii: NDArray[np.float64], container: Box | None) -> NDArray[np.float64]:
    """Lower and upper wall of x, y, z (6,); brings the spheres between them."""
    if not (np.isfinite(locations).all() and np.isfinite(radii).all() and (radii > 0).all()):
        raise PhysicsError("a particle's location is not finite or its diameter is not a positive number")
    if container is None:
        return np.array([-np.inf, np.inf] * 3)
    lower, upper = np.array(container.lower), np.array(container.upper)
    width, widest = float((upper - lower).min()), 2 * float(radii.max())
    if widest > width:
        raise PhysicsError(f"a particle of diameter {widest:g} does not fit between walls {width:g} apart")
    filled = float((radii * radii * radii).sum()) * 4 / 3 * math.pi / float(np.prod(upper - lower))
    if filled > DENSEST:
        raise PhysicsError(
            f"the particles' volume is {filled:.3g} times that of the box that has to hold them; {DENSEST} is the most"
        )
    locations[:] = np.clip(locations, lower + radii[:, None], upper - radii[:, None])
    walls: NDArray[np.float64] = np.stack([lower, upper], axis=1).ravel()
    return walls


def _move(
    locations: NDArray[np.float64], radii: NDArray[np.float64], walls: NDArray[np.float64], forces: Forces
) -> tuple[int, int, int, bool]:
    """Simulate frames until all spheres rest; frames, most substeps and iterations done, and whether they rest."""
    gravity = np.array(forces.acceleration)
    strength = math.sqrt(sum(component * component for component in forces.acceleration))
    seconds = forces.frame_seconds
    if seconds == 0 or forces.linear_damping >= 1 or not (strength or largest_overlap(locations, radii, walls)):
        return 0, 0, 0, True
    spheres = _at_rest(radii)
    smallest = float(radii.min())
    surface = Surface(COULOMB * forces.friction, forces.restitution, 0.0, MEMORY * smallest)
    rest = min(REST_WAY * smallest, 0.02 * strength * seconds * seconds) if strength else REST_WAY * smallest
    recovery = 0.0 if strength else RECOVERY * forces.substeps_per_frame / seconds
    contacts = contacts_of(*near_pairs(locations, radii, walls, SKIN * smallest))
    anchor = locations.copy()
    most, iterations, resting, most_recent = 0, 0, 0, 1
    for frame in range(1, forces.num_frames + 1):
        fastest = _fastest(spheres) + strength * seconds
        substeps = math.ceil(fastest * seconds / (LONGEST_WAY * smallest))
        substeps = max(forces.substeps_per_frame, min(substeps, MOST_SUBSTEPS))
        contacts.impulses[:, :7] *= most_recent / substeps
        most_recent = substeps
        dt = seconds / substeps
        kept = kept_fraction(forces.linear_damping, dt), kept_fraction(forces.angular_damping, dt)
        before, most = locations.copy(), max(most, substeps)
        slow = max(2 * strength * dt, NO_REBOUND * smallest * damping_rate(forces.linear_damping))
        pace = Pace(dt, substeps, forces.solver_iterations, strength * dt, slow, recovery, *kept)
        surface = surface._replace(ageing=forces.friction * DRYING * (frame * seconds) ** 3)
        contacts, swept = _frame(locations, radii, walls, spheres, contacts, anchor, gravity, surface, pace)
        iterations = max(iterations, swept)
        resting = resting + 1 if moved(before, locations) <= rest else 0
        if resting == REST_FRAMES:
            return frame, most, iterations, True
    return forces.num_frames, most, iterations, resting > 0


def _at_rest(radii: NDArray[np.float64]) -> Spheres:
    number = len(radii) + 1
    return Spheres(np.zeros((number, 3)), np.zeros((number, 3)), np.append(1 / radii, 0.0))


def _fastest(spheres: Spheres) -> float:
    return float(moved(np.zeros_like(spheres.velocities), spheres.velocities))


class Pace(NamedTuple):
    """A frame's time steps: seconds and number of substeps, iterations, speed that gravity adds in a substep, speed of
    approach without rebound, speed of separation per depth of an overlap, what damping leaves of velocities and of
    turning.
    """

    dt: float
    substeps: int
    iterations: int
    gain: float
    slow: float
    recovery: float
    kept: float
    kept_turning: float


@kernel
def _frame(
    locations: NDArray[np.float64],
    radii: NDArray[np.float64],
    walls: NDArray[np.float64],
    spheres: Spheres,
    contacts: Contacts,
    anchor: NDArray[np.float64],
    gravity: NDArray[np.float64],
    surface: Surface,
    pace: Pace,
) -> tuple[Contacts, int]:
    """One frame: its contacts and most iterations. `anchor` (N, 3): where spheres were when contacts were listed."""
    skin = float(SKIN * np.min(radii))
    velocities, dt, most = spheres.velocities, pace.dt, 0
    for _ in range(pace.substeps):
        if moved(anchor, locations) > 0.25 * skin:
            anchor[:] = locations
            first, second = near_pairs(locations, radii, walls, skin)
            found = contacts_of(first, second)
            inherit(found, contacts)
            contacts = found
        for n in range(len(locations)):
            for axis in range(3):
                velocities[n, axis] = (velocities[n, axis] + gravity[axis] * dt) * pace.kept
                spheres.turning[n, axis] *= pace.kept_turning
        closing = prepare(locations, radii, walls, spheres, contacts, surface, dt, pace.gain, pace.slow,
                          pace.recovery)  # fmt: skip
        start_warm(spheres, contacts, closing)
        for iteration in range(pace.iterations):
            most = max(most, iteration + 1)
            if iterate(spheres, contacts, closing, surface, dt) <= STILL * pace.gain:
                break
        for n in range(len(locations)):
            for axis in range(3):
                locations[n, axis] += velocities[n, axis] * dt
        if pace.recovery == 0.0:
            near = contacts.closing[:closing]
            project(locations, radii, walls, contacts.first[near], contacts.second[near], 0.5, 0.0005)
    return contacts, most
