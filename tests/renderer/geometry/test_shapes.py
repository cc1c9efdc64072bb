"""Shapes: closed meshes with outward normals, volume and surface of closed formulas, reliefs as requested."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from synth_api.prototypes.geometries import SHAPES
from synth_renderer.geometry.planes import build_polyhedron_planes
from synth_renderer.geometry.shapes import build_shape_mesh, choose_shape, is_round, measure_mesh
from synth_renderer.geometry.solids import SOLIDS
from synth_renderer.geometry.sphere_grid import FINENESSES, build_sphere_grid, choose_fineness
from synth_renderer.model.errors import ShapeError
from synth_renderer.model.mesh import Mesh

RELIEFS = {"irregularity": 0.03, "wrinkle_depth": 0.04, "pore_depth": 0.04, "step_depth": 0.02, "flute_depth": 0.05}

YOUNGER = frozenset({"bipyramid", "fibre", "flake", "star", "spiky_sphere"})
"""Shapes that are younger than the digest of the engine version."""


def build(
    name: str, segments: int = 48, extents: tuple[float, ...] | None = None, **features: Any
) -> tuple[Mesh, float]:
    """Return mesh and size of a shape with default features except the given ones."""
    values = {feature: declared.default for feature, declared in SHAPES[name].features.items()} | features
    default = np.multiply(values["dimensions"], (1.0, values["width"], values["height"]))
    shape, size = choose_shape(name, np.array(default if extents is None else extents, dtype=float), values, None)
    return build_shape_mesh(replace(shape, segments=segments)), size


def content(mesh: Mesh) -> tuple[float, float]:
    return measure_mesh(mesh.vertices, mesh.triangles)


def test_every_declared_shape_has_a_solid() -> None:
    assert SOLIDS.keys() | {"fibre"} == SHAPES.keys()


def test_meshes_have_the_digest_of_this_engine_version() -> None:
    """When this fails, pictures have changed: raise ENGINE_VERSION, then renew the digest."""
    digest = hashlib.sha256()
    for name in sorted(SHAPES.keys() - YOUNGER):
        declared = SHAPES[name]
        values = {feature: RELIEFS.get(feature, known.default) for feature, known in declared.features.items()}
        shape, size = choose_shape(name, np.array([3.0, 2.0, 4.0]), values, pixel=0.1)
        mesh = build_shape_mesh(shape)
        for array in (np.array(size), mesh.vertices, mesh.normals, mesh.triangles):
            digest.update(array.tobytes())
    assert digest.hexdigest() == "fa6786da9adb7e0be7c968b285b403dd1abc06337cfa9537ea9afe6fe80b6479"


@pytest.mark.parametrize("segments", FINENESSES)
def test_grids_are_closed_and_turn_outwards(segments: int) -> None:
    directions, triangles = build_sphere_grid(segments)
    assert len(directions) == 6 * segments**2 + 2
    edges = {(int(t[k]), int(t[(k + 1) % 3])) for t in triangles for k in range(3)}
    assert len(edges) == 3 * len(triangles)
    assert all((b, a) in edges for a, b in edges)
    a, b, c = directions[triangles].transpose(1, 0, 2)
    assert ((np.cross(b - a, c - a) * (a + b + c)).sum(axis=1) > 0).all()


def test_the_fineness_is_the_coarsest_that_suffices() -> None:
    assert [choose_fineness(wanted) for wanted in (1, 4, 5, 64.1, 1e6)] == [4, 4, 6, 96, 128]


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_normals_are_units_and_point_outwards(name: str) -> None:
    mesh, _ = build(name, edge_rounding=0.1)
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=2e-7)
    a, b, c = mesh.vertices[mesh.triangles].transpose(1, 0, 2)
    facets = np.cross(b - a, c - a)
    outwards = (facets[:, None] * mesh.normals[mesh.triangles]).sum(axis=(1, 2))
    # In the narrow tips of a star the roundings of both walls meet.
    assert (outwards > 0).mean() > (0.995 if name == "star" else 0.999)


@pytest.mark.parametrize(
    ("name", "extents", "features"),
    [
        ("rough_sphere", (2.0, 2.0, 2.0), {}),
        ("rough_ellipsoid", (3.0, 2.0, 1.0), {}),
        ("cube", (1.0, 2.0, 3.0), {}),
        ("cube", (1.0, 2.0, 3.0), {"edge_rounding": 0.3}),
        ("octahedron", (1.0, 1.5, 2.0), {}),
        *[("prism", (1.0, 1.0, 1.5), {"sides": sides}) for sides in range(3, 9)],
        ("prism", (2.0, 1.0, 0.3), {"sides": 6}),
        *[("bipyramid", (1.0, 1.0, 2.0), {"sides": sides, "truncation": cut}) for sides, cut in ((3, 0.0), (5, 0.5))],
        ("bipyramid", (1.0, 1.5, 0.7), {"sides": 6, "truncation": 0.2}),
        ("flake", (2.0, 1.0, 0.1), {"corners": 6}),
        ("star", (1.0, 1.0, 0.3), {}),
        ("rod", (1.0, 1.0, 4.0), {}),
        ("rod", (1.0, 1.0, 4.0), {"edge_rounding": 1.0}),
        ("rod", (1.0, 1.0, 0.4), {"edge_rounding": 0.5}),
        ("bent_rod", (1.0, 1.0, 5.0), {"bend": 100.0, "edge_rounding": 0.4}),
    ],
)
def test_formulas_are_the_limits_of_the_meshes(name: str, extents: tuple[float, ...], features: Any) -> None:
    mesh, size = build(name, 128, extents, **features)
    volume, surface = content(mesh)
    assert volume == pytest.approx(mesh.volume, rel=2e-3)
    assert surface == pytest.approx(mesh.surface, rel=6e-3)
    if name not in ("bent_rod", "prism", "bipyramid", "flake", "star"):
        np.testing.assert_allclose(np.ptp(mesh.vertices, axis=0) * size, extents, rtol=2e-3)


def test_volume_and_surface_of_textbook_bodies() -> None:
    cube, _ = build("cube", extents=(2.0, 2.0, 2.0))
    assert (cube.volume, cube.surface) == pytest.approx((1, 6))
    ball, size = build("rod", extents=(1.0, 1.0, 1.0), edge_rounding=1.0)
    assert (ball.volume * size**3, ball.surface * size**2) == pytest.approx((math.pi / 6, math.pi))
    octahedron, size = build("octahedron")
    assert (octahedron.volume * size**3, octahedron.surface * size**2) == pytest.approx((1 / 6, math.sqrt(3)))


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_volume_and_surface_do_not_depend_on_the_fineness(name: str) -> None:
    features = {"edge_rounding": 0.1, "irregularity": 0.02}
    (fine, _), (coarse, _) = build(name, 128, **features), build(name, 16, **features)
    assert coarse.volume == pytest.approx(fine.volume, rel=0.02)
    assert coarse.surface == pytest.approx(fine.surface, rel=0.08)


def test_the_facets_of_a_polyhedron_are_level() -> None:
    mesh, _ = build("polyhedron", faces=12, shape_seed=5)
    planes = build_polyhedron_planes(12, 5)
    on_plane = (mesh.normals @ planes[:, :3].T > 1 - 1e-9).any(axis=1)
    assert on_plane.all()
    assert ((mesh.vertices @ planes[:, :3].T - planes[:, 3]).max(axis=1) < 1e-9).all()


def test_polyhedra_of_different_seeds_differ() -> None:
    one, other = build("polyhedron", shape_seed=1)[0], build("polyhedron", shape_seed=2)[0]
    assert one.volume != other.volume


def test_rounding_removes_edges_and_keeps_the_middle_of_faces() -> None:
    sharp, round_edges = build("cube")[0], build("cube", edge_rounding=0.2)[0]
    assert round_edges.volume < sharp.volume
    np.testing.assert_allclose(np.ptp(round_edges.vertices, axis=0), 1)
    assert np.linalg.norm(round_edges.vertices, axis=1).max() < math.sqrt(3) / 2 - 0.05


@pytest.mark.parametrize("relief", RELIEFS)
def test_a_relief_moves_the_surface_and_turns_its_normals(relief: str) -> None:
    name = "rod" if relief == "flute_depth" else "rough_sphere"
    level, deep = build(name)[0], build(name, **{relief: RELIEFS[relief]})[0]
    moved = np.linalg.norm(deep.vertices - level.vertices, axis=1)
    assert 0.2 * RELIEFS[relief] < moved.max() < 4 * RELIEFS[relief]
    assert (deep.normals * level.normals).sum(axis=1).min() < 0.98


@pytest.mark.parametrize("relief", sorted(RELIEFS.keys() - {"flute_depth"}))
def test_normals_are_those_of_the_displaced_mesh(relief: str) -> None:
    mesh, _ = build("rough_sphere", 96, **{relief: RELIEFS[relief] / 4})
    a, b, c = mesh.vertices[mesh.triangles].transpose(1, 0, 2)
    facets = np.cross(b - a, c - a)
    facets /= np.linalg.norm(facets, axis=1)[:, None]
    cosine = (facets * mesh.normals[mesh.triangles].mean(axis=1)).sum(axis=1)
    assert np.quantile(cosine, 0.05) > 0.97


def test_an_irregular_outline_has_the_given_rms() -> None:
    mesh, _ = build("rough_sphere", irregularity=0.03)
    radius = np.linalg.norm(mesh.vertices, axis=1)
    assert radius.mean() == pytest.approx(0.5, rel=1e-3)
    assert radius.std() == pytest.approx(0.03, rel=1e-3)


def test_switching_one_relief_off_leaves_the_others() -> None:
    def heights(**features: float) -> np.ndarray:
        return np.linalg.norm(build("rough_sphere", shape_seed=3, **features)[0].vertices, axis=1) - 0.5

    both, pores, steps = heights(pore_depth=0.03, step_depth=0.01), heights(pore_depth=0.03), heights(step_depth=0.01)
    np.testing.assert_allclose(both, pores + steps, atol=1e-12)


def test_bodies_of_different_size_share_a_shape() -> None:
    values = {feature: declared.default for feature, declared in SHAPES["cube"].features.items()}
    one, size = choose_shape("cube", np.array([2.0, 2.0, 4.0]), values, None)
    other, double = choose_shape("cube", np.array([4.0, 4.0, 8.0]), values, None)
    assert (one, 2 * size) == (other, double)


def test_only_smooth_spheres_are_round() -> None:
    values = {feature: declared.default for feature, declared in SHAPES["rough_sphere"].features.items()}

    def round_body(extents: tuple[float, ...] = (2.0, 2.0, 2.0), **features: Any) -> bool:
        return is_round(choose_shape("rough_sphere", np.array(extents), values | features, None)[0])

    assert round_body()
    assert not round_body((2.0, 2.0, 2.1))
    assert not round_body(pore_depth=0.01)


def test_a_rod_that_is_bent_too_much_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"a rod 1 times as long as thick cannot be bent by 180 degrees; make it long"):
        build("bent_rod", extents=(1.0, 1.0, 1.0), bend=180.0)


def test_bending_keeps_volume_and_thickness() -> None:
    straight, bent = build("bent_rod", 96, bend=0.0)[0], build("bent_rod", 96, bend=90.0)[0]
    assert content(bent) == pytest.approx(content(straight), rel=1e-3)
    assert np.ptp(bent.vertices[:, 0]) > 1.3 * np.ptp(straight.vertices[:, 0])
    np.testing.assert_allclose(np.ptp(bent.vertices[:, 1]), np.ptp(straight.vertices[:, 1]))
