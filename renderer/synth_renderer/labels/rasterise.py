"""The triangle rasteriser of the label pass: every body at every pixel centre that it covers.

Everything is float64 + - x / sqrt, compiled without fastmath, so the result is the same on any x86-64 machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.labels.coverage import cover, resolve, snapped, window
from synth_renderer.labels.fragments import Fragments
from synth_renderer.labels.near_plane import clipped
from synth_renderer.labels.projection import in_camera_frame, projected, view_matrix
from synth_renderer.model.transforms import product, rotation_matrix, transformed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.bodies import Bodies
    from synth_renderer.model.camera import Camera

    Part = tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]

NEAR: Final = 0.1
"""Scene units; what is nearer to the camera's plane is not seen (the default `clip_start` of Blender's cameras)."""


def rasterise(bodies: Bodies, camera: Camera) -> Fragments:
    """The nearest surface of each body at every pixel centre that it covers, whatever hides it.

    Linear in triangles and covered pixels. A body that reaches through the near plane is cut open there and shows its
    inside, with normals that face the camera. A body without extent along some axis covers nothing.
    """
    centres = in_camera_frame(bodies.locations, camera)
    view = view_matrix(camera)
    parts = [_part(bodies, body, centres[body], view, camera) for body in range(len(bodies))]
    start = np.zeros(len(parts) + 1, dtype=np.int64)
    np.cumsum([len(pixel) for pixel, _, _ in parts], out=start[1:])
    parts.append(_nothing())
    return Fragments(
        width=camera.width,
        height=camera.height,
        start=start,
        pixel=np.concatenate([pixel for pixel, _, _ in parts]),
        depth=np.concatenate([depth for _, depth, _ in parts]),
        normal=np.concatenate([normal for _, _, normal in parts]),
    )


def _nothing() -> Part:
    return np.empty(0, np.int32), np.empty(0, np.float32), np.empty((0, 3), np.float32)


def _part(bodies: Bodies, body: int, centre: NDArray[np.float64], view: NDArray[np.float64], camera: Camera) -> Part:
    scale = bodies.scales[body]
    if not scale.all():
        return _nothing()
    mesh = bodies.meshes[bodies.mesh_index[body]]
    rotation = product(view, rotation_matrix(bodies.quaternions[body]))
    points, normals, triangles = transformed(mesh.vertices, rotation * scale, centre), mesh.normals, mesh.triangles
    is_cut = bool(points[:, 2].max() > -NEAR)
    if is_cut:
        points, normals, triangles = clipped(points, normals, triangles, NEAR)
    if not len(triangles):
        return _nothing()
    image = snapped(projected(points, camera))
    bounds = window(image, camera.width, camera.height)
    nearness, winner = cover(image, triangles, bounds, not is_cut)
    return resolve(
        image, triangles, normals, rotation / scale, nearness, winner, bounds, camera.width, camera.is_orthographic
    )
