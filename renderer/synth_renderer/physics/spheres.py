"""Solver for spheres: the same bits on every x86-64 machine, time linear in the number of spheres.

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
from synth_renderer.physics.forces import Forces, compute_damping_rate, compute_kept_fraction
from synth_renderer.physics.impulses import (
    Contacts,
    Spheres,
    Surface,
    apply_warm_start,
    create_contacts,
    inherit_impulses,
    prepare_contacts,
    solve_contacts,
)
from synth_renderer.physics.neighbours import find_near_pairs
from synth_renderer.physics.overlaps import (
    measure_largest_move,
    measure_largest_overlap,
    reduce_overlaps,
    separate_spheres,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.staged_scene import Box

COULOMB_FRICTION = 0.03
"""Coulomb's coefficient of fresh contacts between surfaces of friction 1: wet spheres slide easily until they rest."""
DRYING = 0.05
"""Strength of drying contacts, BU/s^2 per s^4: between surfaces of friction 1 a contact of age a holds against an
acceleration of DRYING t^3 a, t seconds after the start. Against gravity 100 that keeps a loose heap loose and stops its
last beads; at 10,000 the heap rests before it counts (the granular Bond number)."""
MEMORY_DISTANCE = 0.08
"""Distance of slipping or rolling, in smallest radii, that renews a contact."""
MAX_PACKING = 0.74
"""Share of space that equal spheres fill in the densest packing (Hales 2005)."""
MAX_OVERLAP = 0.01
"""Remaining overlap, in smaller radii, above which the run fails."""
OVERLAP_GOAL = 0.001
"""Remaining overlap, in smaller radii, at which pushing apart ends."""
MAX_SWEEPS = 2000
"""Maximum of sweeps that push spheres apart, before and again after the motion."""
MAX_SUBSTEPS = 128
"""Maximum to which the solver raises the substeps per frame."""
MAX_MOVE = 0.25
"""Move of a sphere in one substep, in smallest radii, above which substeps are added."""
SKIN = 0.5
"""Width of the layer around a sphere, in smallest radii, in which neighbours are listed."""
MAX_SKIN_MOVE = 0.25
"""Move of a sphere, in skins, after which neighbours are listed again."""
SUBSTEP_SHARE = 0.5
"""Share of each overlap that a substep under gravity takes away by position, without speed."""
SUBSTEP_SLOP = 0.0005
"""Overlap, in smaller radii, that a substep leaves: half of OVERLAP_GOAL."""
CONVERGED_SHARE = 0.05
"""Largest change of an impulse, over the speed that gravity adds in a substep, at which its iterations end early."""
MIN_REBOUND = 0.1
"""Least height of a rebound, in smallest radii: one that damping ends earlier does not happen (low Stokes number)."""
OVERLAP_RECOVERY = 0.2
"""Share of an overlap's depth that a substep without gravity takes away by speed, as Bullet's solver does (its error
reduction parameter, `btContactSolverInfo::m_erp`)."""
MAX_REST_MOVE = 0.003
"""Move in one frame, in smallest radii, up to which a sphere counts as resting."""
MAX_REST_FALL = 0.02
"""The same in gravity times frame time squared, so that slow falling is no rest: a free fall from rest moves by 0.5."""
REST_FRAMES = 12
"""Resting frames in a row after which the motion has ended."""


