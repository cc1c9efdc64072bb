"""Contact forces between spheres: sequential impulses at the level of velocities, per unit of mass.

Impulses that keep spheres apart, Coulomb friction and rolling resistance, each accumulated over the iterations and
clamped (E. Catto, Iterative Dynamics with Temporal Coherence, 2005); those of the previous substep are the first guess.
Turning speeds are kept as surface speeds, radius x angular velocity, so that spheres of any size share one formula.
Walls are the body N, which nothing moves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.physics.overlaps import contact

if TYPE_CHECKING:
    from numpy.typing import NDArray


UNLOADED = 0.05
"""A push below this share of what gravity adds to a body in a substep keeps no contact alive."""


class Spheres(NamedTuple):
    """N spheres and the walls as body N: velocities, surface speeds of turning (N + 1, 3), 1 / radius (N + 1,)."""

    velocities: NDArray[np.float64]
    turning: NDArray[np.float64]
    curvatures: NDArray[np.float64]


class Contacts(NamedTuple):
    """C pairs of bodies that may touch, see `near_pairs`, and the impulses between them.

    impulses (C, 8): push along the normal, drag x y z (friction), roll x y z (torque); last the contact's age in
    seconds. Of the K pairs that can close in this substep: closing (C,), their pairs, K of them in front; normals
    (C, 3); wanted (C,), the speed of separation that impulses have to reach.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    impulses: NDArray[np.float64]
    closing: NDArray[np.int64]
    normals: NDArray[np.float64]
    wanted: NDArray[np.float64]


class Surface(NamedTuple):
    """How surfaces meet: Coulomb's coefficient, restitution, acceleration that a contact holds per second of its age,
    and the way of slipping or rolling that makes it new.
    """

    friction: float
    restitution: float
    ageing: float
    memory: float


@kernel
def contacts_of(first: NDArray[np.int64], second: NDArray[np.int64]) -> Contacts:
    """Contacts without impulses."""
    number = len(first)
    return Contacts(
        first,
        second,
        np.zeros((number, 8)),
        np.zeros(number, np.int64),
        np.zeros((number, 3)),
        np.zeros(number),
    )


