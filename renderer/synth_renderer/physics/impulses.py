"""Contact forces between spheres: sequential impulses at the level of velocities, per unit of mass.

Normal impulses, Coulomb friction and rolling resistance are accumulated over the iterations and clamped (E. Catto,
Iterative Dynamics with Temporal Coherence, 2005); those of the previous substep are the first guess. All bodies have
the mass 1, so an impulse is a change of velocity (scene units per second). Rotation is stored as surface velocity,
radius x angular velocity, so that spheres of any size share one formula: with the inertia 2/5 r^2 of a solid sphere an
impulse J at the surface changes it by 5/2 n x J, and a torque impulse L by 5/2 L / r. Walls are body N, which nothing
moves.

Locals of the kernels: v velocities, w surface velocities, p impulses of contact c between bodies i and j, (x, y, z) the
unit normal from i to j, `movable` 1 for a sphere j and 0 for a wall.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.physics.overlaps import measure_contact

if TYPE_CHECKING:
    from numpy.typing import NDArray


MIN_LOAD = 0.05
"""Least normal impulse of a loaded contact, over the speed that gravity adds to a body in a substep."""
INVERSE_INERTIA = 2.5
"""1 / (2/5): mass times radius squared over the moment of inertia of a solid sphere."""
CONTACT_GAP = 0.01
"""Gap, in radii of the first body, within which a contact counts as closing whatever its speed."""


class Spheres(NamedTuple):
    """N spheres, and the walls as body N."""

    velocities: NDArray[np.float64]
    """(N + 1, 3), scene units per second."""
    turning: NDArray[np.float64]
    """Radius x angular velocity, (N + 1, 3), scene units per second."""
    curvatures: NDArray[np.float64]
    """1 / radius, (N + 1,); 0 for the walls."""


class Contacts(NamedTuple):
    """C pairs of bodies that may touch, see `find_near_pairs`, and the impulses between them.

    K of them can close in the current substep; the first K entries of closing, normals and targets describe those.
    """

    first: NDArray[np.int64]
    """First body of each pair, (C,)."""
    second: NDArray[np.int64]
    """Second body, (C,); -1 - wall for a wall."""
    impulses: NDArray[np.float64]
    """(C, 8): 0 normal impulse, >= 0; 1 … 3 friction impulse x, y, z; 4 … 6 torque impulse x, y, z of the rolling
    resistance; 7 age of the contact in seconds. Impulses in scene units per second, torque impulses times a length."""
    closing: NDArray[np.int64]
    """Numbers of the pairs that can close, (C,)."""
    normals: NDArray[np.float64]
    """Unit normals from first to second body, (C, 3)."""
    targets: NDArray[np.float64]
    """Least speed of separation along the normal that impulses have to reach, (C,), scene units per second."""


class Surface(NamedTuple):
    """Properties of surfaces in contact."""

    friction: float
    """Coulomb's coefficient of a fresh contact."""
    restitution: float
    """Share of the speed after a collision."""
    ageing: float
    """Acceleration that a contact holds per second of its age, scene units per second cubed."""
    memory: float
    """Distance of slipping or rolling that renews a contact, scene units."""


@kernel
def create_contacts(first: NDArray[np.int64], second: NDArray[np.int64]) -> Contacts:
    """Return contacts of pairs (C,) without impulses."""
    count = len(first)
    return Contacts(
        first,
        second,
        np.zeros((count, 8)),
        np.zeros(count, np.int64),
        np.zeros((count, 3)),
        np.zeros(count),
    )


@kernel
def inherit_impulses(contacts: Contacts, old: Contacts) -> None:
    """Copy the impulses of pairs that are in `old` too; both lists are sorted by first body."""
    begin = 0
    for c in range(len(contacts.first)):
        while begin < len(old.first) and old.first[begin] < contacts.first[c]:
            begin += 1
        k = begin
        while k < len(old.first) and old.first[k] == contacts.first[c]:
            if old.second[k] == contacts.second[c]:
                contacts.impulses[c] = old.impulses[k]
            k += 1


