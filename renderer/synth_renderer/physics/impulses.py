"""Contact forces between spheres: sequential impulses at the level of velocities, per unit of mass.

Impulses that keep spheres apart, Coulomb friction and rolling resistance, each accumulated over the iterations and
clamped (E. Catto, Iterative Dynamics with Temporal Coherence, 2005); those of the previous substep are the first guess.
Turning speeds are kept as surface speeds, radius x angular velocity, so that spheres of any size share one formula.
Walls are the body N, which nothing moves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numba
import numpy as np

from synth_renderer.physics.overlaps import contact

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Spheres(NamedTuple):
    """N spheres and the walls as body N: velocities, surface speeds of turning (N + 1, 3), 1 / radius (N + 1,)."""

    velocities: NDArray[np.float64]
    turning: NDArray[np.float64]
    curvatures: NDArray[np.float64]


class Contacts(NamedTuple):
    """C pairs of bodies that may touch, see `near_pairs`, and the impulses between them.

    impulses (C, 8): push along the normal, drag x y z (friction), roll x y z (torque); last the contact's age in
    seconds. Of the K pairs that can close in
    this substep: closing (C,), their pairs, K of them in front; normals (C, 3); wanted (C,), the speed of separation
    that impulses have to reach.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    impulses: NDArray[np.float64]
    closing: NDArray[np.int64]
    normals: NDArray[np.float64]
    wanted: NDArray[np.float64]


class Surface(NamedTuple):
    """How surfaces meet: Coulomb's coefficient, restitution, and the holding force of a contact per unit of mass:
    what it gains per second under load, and its bound.
    """

    friction: float
    restitution: float
    ageing: float
    strongest: float


@numba.njit(cache=True)
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


@numba.njit(cache=True)
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


