"""Geometry prototypes: exact vertices, closed surfaces, closed formulas."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import elliprg

from synth_api.prototypes.geometries import GEOMETRIES as DECLARED
from synth_api.prototypes.geometries import SHAPES
from synth_renderer.geometry import prototypes
from synth_renderer.model.mesh import Mesh

GEOMETRIES = {name: declared for name, declared in DECLARED.items() if name not in SHAPES}
SIZES = st.tuples(*[st.floats(1e-3, 1e3)] * 3)


def corners(mesh: Mesh) -> np.ndarray:
    return mesh.vertices[mesh.triangles]


def test_every_declared_geometry_has_a_mesh_of_its_default_size() -> None:
    assert prototypes.GEOMETRIES.keys() == GEOMETRIES.keys()
    for name, declared in GEOMETRIES.items():
        defaults = {feature: known.default for feature, known in declared.features.items()}
        factors = [1.0, defaults.get("width", 1.0), defaults.get("height", 1.0)]
        extent = np.ptp(prototypes.build_mesh(name, 1).vertices, axis=0)
        np.testing.assert_array_equal(extent, np.multiply(defaults["dimensions"], factors))


@pytest.mark.parametrize(("level", "vertices"), [(0, 386), (1, 1538), (2, 6146), (3, 24578)])
def test_quad_sphere_doubles_with_every_level(level: int, vertices: int) -> None:
    mesh = prototypes.build_mesh("sphere", level)
    assert mesh.vertices.shape == mesh.normals.shape == (vertices, 3)
    assert len(mesh.triangles) == 2 * (vertices - 2)
    np.testing.assert_allclose(np.linalg.norm(mesh.vertices, axis=1), 0.5, rtol=1e-15)
    np.testing.assert_allclose(mesh.normals, mesh.vertices * 2, rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize("name", sorted(GEOMETRIES))
def test_meshes_are_closed_and_turn_outwards(name: str) -> None:
    mesh = prototypes.build_mesh(name, 1)
    edges = Counter((int(t[k]), int(t[(k + 1) % 3])) for t in mesh.triangles for k in range(3))
    assert set(edges.values()) == {1}
    assert all((b, a) in edges for a, b in edges)
    a, b, c = corners(mesh).transpose(1, 0, 2)
    facet = np.cross(b - a, c - a)
    assert ((facet * (a + b + c)).sum(axis=1) > 0).all()
    assert ((facet[:, None] * mesh.normals[mesh.triangles]).sum(axis=2) > 0).all()


def test_a_prototype_without_subdivisions_has_level_0_and_is_shared() -> None:
    assert len(prototypes.build_mesh("default", None).vertices) == 386
    assert prototypes.build_mesh("sphere", 1) is prototypes.build_mesh("sphere", 1)
    with pytest.raises(ValueError, match="read-only"):
        prototypes.build_mesh("sphere", 1).vertices[0] = 0


@pytest.mark.parametrize("name", sorted(GEOMETRIES))
def test_volume_and_surface_are_the_limits_of_the_meshes(name: str) -> None:
    mesh = prototypes.build_mesh(name, 3)
    size = np.ptp(mesh.vertices, axis=0)
    a, b, c = corners(mesh).transpose(1, 0, 2)
    assert prototypes.compute_volume(name, size) == pytest.approx((a * np.cross(b, c)).sum() / 6, rel=2e-3)
    assert prototypes.compute_surface(name, size) == pytest.approx(
        np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2, rel=1e-3
    )


@given(SIZES)
def test_ellipsoid_surface_is_carlsons_integral(size: tuple[float, float, float]) -> None:
    a, b, c = (extent / 2 for extent in size)
    exact = 4 * math.pi * elliprg((a * b) ** 2, (a * c) ** 2, (b * c) ** 2)
    assert prototypes.compute_surface("ellipsoid", size) == np.float32(prototypes.compute_surface("ellipsoid", size))
    assert prototypes.compute_surface("ellipsoid", size) == pytest.approx(exact, rel=1e-7)


@given(st.floats(0, 1e3))
def test_sphere_formulas(diameter: float) -> None:
    size = (diameter, diameter, diameter)
    assert prototypes.is_sphere("sphere", size)
    assert prototypes.compute_surface("sphere", size) == pytest.approx(math.pi * diameter**2, rel=1e-6)
    assert prototypes.compute_volume("sphere", size) == pytest.approx(math.pi / 6 * diameter**3, rel=1e-6)


def test_flat_bodies_have_two_sides_and_no_volume() -> None:
    assert prototypes.compute_surface("sphere", (2, 4, 0)) == pytest.approx(2 * math.pi * 1 * 2)
    assert prototypes.compute_volume("sphere", (2, 4, 0)) == 0
    assert prototypes.compute_surface("sphere", (2, 0, 0)) == 0
    assert not prototypes.is_sphere("sphere", (2, 4, 4))
    assert prototypes.is_sphere("ellipsoid", (3, 3, 3))
