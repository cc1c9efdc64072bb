"""Hollow bodies, inclusions and decoration: closed surfaces within one another, with the densities asked for."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from synth_api.prototypes.geometries import SHAPES
from synth_renderer.geometry.shapes import Shape, build_shape_mesh, choose_shape, is_round, measure_mesh
from synth_renderer.geometry.sphere_grid import build_sphere_grid
from synth_renderer.labels.paths import Paths, find_paths
from synth_renderer.labels.rasterise import rasterise_bodies
from synth_renderer.model.bodies import Bodies
from synth_renderer.model.camera import Camera
from synth_renderer.model.errors import ShapeError
from synth_renderer.model.mesh import Mesh

OPEN_SHELL = {"wall_thickness": 0.1, "opening": 0.5}


def choose(name: str, segments: int = 32, **features: Any) -> Shape:
    values = {feature: declared.default for feature, declared in SHAPES[name].features.items()} | features
    extents = np.multiply(values["dimensions"], (1.0, values["width"], values["height"]))
    return replace(choose_shape(name, extents, values, None)[0], segments=segments)


def build(name: str, segments: int = 32, **features: Any) -> Mesh:
    """Return the mesh at size 1 of a shape with default features except the given ones."""
    return build_shape_mesh(choose(name, segments, **features))


def bodies_of(mesh: Mesh) -> Bodies:
    """The mesh, 10 scene units wide, upright on the ground."""
    return Bodies(
        (mesh,),
        np.zeros(1, dtype=np.int32),
        np.full((1, 3), 10.0),
        np.array([[1.0, 0.0, 0.0, 0.0]]),
        np.array([[0.0, 0.0, 5.0]]),
        np.zeros(1, dtype=bool),
    )


def trace(mesh: Mesh, camera: Camera) -> Paths:
    return next(find_paths(bodies_of(mesh), np.ones(1, dtype=bool), camera, 1))


def measure_middle(mesh: Mesh, camera: Camera) -> float:
    """Return the length inside on the ray through the middle, particle sizes."""
    paths = trace(mesh, camera)
    return float(paths.length[camera.height // 2 - paths.top, camera.width // 2 - paths.left]) / 10


@pytest.fixture(scope="module")
def camera() -> Camera:
    """Straight down on 12 x 12 scene units, 10 px each."""
    return Camera(120, 120, (0.0, 0.0, 30.0), (1.0, 0.0, 0.0, 0.0), ortho_scale=12.0)


@pytest.mark.parametrize(
    ("features", "digest"),
    [
        ({"wall_thickness": 0.1}, "3b7d3f32fb73304f"),
        (OPEN_SHELL, "6c27046e03575bc3"),
        ({"inclusion_size": 0.5, "inclusion_offset": 0.7}, "3c7acd53d6dbd4d1"),
        ({"decoration_number": 12}, "d8a3da46e7d645a3"),
    ],
)
def test_meshes_have_the_digest_of_this_engine_version(features: dict[str, Any], digest: str) -> None:
    """When this fails, pictures have changed: raise ENGINE_VERSION, then renew the digest."""
    mesh = build("bent_rod", 12, irregularity=0.02, shape_seed=5, **features)
    arrays = [mesh.vertices, mesh.normals, mesh.triangles, *([] if mesh.density is None else [mesh.density])]
    assert hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()[:16] == digest


@pytest.mark.parametrize("name", ["rough_sphere", "cube", "bent_rod", "star", "flake"])
@pytest.mark.parametrize("opening", [0.0, 0.4])
def test_hollow_bodies_are_closed_surfaces(name: str, opening: float) -> None:
    mesh = build(name, wall_thickness=0.01, opening=opening)
    edges = {(int(t[k]), int(t[(k + 1) % 3])) for t in mesh.triangles for k in range(3)}
    assert len(edges) == 3 * len(mesh.triangles)
    assert all((b, a) in edges for a, b in edges)
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=2e-7)


def test_volume_and_surface_of_a_hollow_sphere_are_those_of_its_matter() -> None:
    mesh = build("rough_sphere", wall_thickness=0.1)
    assert mesh.volume == pytest.approx(math.pi / 6 * (1 - 0.8**3), rel=5e-3)
    assert mesh.surface == pytest.approx(math.pi * (1 + 0.8**2), rel=5e-3)


def test_a_wall_of_a_box_has_the_same_thickness_on_all_sides() -> None:
    mesh = build("cube", height=2.0, wall_thickness=0.1)
    outer, inner = (np.ptp(half, axis=0) for half in np.split(mesh.vertices, 2))
    np.testing.assert_allclose(outer - inner, 0.2, rtol=1e-6)


def test_a_ray_runs_in_the_walls_of_a_hollow_body_alone(camera: Camera) -> None:
    assert measure_middle(build("rough_sphere", wall_thickness=0.1), camera) == pytest.approx(0.2, abs=2e-3)
    assert measure_middle(build("rough_sphere", **OPEN_SHELL), camera) == pytest.approx(0.1, abs=2e-3)


def test_an_opening_is_as_wide_as_asked_and_shows_the_inner_surface(camera: Camera) -> None:
    closed, opened = (
        rasterise_bodies(bodies_of(build("rough_sphere", 64, **each)), camera) for each in ({}, OPEN_SHELL)
    )
    assert (closed.pixel == opened.pixel).all()
    deeper = opened.depth > closed.depth + 0.5
    assert math.sqrt(deeper.sum() * 4 / math.pi) / 100 == pytest.approx(0.5 * 0.8 / 1.0 * 1.05, abs=0.05)
    middle = np.flatnonzero(opened.pixel == 60 * 120 + 60)[0]
    assert opened.depth[middle] == pytest.approx(30.0 - 1.0, abs=0.02)
    assert opened.normal[middle, 2] > 0.99


def test_an_opening_wider_than_the_cavity_is_a_cone_from_the_middle() -> None:
    opening, cavity = 0.9, 1 - 2 * 0.3
    mesh = build("rough_sphere", 64, wall_thickness=0.3, opening=opening)
    solid_angle = (1 - math.sqrt(1 - opening**2)) / 2
    assert mesh.volume == pytest.approx(math.pi / 6 * (1 - cavity**3) * (1 - solid_angle), rel=5e-3)


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ({"inclusion_size": 0.5, "inclusion_density": 3.0}, 1 + 2 * 0.5),
        ({"inclusion_size": 0.5, "inclusion_density": 0.0}, 1 - 0.5),
        ({"inclusion_size": 0.5, "inclusion_density": 3.0, "wall_thickness": 0.1}, 0.2 + 3 * 0.5),
    ],
)
def test_an_inclusion_has_its_density(camera: Camera, features: dict[str, Any], expected: float) -> None:
    assert measure_middle(build("rough_sphere", **features), camera) == pytest.approx(expected, abs=5e-3)


@pytest.mark.parametrize("wall", [0.0, 0.1])
@pytest.mark.parametrize("seed", range(4))
def test_an_inclusion_moves_aside_until_it_touches_the_wall(wall: float, seed: int) -> None:
    features = {"inclusion_size": 0.4, "wall_thickness": wall, "shape_seed": seed}
    count = len(build_sphere_grid(32)[0])
    for offset in (0.0, 0.5, 1.0):
        inclusion = build("rough_sphere", inclusion_offset=offset, **features).vertices[-count:]
        middle = (inclusion.max(axis=0) + inclusion.min(axis=0)) / 2
        room = 0.5 - wall
        assert np.linalg.norm(middle) == pytest.approx(offset * (room - 0.2), abs=1e-6)
        assert np.linalg.norm(inclusion, axis=1).max() <= room + 1e-9


def test_an_inclusion_counts_for_the_volume_only_in_a_cavity() -> None:
    ball = math.pi / 6
    assert build("rough_sphere", inclusion_size=0.5).volume == pytest.approx(ball)
    hollow = build("rough_sphere", inclusion_size=0.5, wall_thickness=0.1)
    assert hollow.volume == pytest.approx(ball * (1 - 0.8**3 + 0.5**3), rel=5e-3)


def test_a_decoration_consists_of_spheres_on_the_surface(camera: Camera) -> None:
    plain, decorated = build("cube"), build("cube", decoration_number=30, decoration_size=0.1)
    assert decorated.density is not None
    assert (decorated.volume, decorated.surface) == (plain.volume, plain.surface)
    grains = decorated.vertices[len(plain.vertices) :].reshape(30, -1, 3)
    middles = (grains.max(axis=1) + grains.min(axis=1)) / 2
    assert measure_mesh(grains[0], build_sphere_grid(4)[1])[0] == pytest.approx(math.pi / 6 * 1e-3, rel=0.1)
    assert np.abs(middles).max(axis=1).max() <= 0.5 + 0.03 + 1e-9
    assert np.abs(middles).max(axis=1).min() >= 0.5
    apart = np.linalg.norm(middles[:, None] - middles[None], axis=2) + np.eye(30)
    assert apart.min() > 0.1
    assert set(decorated.density.tolist()) == {1.0, 4.0}
    assert trace(decorated, camera).length.max() > 10.0 * (1 + 4 * 0.08)


def test_only_bodies_with_parts_of_another_density_have_densities() -> None:
    assert build("rough_sphere").density is None
    assert build("rough_sphere", **OPEN_SHELL).density is None


def test_a_hollow_sphere_is_round_and_a_decorated_one_is_not() -> None:
    assert is_round(choose("rough_sphere", wall_thickness=0.1))
    assert not is_round(choose("rough_sphere", decoration_number=3))


def test_the_parts_of_a_bent_rod_bend_with_it() -> None:
    mesh = build("bent_rod", wall_thickness=0.1)
    outer, inner = np.split(mesh.vertices, 2)
    assert np.linalg.norm(outer - inner, axis=1).max() < 0.3
    assert (np.ptp(inner, axis=0) < np.ptp(outer, axis=0)).all()


def test_parts_without_room_are_refused() -> None:
    with pytest.raises(
        ShapeError,
        match=r"wall_thickness 0\.4 leaves no cavity in a body that is 0\.63 particle sizes thick; give at most 0\.299",
    ):
        build("rod", wall_thickness=0.4)
    with pytest.raises(
        ShapeError,
        match=r"inclusion_size 0\.9 does not fit into a cavity of 0\.8 of the particle; give less, or a thin",
    ):
        build("rough_sphere", wall_thickness=0.1, inclusion_size=0.9)