@numba.njit(cache=True)
def prepare(
    locations: NDArray[np.float64],
    radii: NDArray[np.float64],
    walls: NDArray[np.float64],
    spheres: Spheres,
    contacts: Contacts,
    restitution: float,
    dt: float,
    gain: float,
    slow: float,
) -> int:
    """Find the contacts that can close within this substep and what they want; how many they are.

    Only new contacts bounce, and not those that approach slower than `slow`; the speed `gain` that gravity has added in
    this very substep is not thrown back, or bouncing would create energy.
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
        contacts.impulses[c, 7] = contacts.impulses[c, 7] + dt if contacts.impulses[c, 0] > 0.05 * gain else 0.0
        contacts.closing[closing] = c
        contacts.normals[closing, 0], contacts.normals[closing, 1], contacts.normals[closing, 2] = x, y, z
        contacts.wanted[closing] = -max(gap, 0.0) / dt
        if contacts.impulses[c, 0] == 0 and speed < -slow and speed * dt < -gap:
            contacts.wanted[closing] = -restitution * (speed + gain)
        closing += 1
    return closing


@numba.njit(cache=True)
def start_warm(spheres: Spheres, contacts: Contacts, closing: int) -> None:
    """Apply the impulses of the substep before."""
    v, w, walls_body = spheres.velocities, spheres.turning, len(spheres.curvatures) - 1
    for k in range(closing):
        c = contacts.closing[k]
        i, j = contacts.first[c], contacts.second[c]
        movable = 1.0
        if j < 0:
            j, movable = walls_body, 0.0
        p = contacts.impulses[c]
        n = contacts.normals[k]
        near, far = 2.5 * spheres.curvatures[i], 2.5 * spheres.curvatures[j]
        for a in range(3):
            b, d = (a + 1) % 3, (a + 2) % 3
            kick = p[0] * n[a] + p[1 + a]
            spin = 2.5 * (n[b] * p[1 + d] - n[d] * p[1 + b])
            v[i, a] -= kick
            v[j, a] += movable * kick
            w[i, a] -= spin + near * p[4 + a]
            w[j, a] += movable * (far * p[4 + a] - spin)


@numba.njit(cache=True)
def iterate(spheres: Spheres, contacts: Contacts, closing: int, surface: Surface, dt: float) -> float:
    """One sweep over the closing contacts; the largest change of a push or drag."""
    v, w, curvatures = spheres.velocities, spheres.turning, spheres.curvatures
    walls_body = len(curvatures) - 1
    largest = 0.0
    for k in range(closing):
        c = contacts.closing[k]
        i, j = contacts.first[c], contacts.second[c]
        movable = 1.0
        if j < 0:
            j, movable = walls_body, 0.0
        p = contacts.impulses[c]
        x, y, z = contacts.normals[k, 0], contacts.normals[k, 1], contacts.normals[k, 2]
        ux, uy, uz = v[j, 0] - v[i, 0], v[j, 1] - v[i, 1], v[j, 2] - v[i, 2]
        push = max(p[0] + (contacts.wanted[k] - (ux * x + uy * y + uz * z)) / (1.0 + movable), 0.0)
        change = push - p[0]
        if push == 0.0 and change == 0.0:
            continue
        p[0] = push
        largest = max(largest, abs(change))
        jx, jy, jz = change * x, change * y, change * z
        if surface.friction > 0:
            hold = surface.friction * min(surface.ageing * p[7], surface.strongest) * dt
            dx, dy, dz = _drag(p, ux, uy, uz, w[i], w[j], x, y, z, movable, surface.friction * push + hold)
            rx, ry, rz = _roll(p, w[i], w[j], curvatures[i], curvatures[j], hold)
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


@numba.njit(cache=True)
def _drag(
    p: NDArray[np.float64],
    ux: float,
    uy: float,
    uz: float,
    wi: NDArray[np.float64],
    wj: NDArray[np.float64],
    x: float,
    y: float,
    z: float,
    movable: float,
    limit: float,
) -> tuple[float, float, float]:
    """Change of the friction impulse that stops the surfaces' sliding, as far as the limit allows.

    A solid sphere's inertia is 2/5 m r^2: hence 1 + 5/2 for each body that can move.
    """
    ease = 3.5 * (1.0 + movable)
    wx, wy, wz = wi[0] + wj[0], wi[1] + wj[1], wi[2] + wj[2]
    ux, uy, uz = ux - (wy * z - wz * y), uy - (wz * x - wx * z), uz - (wx * y - wy * x)
    along = ux * x + uy * y + uz * z
    tx, ty, tz = p[1] - (ux - along * x) / ease, p[2] - (uy - along * y) / ease, p[3] - (uz - along * z) / ease
    tx, ty, tz = _shortened(tx, ty, tz, limit)
    dx, dy, dz = tx - p[1], ty - p[2], tz - p[3]
    p[1], p[2], p[3] = tx, ty, tz
    return dx, dy, dz


@numba.njit(cache=True)
def _roll(
    p: NDArray[np.float64], wi: NDArray[np.float64], wj: NDArray[np.float64], near: float, far: float, limit: float
) -> tuple[float, float, float]:
    """Change of the torque impulse that stops relative turning, up to the limit x twice the reduced radius."""
    ease = 2.5 * (near * near + far * far)
    tx = p[4] - (wj[0] * far - wi[0] * near) / ease
    ty = p[5] - (wj[1] * far - wi[1] * near) / ease
    tz = p[6] - (wj[2] * far - wi[2] * near) / ease
    tx, ty, tz = _shortened(tx, ty, tz, 2 * limit / (near + far))
    dx, dy, dz = tx - p[4], ty - p[5], tz - p[6]
    p[4], p[5], p[6] = tx, ty, tz
    return dx, dy, dz


@numba.njit(cache=True)
def _shortened(x: float, y: float, z: float, limit: float) -> tuple[float, float, float]:
    square = x * x + y * y + z * z
    if square <= limit * limit:
        return x, y, z
    scale = limit / np.sqrt(square)
    return x * scale, y * scale, z * scale
