"""Triangle rasteriser of the label pass: every body at every pixel centre that it covers.

All arithmetic is float64 + - x / sqrt, compiled without fastmath, so the result is the same on any x86-64 machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.labels.coverage import find_nearest_triangles, find_pixel_window, resolve_fragments, snap_to_grid
from synth_renderer.labels.fragments import Fragments
from synth_renderer.labels.near_plane import clip_at_near_plane
from synth_renderer.labels.projection import build_view_matrix, project_points, to_camera_frame
from synth_renderer.model.transforms import multiply_matrices, rotation_matrix, transform_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.bodies import Bodies
    from synth_renderer.model.camera import Camera

    Part = tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]
    """Pixel (F,), depth (F,) and normal (F, 3) of one body's fragments."""

NEAR_PLANE: Final = 0.1
"""Scene units; surfaces nearer to the camera's plane are cut off (the default `clip_start` of Blender's cameras)."""


def rasterise_bodies(bodies: Bodies, camera: Camera) -> Fragments:
    """Return the nearest surface of each body at every pixel centre that it covers, hidden or not.

    Time is linear in triangles and covered pixels. A body that reaches through the near plane is cut open there and
    shows its inside, with normals that face the camera. A body without extent along some axis covers nothing.
    """
    centres = to_camera_frame(bodies.locations, camera)
    view = build_view_matrix(camera)
    parts = [_rasterise_body(bodies, body, centres[body], view, camera) for body in range(len(bodies))]
    start = np.zeros(len(parts) + 1, dtype=np.int64)
    np.cumsum([len(pixel) for pixel, _, _ in parts], out=start[1:])
    parts.append(_create_empty_part())
    return Fragments(
        width=camera.width,
        height=camera.height,
        start=start,
        pixel=np.concatenate([pixel for pixel, _, _ in parts]),
        depth=np.concatenate([depth for _, depth, _ in parts]),
        normal=np.concatenate([normal for _, _, normal in parts]),
    )


def _create_empty_part() -> Part:
    return np.empty(0, np.int32), np.empty(0, np.float32), np.empty((0, 3), np.float32)


def _rasterise_body(
    bodies: Bodies, body: int, centre: NDArray[np.float64], view: NDArray[np.float64], camera: Camera
) -> Part:
    """Return one body's fragments; `centre` (3,) in the camera frame, `view` (3, 3) from world to camera frame."""
    scale = bodies.scales[body]
    if not scale.all():
        return _create_empty_part()
    mesh = bodies.meshes[bodies.mesh_index[body]]
    rotation = multiply_matrices(view, rotation_matrix(bodies.quaternions[body]))
    points, normals, triangles = transform_points(mesh.vertices, rotation * scale, centre), mesh.normals, mesh.triangles
    is_cut = bool(points[:, 2].max() > -NEAR_PLANE)
    if is_cut:
        points, normals, triangles = clip_at_near_plane(points, normals, triangles, NEAR_PLANE)
    if not len(triangles):
        return _create_empty_part()
    image = snap_to_grid(project_points(points, camera))
    bounds = find_pixel_window(image, camera.width, camera.height)
    nearness, winner = find_nearest_triangles(image, triangles, bounds, not is_cut)
    return resolve_fragments(
        image, triangles, normals, rotation / scale, nearness, winner, bounds, camera.width, camera.is_orthographic
    )