@kernel
def inherit(contacts: Contacts, old: Contacts) -> None:
    """Take over the impulses of pairs that were there before; both lists are sorted by first body."""
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
def prepare(
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
    """Find the contacts that can close within this substep and what they want; how many they are.

    Only new contacts bounce, and not those that approach slower than `slow`; the speed `gain` that gravity has added in
    this very substep is not thrown back, or bouncing would create energy. Overlaps part with `recovery`, 1/s, times
    their depth. Loaded contacts age, moving ones less (the
    ageing law of J. H. Dieterich, Modeling of rock friction, 1979).
    """
    v, walls_body = spheres.velocities, len(radii)
    closing = 0
    for c in range(len(contacts.first)):
        i, j = contacts.first[c], contacts.second[c]
        gap, x, y, z = contact(locations, radii, walls, i, j)
        if j < 0:
            j = walls_body
        speed = (v[j, 0] - v[i, 0]) * x + (v[j, 1] - v[i, 1]) * y + (v[j, 2] - v[i, 2]) * z
        if gap > 2 * (abs(speed) + slow) * dt + 0.01 * radii[i]:
            contacts.impulses[c] = 0.0
            continue
        if contacts.impulses[c, 0] > UNLOADED * gain:
            sx, sy, sz = v[j, 0] - v[i, 0] - speed * x, v[j, 1] - v[i, 1] - speed * y, v[j, 2] - v[i, 2] - speed * z
            way = np.sqrt(sx * sx + sy * sy + sz * sz) * dt
            contacts.impulses[c, 7] = (contacts.impulses[c, 7] + dt) / (1 + way / surface.memory)
        else:
            contacts.impulses[c, 7] = 0.0
        contacts.closing[closing] = c
        contacts.normals[closing, 0], contacts.normals[closing, 1], contacts.normals[closing, 2] = x, y, z
        contacts.wanted[closing] = -gap / dt if gap > 0 else -gap * recovery
        if contacts.impulses[c, 0] == 0 and speed < -slow and speed * dt < -gap:
            contacts.wanted[closing] = max(-gap, 0.0) * recovery - surface.restitution * (speed + gain)
        closing += 1
    return closing


@kernel
def start_warm(spheres: Spheres, contacts: Contacts, closing: int) -> None:
    """Apply the impulses of the substep before."""
    v, w, p, n = spheres.velocities, spheres.turning, contacts.impulses, contacts.normals
    walls_body = len(spheres.curvatures) - 1
    for k in range(closing):
        c = contacts.closing[k]
        i, j = contacts.first[c], contacts.second[c]
        movable = 1.0
        if j < 0:
            j, movable = walls_body, 0.0
        near, far = 2.5 * spheres.curvatures[i], 2.5 * spheres.curvatures[j]
        for a in range(3):
            b, d = (a + 1) % 3, (a + 2) % 3
            kick = p[c, 0] * n[k, a] + p[c, 1 + a]
            spin = 2.5 * (n[k, b] * p[c, 1 + d] - n[k, d] * p[c, 1 + b])
            v[i, a] -= kick
            v[j, a] += movable * kick
            w[i, a] -= spin + near * p[c, 4 + a]
            w[j, a] += movable * (far * p[c, 4 + a] - spin)


@kernel
def iterate(spheres: Spheres, contacts: Contacts, closing: int, surface: Surface, dt: float) -> float:
    """One sweep over the closing contacts; the largest change of a push or drag."""
    v, w, curvatures, p = spheres.velocities, spheres.turning, spheres.curvatures, contacts.impulses
    walls_body = len(curvatures) - 1
    largest = 0.0
    for k in range(closing):
        c = contacts.closing[k]
        i, j = contacts.first[c], contacts.second[c]
        movable = 1.0
        if j < 0:
            j, movable = walls_body, 0.0
        x, y, z = contacts.normals[k, 0], contacts.normals[k, 1], contacts.normals[k, 2]
        ux, uy, uz = v[j, 0] - v[i, 0], v[j, 1] - v[i, 1], v[j, 2] - v[i, 2]
        push = max(p[c, 0] + (contacts.wanted[k] - (ux * x + uy * y + uz * z)) / (1.0 + movable), 0.0)
        change = push - p[c, 0]
        if push == 0.0 and change == 0.0:
            continue
        p[c, 0] = push
        largest = max(largest, abs(change))
        jx, jy, jz = change * x, change * y, change * z
        if surface.ageing > 0:
            limit = surface.friction * push + surface.ageing * p[c, 7] * dt
            dx, dy, dz = _drag(p, c, ux, uy, uz, w, i, j, x, y, z, movable, limit)
            rx, ry, rz = _roll(p, c, w, i, j, curvatures[i], curvatures[j], limit)
            near, far = 2.5 * curvatures[i], 2.5 * curvatures[j]
            sx, sy, sz = 2.5 * (y * dz - z * dy), 2.5 * (z * dx - x * dz), 2.5 * (x * dy - y * dx)
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
def _drag(
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
    """Change of the friction impulse that stops the surfaces' sliding, as far as the limit allows.

    A solid sphere's inertia is 2/5 m r^2: hence 1 + 5/2 for each body that can move.
    """
    ease = 1.0 / (3.5 * (1.0 + movable))
    wx, wy, wz = w[i, 0] + w[j, 0], w[i, 1] + w[j, 1], w[i, 2] + w[j, 2]
    ux, uy, uz = ux - (wy * z - wz * y), uy - (wz * x - wx * z), uz - (wx * y - wy * x)
    along = ux * x + uy * y + uz * z
    tx, ty, tz = p[c, 1] - (ux - along * x) * ease, p[c, 2] - (uy - along * y) * ease, p[c, 3] - (uz - along * z) * ease
    tx, ty, tz = _shortened(tx, ty, tz, limit)
    dx, dy, dz = tx - p[c, 1], ty - p[c, 2], tz - p[c, 3]
    p[c, 1], p[c, 2], p[c, 3] = tx, ty, tz
    return dx, dy, dz


@kernel
def _roll(
    p: NDArray[np.float64], c: int, w: NDArray[np.float64], i: int, j: int, near: float, far: float, limit: float
) -> tuple[float, float, float]:
    """Change of the torque impulse that stops relative turning, up to the limit x twice the reduced radius."""
    ease = 0.4 / (near * near + far * far)
    tx = p[c, 4] - (w[j, 0] * far - w[i, 0] * near) * ease
    ty = p[c, 5] - (w[j, 1] * far - w[i, 1] * near) * ease
    tz = p[c, 6] - (w[j, 2] * far - w[i, 2] * near) * ease
    tx, ty, tz = _shortened(tx, ty, tz, 2 * limit / (near + far))
    dx, dy, dz = tx - p[c, 4], ty - p[c, 5], tz - p[c, 6]
    p[c, 4], p[c, 5], p[c, 6] = tx, ty, tz
    return dx, dy, dz


@kernel
def _shortened(x: float, y: float, z: float, limit: float) -> tuple[float, float, float]:
    square = x * x + y * y + z * z
    if square <= limit * limit:
        return x, y, z
    scale = limit / np.sqrt(square)
    return x * scale, y * scale, z * scale
