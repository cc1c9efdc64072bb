"""Surface under the beam: several samples within each pixel, by the rasteriser of the label pass."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.labels.coverage import find_nearest_triangles, find_pixel_window, keep_nearest_surface, snap_to_grid
from synth_renderer.labels.projection import build_view_matrix, project_points, to_camera_frame
from synth_renderer.model.transforms import multiply_matrices, rotation_matrix, transform_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.bodies import Bodies
    from synth_renderer.model.camera import Camera

SAMPLES_PER_SIDE: Final = 2
"""Samples along each side of a pixel."""


@dataclass(frozen=True)
class Samples:
    """Nearest surface at each sample, (H s, W s) with s samples along each side of a pixel."""

    ids: NDArray[np.uint16]
    """0 is the ground, body n has id n + 1."""
    height: NDArray[np.float32]
    """Height above the ground's plane, scene units; 0 on the ground."""
    normal: NDArray[np.float32]
    """Unit normals (H s, W s, 3), world frame; 0 on the ground."""
    grey: NDArray[np.float32]
    """Factor on the grey of the body; 1 without a pattern."""


def sample_surface(
    bodies: Bodies, shown: NDArray[np.bool_], camera: Camera, per_side: int = SAMPLES_PER_SIDE
) -> Samples:
    """Sample the bodies `shown` (N,) bool under an orthographic camera that looks straight down on the plane z = 0.

    Memory grows with the picture, not with the number of bodies that hide each other.
    """
    fine = replace(camera, width=camera.width * per_side, height=camera.height * per_side)
    ids = np.zeros((fine.height, fine.width), dtype=np.uint16)
    nearness = np.full(ids.shape, -np.inf, dtype=np.float32)
    normal = np.zeros((*ids.shape, 3), dtype=np.float32)
    centres, view = to_camera_frame(bodies.locations, fine), build_view_matrix(fine)
    chosen = np.flatnonzero(shown & bodies.scales.all(axis=1))
    # From the nearest body down, so that no normal is computed for a hidden sample.
    for body in chosen[np.argsort(-centres[chosen, 2], kind="stable")]:
        mesh, scale = bodies.meshes[bodies.mesh_index[body]], bodies.scales[body]
        rotation = multiply_matrices(view, rotation_matrix(bodies.quaternions[body]))
        image = snap_to_grid(project_points(transform_points(mesh.vertices, rotation * scale, centres[body]), fine))
        bounds = find_pixel_window(image, fine.width, fine.height)
        depth, winner = find_nearest_triangles(image, mesh.triangles, bounds, True)
        keep_nearest_surface(image, mesh.triangles, mesh.normals, rotation / scale, depth, winner, bounds, int(body),
                             ids, nearness, normal)  # fmt: skip
    height = np.where(ids > 0, nearness + np.float32(camera.location[2]), np.float32(0))
    return Samples(ids, height, normal, np.ones(ids.shape, dtype=np.float32))
