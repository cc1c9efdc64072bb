"""Analytic spheres: id, depth and normal at every pixel centre from closed formulas."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from synth_renderer.labels.rasterise import rasterise_bodies
from synth_renderer.labels.visible import find_visible_surface

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.bodies import Bodies
    from synth_renderer.model.camera import Camera

FINE = 3
"""24,578 vertices."""


def rays(camera: Camera) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Origin and direction (H, W, 3) through every pixel centre, camera frame; direction z = -1, so t is the depth."""
    column, row = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    x, y = column - camera.width / 2, camera.height / 2 - row
    pixel = 1 / max(camera.width, camera.height)
    origin, direction = np.zeros((*x.shape, 3)), np.zeros((*x.shape, 3))
    direction[..., 2] = -1
    if camera.ortho_scale is not None:
        origin[..., 0], origin[..., 1] = x * pixel * camera.ortho_scale, y * pixel * camera.ortho_scale
    else:
        slope = pixel * camera.sensor_width / camera.focal_length
        direction[..., 0], direction[..., 1] = x * slope, y * slope
    return origin, direction


def camera_frame(points: NDArray[np.float64], camera: Camera) -> NDArray[np.float64]:
    w, x, y, z = camera.quaternion
    vector, offset = -np.array([x, y, z]), points - np.array(camera.location)
    turn = 2 * np.cross(vector, offset)
    return np.asarray(offset + w * turn + np.cross(vector, turn))


def trace(bodies: Bodies, camera: Camera) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Nearest id, depth and normal at every pixel centre."""
    origin, direction = rays(camera)
    ids = np.zeros(origin.shape[:2], dtype=np.int64)
    depth, normal = np.full(ids.shape, np.inf), np.zeros(origin.shape)
    for n, centre in enumerate(camera_frame(bodies.locations, camera)):
        radius = bodies.scales[n, 0] / 2
        t = _hit(origin - centre, direction, radius)
        nearer = t < depth
        depth[nearer], ids[nearer] = t[nearer], n + 1
        normal[nearer] = ((origin + t[..., None] * direction - centre) / radius)[nearer]
    return ids, depth, normal


def _hit(start: NDArray[np.float64], direction: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    a, b = (direction**2).sum(axis=-1), (start * direction).sum(axis=-1)
    root = b**2 - a * ((start**2).sum(axis=-1) - radius**2)
    return np.where(root > 0, (-b - np.sqrt(np.maximum(root, 0))) / a, 1e9)


@pytest.mark.parametrize("view", ["from_above", "oblique"])
def test_ids_depth_and_normals_of_a_fine_mesh(heap: Any, view: str, request: pytest.FixtureRequest) -> None:
    camera = request.getfixturevalue(view)
    bodies = heap(80, level=FINE)
    surface = find_visible_surface(rasterise_bodies(bodies, camera))
    ids, depth, normal = trace(bodies, camera)
    assert len(np.unique(ids)) > 30
    same = surface.ids == np.where(depth < 1e9, ids, 0)
    assert same.mean() >= 0.9995
    seen = same & (surface.ids > 0)
    difference = np.abs(surface.depth[seen] - depth[seen])
    assert np.median(difference) < 2e-3
    assert np.percentile(difference, 99.9) < 0.05
    cosine = (surface.normal[seen] * normal[seen]).sum(axis=1)
    assert np.median(cosine) > 1 - 1e-6
    assert np.percentile(cosine, 0.1) > 1 - 1e-3


def test_amodal_areas_are_those_of_discs(heap: Any, from_above: Camera) -> None:
    bodies = heap(80, level=FINE)
    inside = (np.abs(bodies.locations[:, :2]) + bodies.scales[:, :2] / 2 < 12).all(axis=1)
    area = np.diff(rasterise_bodies(bodies, from_above).start)[inside]
    radius = bodies.scales[inside, 0] / 2 * 10
    assert inside.sum() > 20
    np.testing.assert_allclose(area, math.pi * radius**2, atol=8 * math.sqrt(radius.max()))
    assert abs(area.sum() / (math.pi * radius**2).sum() - 1) < 2e-3


def test_the_default_mesh_is_within_half_a_percent_of_the_pixels(heap: Any, from_above: Camera) -> None:
    ids, depth, _ = trace(heap(80), from_above)
    assert (
        find_visible_surface(rasterise_bodies(heap(80), from_above)).ids == np.where(depth < 1e9, ids, 0)
    ).mean() >= 0.995