@kernel
def prepare_contacts(
    locations: NDArray[np.float64],
    radii: NDArray[np.float64],
    walls: NDArray[np.float64],
    spheres: Spheres,
    contacts: Contacts,
    surface: Surface,
    dt: float,
    gain: float,
    slow: float,
    recovery: float,
) -> int:
    """Find the contacts that can close within a substep of `dt` seconds, and their target speeds; return their number.

    The target closes a gap exactly, -gap / dt; overlaps part at `recovery` (1/s) times their depth. Only new contacts
    bounce, if they approach faster than `slow`: at restitution times the speed of approach less the speed `gain` that
    gravity has added in this substep, because otherwise bouncing would create energy. Loaded contacts age by
    (age + dt) / (1 + slip / memory), so moving ones stay young (the ageing law of J. H. Dieterich, Modeling of rock
    friction, 1979). locations (N, 3), radii (N,), walls (6,) as in `find_near_pairs`; speeds in scene units per second.
    """
    v, walls_body = spheres.velocities, len(radii)
    closing = 0
    for c in range(len(contacts.first)):
        i, j = contacts.first[c], contacts.second[c]
        gap, x, y, z = measure_contact(locations, radii, walls, i, j)
        if j < 0:
            j = walls_body
        speed = (v[j, 0] - v[i, 0]) * x + (v[j, 1] - v[i, 1]) * y + (v[j, 2] - v[i, 2]) * z
        if gap > 2 * (abs(speed) + slow) * dt + CONTACT_GAP * radii[i]:
            contacts.impulses[c] = 0.0
            continue
        if contacts.impulses[c, 0] > MIN_LOAD * gain:
            sx, sy, sz = v[j, 0] - v[i, 0] - speed * x, v[j, 1] - v[i, 1] - speed * y, v[j, 2] - v[i, 2] - speed * z
            slip = np.sqrt(sx * sx + sy * sy + sz * sz) * dt
            contacts.impulses[c, 7] = (contacts.impulses[c, 7] + dt) / (1 + slip / surface.memory)
        else:
            contacts.impulses[c, 7] = 0.0
        contacts.closing[closing] = c
        contacts.normals[closing, 0], contacts.normals[closing, 1], contacts.normals[closing, 2] = x, y, z
        contacts.targets[closing] = -gap / dt if gap > 0 else -gap * recovery
        if contacts.impulses[c, 0] == 0 and speed < -slow and speed * dt < -gap:
            contacts.targets[closing] = max(-gap, 0.0) * recovery - surface.restitution * (speed + gain)
        closing += 1
    return closing


@kernel
def apply_warm_start(spheres: Spheres, contacts: Contacts, closing: int) -> None:
    """Apply the impulses of the previous substep to the velocities: v by J, w by 5/2 n x J and 5/2 L / r."""
    v, w, p, n = spheres.velocities, spheres.turning, contacts.impulses, contacts.normals
    walls_body = len(spheres.curvatures) - 1
    for k in range(closing):
        c = contacts.closing[k]
        i, j = contacts.first[c], contacts.second[c]
        movable = 1.0
        if j < 0:
            j, movable = walls_body, 0.0
        near, far = INVERSE_INERTIA * spheres.curvatures[i], INVERSE_INERTIA * spheres.curvatures[j]
        for a in range(3):
            b, d = (a + 1) % 3, (a + 2) % 3
            impulse = p[c, 0] * n[k, a] + p[c, 1 + a]
            spin = INVERSE_INERTIA * (n[k, b] * p[c, 1 + d] - n[k, d] * p[c, 1 + b])
            v[i, a] -= impulse
            v[j, a] += movable * impulse
            w[i, a] -= spin + near * p[c, 4 + a]
            w[j, a] += movable * (far * p[c, 4 + a] - spin)


