"""Orientation of particles before they are placed: the feature `orientation` of every geometry prototype."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.deposit.pose import draw_heading, find_resting_face, orient_downwards, turn_heading
from synth_renderer.geometry.shapes import find_faces
from synth_renderer.model.transforms import rotation_matrix
from synth_renderer.randomness.directions import draw_rotation
from synth_renderer.randomness.hashing import draw_normals, draw_word
from synth_renderer.scene.staging import build_agglomerate_mesh

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.scene.staging import ScaledMesh
    from synth_renderer.scene.world import Particles, World

HEADING_WORD, SPREAD_WORD = np.uint64(2**32), np.uint64(2**32 + 1)
"""Words of a particle's stream from which the keys of its heading and of its deviation derive."""
UNTURNED: Final = np.array([1.0, 0.0, 0.0, 0.0])


@dataclass(frozen=True)
class Orientation:
    """How a particle is turned before it is placed."""

    kind: str
    """`none`, `free`, `flat` or `aligned`."""
    heading: NDArray[np.float64] | None
    """Unit vector (2,) along which an aligned particle lies; None if only the step's parameter aligns it."""
    spread: float
    """Standard deviation of the heading, degrees."""
    is_own: bool
    """True if the particle's feature says so, False if only the step's parameter does."""


def read_orientation(particles: Particles, row: int, default: str = "none") -> Orientation:
    """Return a particle's orientation; `default` is the kind of one whose feature is `none`."""
    kind, degrees, spread = (
        particles.features.read_value(name, row)
        for name in ("orientation", "orientation_heading", "orientation_spread")
    )
    if kind == "none":
        return Orientation(default, None, 0.0, is_own=False)
    angle = math.radians(degrees)  # type: ignore[arg-type]
    heading = turn_heading(np.array([1.0, 0.0]), float(np.float32(angle)))
    return Orientation(str(kind), heading, float(spread), is_own=True)  # type: ignore[arg-type]


def choose_pose(
    look: ScaledMesh, orientation: Orientation, key: np.uint64, turn: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return a quaternion (4,) w x y z: free, or resting on a face or side and turned about z.

    `key` is the SplitMix64 key of the particle's draws, `turn` (2,) the heading of its neighbours where the step gives
    one. Other headings are the particle's own if it is aligned, else random.
    """
    free = draw_rotation(key)
    if orientation.kind == "free":
        return free
    down = _find_lower_side(look, -rotation_matrix(free)[2], orientation.is_own)
    heading = turn if turn is not None or orientation.kind == "flat" else orientation.heading
    if heading is None:
        heading = draw_heading(np.uint64(draw_word(key, HEADING_WORD)))
    if orientation.kind == "aligned" and orientation.spread:
        deviate = float(draw_normals(np.uint64(draw_word(key, SPREAD_WORD)), 1)[0])
        heading = turn_heading(heading, float(np.float32(math.radians(orientation.spread * deviate))))
    return orient_downwards(down, heading)


def _find_lower_side(look: ScaledMesh, direction: NDArray[np.float64], is_own: bool) -> NDArray[np.float64]:
    """Return the direction (3,) of a body's side on which it rests after it lands with `direction` (3,) down.

    Spheres and agglomerates rest as they land, and so does the prototype `ellipsoid` unless its own feature lays it
    down: with the parameter of a step runs of this engine version always had it so.
    """
    faces = np.empty((0, 4))
    if look.shape is not None:
        faces = find_faces(look.shape)
    if len(faces):
        return find_resting_face(faces, direction)
    is_stretched = look.shape is not None or (is_own and look.is_body and not look.is_sphere)
    return np.eye(3)[int(np.argmin(look.thickness))] if is_stretched else direction


def orient_particle(world: World, row: int, key: np.uint64) -> None:
    """Turn an ultimate parent, and its agglomerate with it, as its feature says; `none` turns nothing."""
    orientation = read_orientation(world.particles, row)
    if orientation.kind != "none":
        look, _ = build_agglomerate_mesh(world.particles, row, world.compute_pixel_size(), world.meshes)
        world.particles.turn_with_agglomerate(row, choose_pose(look, orientation, key))
