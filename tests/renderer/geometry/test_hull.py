"""Collision hulls: few vertices, and with their margin the body itself within a hundredth of its smallest radius."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from synth_api.prototypes.geometries import SHAPES
from synth_renderer.geometry import prototypes
from synth_renderer.geometry.hull import build_hull, is_convex
from synth_renderer.geometry.shapes import build_shape_mesh, choose_shape
from synth_renderer.model.mesh import Mesh


def mesh_of(name: str, **features: float) -> Mesh:
    values = {feature: known.default for feature, known in SHAPES[name].features.items()} | features
    extents = np.multiply(values["dimensions"], (1.0, values["width"], values["height"]))
    return build_shape_mesh(choose_shape(name, np.array(extents), values, None)[0])


def stretch_sphere(proportions: tuple[float, float, float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    sphere = prototypes.build_mesh("sphere", 2)
    normals = sphere.normals / proportions
    return sphere.vertices * proportions, normals / np.linalg.norm(normals, axis=1)[:, None]


def deviations(points: NDArray[np.float64], normals: NDArray[np.float64]) -> tuple[float, float, int]:
    """Return how far the body sticks out of its hull with margin and the hull out of the body, in radii; vertices."""
    hull = build_hull(points, normals)
    radius = np.ptp(points, axis=0).min() / 2
    planes = ConvexHull(hull.points).equations
    outside = (points @ planes[:, :3].T + planes[:, 3]).max(axis=1) - hull.margin
    body = ConvexHull(points).equations
    beyond = (hull.points @ body[:, :3].T + body[:, 3]).max() + hull.margin
    return outside.max() / radius, beyond / radius, len(hull.points)


@pytest.mark.parametrize("proportions", [(1, 1, 1), (1, 1, 0.5), (1, 0.7, 0.4), (1, 1, 3)])
def test_an_ellipsoid_is_its_hull_within_a_hundredth_of_its_smallest_radius(proportions) -> None:
    missing, beyond, vertices = deviations(*stretch_sphere(proportions))
    assert missing <= 0.01
    assert beyond <= 0.011
    assert vertices <= 600


@pytest.mark.parametrize(("name", "corners"), [("cube", 8), ("octahedron", 6)])
def test_a_polyhedron_keeps_its_corners_and_no_other_vertex(name, corners) -> None:
    mesh = mesh_of(name)
    missing, beyond, vertices = deviations(mesh.vertices, mesh.normals)
    assert vertices == corners
    assert max(missing, beyond) <= 1e-9


@pytest.mark.parametrize(
    "name", sorted(set(SHAPES) - {"bent_rod", "fibre", "flake", "raspberry", "spiky_sphere", "star"})
)
def test_convex_shapes_count_as_convex_and_have_small_hulls(name) -> None:
    mesh = mesh_of(name)
    assert is_convex(mesh, 0.005 * mesh.extents.min())
    missing, beyond, vertices = deviations(mesh.vertices, mesh.normals)
    assert max(missing, beyond) <= 0.015
    assert vertices <= 600


@pytest.mark.parametrize("mesh", [mesh_of("bent_rod"), mesh_of("raspberry"), mesh_of("cube", pore_depth=0.1)])
def test_bodies_with_hollows_are_not_convex(mesh) -> None:
    assert not is_convex(mesh, 0.005 * mesh.extents.min())
