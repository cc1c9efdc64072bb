"""What the beam meets: several samples of the label pass's own surface within each pixel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.labels.coverage import cover, keep_nearest, snapped, window
from synth_renderer.labels.projection import in_camera_frame, projected, view_matrix
from synth_renderer.model.transforms import product, rotation_matrix, transformed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.bodies import Bodies
    from synth_renderer.model.camera import Camera

PER_SIDE: Final = 2
"""Samples along each side of a pixel."""


@dataclass(frozen=True)
class Samples:
    """The nearest surface at each sample, (H s, W s) with s samples along each side of a pixel.

    ids uint16, 0 is the ground, body n has id n + 1; height float32, scene units above the ground's plane, 0 on it;
    normal (…, 3) float32, unit, world frame, 0 on the ground.
    """

    ids: NDArray[np.uint16]
    height: NDArray[np.float32]
    normal: NDArray[np.float32]


def sampled(bodies: Bodies, shown: NDArray[np.bool_], camera: Camera, per_side: int = PER_SIDE) -> Samples:
    """Sample the bodies `shown` (N,) under an orthographic camera that looks straight down on the plane z = 0.

    Memory grows with the picture, not with the bodies that hide each other.
    """
    fine = replace(camera, width=camera.width * per_side, height=camera.height * per_side)
    ids = np.zeros((fine.height, fine.width), dtype=np.uint16)
    nearness = np.full(ids.shape, -np.inf, dtype=np.float32)
    normal = np.zeros((*ids.shape, 3), dtype=np.float32)
    centres, view = in_camera_frame(bodies.locations, fine), view_matrix(fine)
    solid = np.flatnonzero(shown & bodies.scales.all(axis=1))
    for body in solid[np.argsort(-centres[solid, 2], kind="stable")]:  # what is hidden then costs no normal
        mesh, scale = bodies.meshes[bodies.mesh_index[body]], bodies.scales[body]
        rotation = product(view, rotation_matrix(bodies.quaternions[body]))
        image = snapped(projected(transformed(mesh.vertices, rotation * scale, centres[body]), fine))
        bounds = window(image, fine.width, fine.height)
        depth, winner = cover(image, mesh.triangles, bounds, True)
        keep_nearest(image, mesh.triangles, mesh.normals, rotation / scale, depth, winner, bounds, int(body),
                     ids, nearness, normal)  # fmt: skip
    height = np.where(ids > 0, nearness + np.float32(camera.location[2]), np.float32(0))
    return Samples(ids, height, normal)