@kernel
def solve_contacts(spheres: Spheres, contacts: Contacts, closing: int, surface: Surface, dt: float) -> float:
    """Sweep once over the closing contacts; return the largest change of a normal or friction impulse.

    The normal impulse p grows by (target - speed) / (1 + movable), the sum of the inverse masses, and stays >= 0.
    Friction and rolling resistance are limited by friction x p plus ageing x age x dt, the strength of a dried contact.
    """
    v, w, curvatures, p = spheres.velocities, spheres.turning, spheres.curvatures, contacts.impulses
    walls_body, factor = len(curvatures) - 1, INVERSE_INERTIA
    largest = 0.0
    for k in range(closing):
        c = contacts.closing[k]
        i, j = contacts.first[c], contacts.second[c]
        movable = 1.0
        if j < 0:
            j, movable = walls_body, 0.0
        x, y, z = contacts.normals[k, 0], contacts.normals[k, 1], contacts.normals[k, 2]
        ux, uy, uz = v[j, 0] - v[i, 0], v[j, 1] - v[i, 1], v[j, 2] - v[i, 2]
        normal_impulse = max(p[c, 0] + (contacts.targets[k] - (ux * x + uy * y + uz * z)) / (1.0 + movable), 0.0)
        change = normal_impulse - p[c, 0]
        if normal_impulse == 0.0 and change == 0.0:
            continue
        p[c, 0] = normal_impulse
        largest = max(largest, abs(change))
        jx, jy, jz = change * x, change * y, change * z
        if surface.ageing > 0:
            limit = surface.friction * normal_impulse + surface.ageing * p[c, 7] * dt
            dx, dy, dz = _apply_friction(p, c, ux, uy, uz, w, i, j, x, y, z, movable, limit)
            rx, ry, rz = _apply_rolling_resistance(p, c, w, i, j, curvatures[i], curvatures[j], limit)
            near, far = factor * curvatures[i], factor * curvatures[j]
            sx, sy, sz = factor * (y * dz - z * dy), factor * (z * dx - x * dz), factor * (x * dy - y * dx)
            w[i, 0] -= sx + near * rx
            w[i, 1] -= sy + near * ry
            w[i, 2] -= sz + near * rz
            w[j, 0] += movable * (far * rx - sx)
            w[j, 1] += movable * (far * ry - sy)
            w[j, 2] += movable * (far * rz - sz)
            largest = max(largest, abs(dx), abs(dy), abs(dz))
            jx, jy, jz = jx + dx, jy + dy, jz + dz
        v[i, 0] -= jx
        v[i, 1] -= jy
        v[i, 2] -= jz
        v[j, 0] += movable * jx
        v[j, 1] += movable * jy
        v[j, 2] += movable * jz
    return largest


@kernel
def _apply_friction(
    p: NDArray[np.float64],
    c: int,
    ux: float,
    uy: float,
    uz: float,
    w: NDArray[np.float64],
    i: int,
    j: int,
    x: float,
    y: float,
    z: float,
    movable: float,
    limit: float,
) -> tuple[float, float, float]:
    """Update the friction impulse p[c, 1:4] so that it stops the sliding of the surfaces; return its change (3,).

    (ux, uy, uz) is the velocity of j against i; that of the surfaces is u - (w_i + w_j) x n, its tangential part the
    sliding. An impulse J reduces it by (1 + 5/2) J for each body that can move. The length of the impulse is at most
    `limit`.
    """
    ease = 1.0 / (3.5 * (1.0 + movable))
    wx, wy, wz = w[i, 0] + w[j, 0], w[i, 1] + w[j, 1], w[i, 2] + w[j, 2]
    ux, uy, uz = ux - (wy * z - wz * y), uy - (wz * x - wx * z), uz - (wx * y - wy * x)
    along = ux * x + uy * y + uz * z
    tx, ty, tz = p[c, 1] - (ux - along * x) * ease, p[c, 2] - (uy - along * y) * ease, p[c, 3] - (uz - along * z) * ease
    tx, ty, tz = _clamp_length(tx, ty, tz, limit)
    dx, dy, dz = tx - p[c, 1], ty - p[c, 2], tz - p[c, 3]
    p[c, 1], p[c, 2], p[c, 3] = tx, ty, tz
    return dx, dy, dz


@kernel
def _apply_rolling_resistance(
    p: NDArray[np.float64], c: int, w: NDArray[np.float64], i: int, j: int, near: float, far: float, limit: float
) -> tuple[float, float, float]:
    """Update the torque impulse p[c, 4:7] so that it stops relative rotation; return its change (3,).

    `near` and `far` are the curvatures of i and j, so w_j far - w_i near is the difference of angular velocities, which
    a torque impulse L changes by 5/2 (near^2 + far^2) L. Its length is at most `limit` times twice the reduced radius,
    2 / (near + far).
    """
    ease = 0.4 / (near * near + far * far)
    tx = p[c, 4] - (w[j, 0] * far - w[i, 0] * near) * ease
    ty = p[c, 5] - (w[j, 1] * far - w[i, 1] * near) * ease
    tz = p[c, 6] - (w[j, 2] * far - w[i, 2] * near) * ease
    tx, ty, tz = _clamp_length(tx, ty, tz, 2 * limit / (near + far))
    dx, dy, dz = tx - p[c, 4], ty - p[c, 5], tz - p[c, 6]
    p[c, 4], p[c, 5], p[c, 6] = tx, ty, tz
    return dx, dy, dz


@kernel
def _clamp_length(x: float, y: float, z: float, limit: float) -> tuple[float, float, float]:
    """Return the vector (x, y, z), shortened to the length `limit` if it is longer."""
    square = x * x + y * y + z * z
    if square <= limit * limit:
        return x, y, z
    scale = limit / np.sqrt(square)
    return x * scale, y * scale, z * scale