def settle_spheres(
    locations: NDArray[np.float64], radii: NDArray[np.float64], forces: Forces, container: Box | None
) -> tuple[NDArray[np.float64], PhysicsReport]:
    """Let spheres fall, collide and come to rest.

    locations (N, 3) and radii (N,), float64, world frame, scene units; returns new locations (N, 3) and the report. The
    container is closed: floor, walls and lid; spheres that stick out of it are moved inside first. All spheres start at
    rest. With gravity overlaps are pushed apart first, without speed; without it they throw the spheres apart. Each
    surface keeps a collision margin. Raise `PhysicsError` if the container cannot hold the spheres or if they still
    overlap by more than MAX_OVERLAP at the end.
    """
    settled = np.array(locations, dtype=np.float64).reshape(-1, 3)
    sizes = np.array(radii, dtype=np.float64) + forces.collision_margin
    if not len(settled):
        return settled, PhysicsReport("spheres", 0.0, True, 0, 0, 0)
    walls = _build_walls(settled, sizes, container)
    is_falling = any(forces.acceleration)
    sweeps = separate_spheres(settled, sizes, walls, OVERLAP_GOAL, MAX_SWEEPS) if is_falling else 0
    frames, substeps, iterations, at_rest = _simulate_motion(settled, sizes, walls, forces)
    sweeps += separate_spheres(settled, sizes, walls, OVERLAP_GOAL, MAX_SWEEPS)
    overlap = float(measure_largest_overlap(settled, sizes, walls))
    if overlap > MAX_OVERLAP:
        raise PhysicsError(
            f"particles still overlap by {overlap:.2g} of the smaller radius after {int(sweeps)} sweeps that push them"
            f" apart (at most {MAX_OVERLAP}); fewer or smaller ones fit"
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


def _build_walls(
    locations: NDArray[np.float64], radii: NDArray[np.float64], container: Box | None
) -> NDArray[np.float64]:
    """Return lower and upper wall of x, y and z in turn, (6,), and move the spheres between them, in place.

    Raise PhysicsError for numbers that are not finite, a sphere that does not fit, or too much volume.
    """
    if not (np.isfinite(locations).all() and np.isfinite(radii).all() and (radii > 0).all()):
        raise PhysicsError("a particle's location is not finite or its diameter is not a positive number")
    if container is None:
        return np.array([-np.inf, np.inf] * 3)
    lower, upper = np.array(container.lower), np.array(container.upper)
    width, widest = float((upper - lower).min()), 2 * float(radii.max())
    if widest > width:
        raise PhysicsError(f"a particle of diameter {widest:g} does not fit between walls {width:g} apart")
    filled = float((radii * radii * radii).sum()) * 4 / 3 * math.pi / float(np.prod(upper - lower))
    if filled > MAX_PACKING:
        raise PhysicsError(
            f"the particles' volume is {filled:.3g} times that of the box that holds them; at most {MAX_PACKING} fits"
        )
    locations[:] = np.clip(locations, lower + radii[:, None], upper - radii[:, None])
    walls: NDArray[np.float64] = np.stack([lower, upper], axis=1).ravel()
    return walls


def _simulate_motion(
    locations: NDArray[np.float64], radii: NDArray[np.float64], walls: NDArray[np.float64], forces: Forces
) -> tuple[int, int, int, bool]:
    """Simulate frames until all spheres rest, in place.

    Return the number of frames, the largest numbers of substeps and iterations, and True if all spheres rest.
    """
    gravity = np.array(forces.acceleration)
    strength = math.sqrt(sum(component * component for component in forces.acceleration))
    seconds = forces.frame_seconds
    if seconds == 0 or forces.linear_damping >= 1 or not (strength or measure_largest_overlap(locations, radii, walls)):
        return 0, 0, 0, True
    spheres = _create_spheres(radii)
    smallest = float(radii.min())
    surface = Surface(COULOMB_FRICTION * forces.friction, forces.restitution, 0.0, MEMORY_DISTANCE * smallest)
    rest_move = MAX_REST_MOVE * smallest
    if strength:
        rest_move = min(rest_move, MAX_REST_FALL * strength * seconds * seconds)
    recovery = 0.0 if strength else OVERLAP_RECOVERY * forces.substeps_per_frame / seconds
    contacts = create_contacts(*find_near_pairs(locations, radii, walls, SKIN * smallest))
    anchor = locations.copy()
    max_substeps, iterations, resting_frames, previous_substeps = 0, 0, 0, 1
    for frame in range(1, forces.num_frames + 1):
        fastest = _measure_top_speed(spheres) + strength * seconds
        substeps = math.ceil(fastest * seconds / (MAX_MOVE * smallest))
        substeps = max(forces.substeps_per_frame, min(substeps, MAX_SUBSTEPS))
        # Impulses are proportional to the substep's duration.
        contacts.impulses[:, :7] *= previous_substeps / substeps
        previous_substeps = substeps
        dt = seconds / substeps
        kept = compute_kept_fraction(forces.linear_damping, dt), compute_kept_fraction(forces.angular_damping, dt)
        before, max_substeps = locations.copy(), max(max_substeps, substeps)
        slow = max(2 * strength * dt, MIN_REBOUND * smallest * compute_damping_rate(forces.linear_damping))
        substep = SubstepParameters(dt, substeps, forces.solver_iterations, strength * dt, slow, recovery, *kept)
        surface = surface._replace(ageing=forces.friction * DRYING * (frame * seconds) ** 3)
        contacts, swept = _simulate_frame(locations, radii, walls, spheres, contacts, anchor, gravity, surface, substep)
        iterations = max(iterations, swept)
        resting_frames = resting_frames + 1 if measure_largest_move(before, locations) <= rest_move else 0
        if resting_frames == REST_FRAMES:
            return frame, max_substeps, iterations, True
    return forces.num_frames, max_substeps, iterations, resting_frames > 0


def _create_spheres(radii: NDArray[np.float64]) -> Spheres:
    """Return N spheres at rest, and the walls as body N."""
    number = len(radii) + 1
    return Spheres(np.zeros((number, 3)), np.zeros((number, 3)), np.append(1 / radii, 0.0))


def _measure_top_speed(spheres: Spheres) -> float:
    """Return the largest speed, scene units per second."""
    return float(measure_largest_move(np.zeros_like(spheres.velocities), spheres.velocities))


class SubstepParameters(NamedTuple):
    """Parameters of the substeps of a frame; speeds in scene units per second."""

    dt: float
    """Duration, seconds."""
    substeps: int
    """Number of substeps in the frame."""
    iterations: int
    """Maximum of iterations in a substep."""
    gain: float
    """Speed that gravity adds."""
    slow: float
    """Speed of approach up to which there is no rebound."""
    recovery: float
    """Speed of separation over the depth of an overlap, 1/s; 0 under gravity."""
    kept: float
    """Share of a velocity that damping leaves."""
    kept_turning: float
    """Share of a surface velocity that damping leaves."""


@kernel
def _simulate_frame(
    locations: NDArray[np.float64],
    radii: NDArray[np.float64],
    walls: NDArray[np.float64],
    spheres: Spheres,
    contacts: Contacts,
    anchor: NDArray[np.float64],
    gravity: NDArray[np.float64],
    surface: Surface,
    substep: SubstepParameters,
) -> tuple[Contacts, int]:
    """Simulate one frame in place; return its contacts and the largest number of iterations.

    `anchor` (N, 3) are the locations at which contacts were listed last. Each substep adds gravity (3,) and damping to
    the velocities, solves the contacts and moves the spheres (semi-implicit Euler); under gravity it also reduces the
    overlaps of the closing contacts.
    """
    skin = float(SKIN * np.min(radii))
    velocities, dt, max_iterations = spheres.velocities, substep.dt, 0
    for _ in range(substep.substeps):
        if measure_largest_move(anchor, locations) > MAX_SKIN_MOVE * skin:
            anchor[:] = locations
            first, second = find_near_pairs(locations, radii, walls, skin)
            listed = create_contacts(first, second)
            inherit_impulses(listed, contacts)
            contacts = listed
        for n in range(len(locations)):
            for axis in range(3):
                velocities[n, axis] = (velocities[n, axis] + gravity[axis] * dt) * substep.kept
                spheres.turning[n, axis] *= substep.kept_turning
        closing = prepare_contacts(locations, radii, walls, spheres, contacts, surface, dt, substep.gain,
                                   substep.slow, substep.recovery)  # fmt: skip
        apply_warm_start(spheres, contacts, closing)
        for iteration in range(substep.iterations):
            max_iterations = max(max_iterations, iteration + 1)
            if solve_contacts(spheres, contacts, closing, surface, dt) <= CONVERGED_SHARE * substep.gain:
                break
        for n in range(len(locations)):
            for axis in range(3):
                locations[n, axis] += velocities[n, axis] * dt
        if substep.recovery == 0.0:
            near = contacts.closing[:closing]
            reduce_overlaps(
                locations, radii, walls, contacts.first[near], contacts.second[near], SUBSTEP_SHARE, SUBSTEP_SLOP
            )
    return contacts, max_iterations
