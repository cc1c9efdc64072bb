"""Fibres: tubes along smooth curves, closed, of the given length and width, that lie over themselves."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from synth_api.prototypes.geometries import SHAPES
from synth_renderer.geometry.curves import draw_curvature, lift_over_itself
from synth_renderer.geometry.fibres import trace_strands
from synth_renderer.geometry.shapes import Shape, build_shape_mesh, choose_shape, find_faces, measure_mesh
from synth_renderer.model.errors import ShapeError
from synth_renderer.model.mesh import Mesh

LENGTH = 40.0


def shape_of(length: float = LENGTH, pixel: float | None = 0.1, width: float = 1.0, **features: Any) -> Shape:
    values = {name: declared.default for name, declared in SHAPES["fibre"].features.items()} | features
    return choose_shape("fibre", np.array([width, width, length]), values, pixel)[0]


def build(length: float = LENGTH, **features: Any) -> tuple[Mesh, float]:
    """Return the mesh of a fibre 1 wide, and its scale."""
    return build_shape_mesh(shape_of(length, **features)), length ** (1 / 3)


def places_of(**features: Any) -> np.ndarray:
    shape = shape_of(**features)
    return trace_strands(shape.proportions, dict(shape.features))[0].places * LENGTH ** (1 / 3)


def test_meshes_have_the_digest_of_this_engine_version() -> None:
    """When this fails, pictures have changed: raise ENGINE_VERSION, then renew the digest."""
    digest = hashlib.sha256()
    features = {"loops": 1, "branches": 2, "width_variation": 0.1, "taper": 0.5, "irregularity": 0.02}
    for mesh, _ in (build(), build(shape_seed=7, **features)):
        for array in (mesh.vertices, mesh.normals, mesh.triangles):
            digest.update(array.tobytes())
    assert digest.hexdigest() == "313ae64d6b691dcbd9f9da0ad1e92274941d99e3eaf8ef9b1c2ce520e3a98202"


@pytest.mark.parametrize("features", [{}, {"loops": 2}, {"branches": 3}, {"edge_rounding": 0.0}, {"pixel": None}])
def test_meshes_are_closed_and_turn_outwards(features: Any) -> None:
    mesh, _ = build(**features)
    edges = {(int(t[k]), int(t[(k + 1) % 3])) for t in mesh.triangles for k in range(3)}
    assert len(edges) == 3 * len(mesh.triangles)
    assert all((b, a) in edges for a, b in edges)
    a, b, c = mesh.vertices[mesh.triangles].transpose(1, 0, 2)
    outwards = (np.cross(b - a, c - a)[:, None] * mesh.normals[mesh.triangles]).sum(axis=(1, 2))
    assert (outwards > 0).all()
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1)


@pytest.mark.parametrize("curvature", [0.0, 90.0, 300.0])
def test_volume_and_surface_are_those_of_a_rod_of_its_length(curvature: float) -> None:
    mesh, size = build(curvature=curvature)
    volume, surface = math.pi / 6 + math.pi / 4 * (LENGTH - 1), math.pi * LENGTH
    assert (mesh.volume * size**3, mesh.surface * size**2) == pytest.approx((volume, surface), rel=1e-6)
    found = measure_mesh(mesh.vertices, mesh.triangles)
    assert found == pytest.approx((mesh.volume, mesh.surface), rel=0.03)


def test_measured_volumes_are_as_exact_as_formulas() -> None:
    """A variation of width that is nearly nothing leaves the formula, but not the content."""
    plain, varied = build()[0], build(width_variation=1e-6)[0]
    assert varied.volume == pytest.approx(plain.volume, rel=3e-3)
    assert varied.surface == pytest.approx(plain.surface, rel=3e-3)


def test_the_centre_line_has_length_and_width_of_the_fibre() -> None:
    mesh, size = build(curvature=200.0)
    line = mesh.centre_line
    assert line is not None
    assert (line.length * size, line.width * size) == pytest.approx((LENGTH, 1.0), rel=1e-6)
    steps = np.linalg.norm(np.diff(line.points, axis=0), axis=1)
    np.testing.assert_allclose(steps, line.length / len(steps), rtol=1e-6)
    radii = np.linalg.norm(mesh.vertices[:, None] - line.points[None], axis=2).min(axis=1) * size
    assert radii.max() < 0.52


@pytest.mark.parametrize("degrees", [30.0, 180.0])
def test_the_rms_curvature_is_the_given_one(degrees: float) -> None:
    turning = [draw_curvature(np.uint64(key), 256, LENGTH, math.radians(degrees), 0.1) * LENGTH for key in range(200)]
    assert math.degrees(np.sqrt(np.mean(np.square(turning)))) == pytest.approx(degrees, rel=0.05)


def test_a_fibre_without_curvature_is_straight() -> None:
    np.testing.assert_allclose(places_of(curvature=0.0)[:, 0], 0.0, atol=1e-9)


def test_a_fibre_never_bends_more_than_its_width_allows() -> None:
    headings = np.diff(places_of(curvature=7200.0), axis=0)
    angles = np.unwrap(np.arctan2(headings[:, 0], headings[:, 1]))
    assert (np.abs(np.diff(angles)) / (LENGTH / 256)).max() * 0.5 < 0.81


@pytest.mark.parametrize("loops", [1, 2])
def test_loops_turn_it_around_and_lift_it_over_itself(loops: int) -> None:
    places = places_of(curvature=0.0, loops=loops, shape_seed=4)
    headings = np.diff(places, axis=0)
    turned = np.abs(np.diff(np.unwrap(np.arctan2(headings[:, 0], headings[:, 1])))).sum()
    assert turned == pytest.approx(2 * math.pi * loops, rel=0.02)
    line = build(curvature=0.0, loops=loops, shape_seed=4)[0].centre_line
    assert line is not None
    points = line.points * LENGTH ** (1 / 3)
    apart = np.linalg.norm(points[:, None] - points, axis=2)
    far = np.abs(np.subtract.outer(np.arange(len(points)), np.arange(len(points)))) > 3 * 256 / LENGTH
    seen = np.linalg.norm(points[:, None, ::2] - points[:, ::2], axis=2)
    assert seen[far].min() < 0.3, "it crosses itself"
    assert apart[far].min() > 0.95, "its parts are a width apart where it does"


def test_later_parts_lie_over_what_is_below() -> None:
    places = np.stack([np.zeros(101), np.linspace(-10, 10, 101)], axis=1)
    below = np.where(np.abs(places[:, 1]) < 1.0, 1.0, 0.0)
    height = lift_over_itself(places, below, np.ones(101), np.ones(101), 8.0)
    assert height.max() == pytest.approx(1.0, abs=2e-3)
    assert (height[np.abs(places[:, 1]) < 0.5] > 0.97).all(), "what is below reaches half a width to either side"
    assert height[[0, -1]].tolist() == [0.0, 0.0]
    slope = np.diff(height) / 0.2
    assert np.abs(slope).max() < math.sqrt(2 / 8.0) + 0.05, "an arc of radius 8 that is 1 high"


def test_widths_vary_and_taper_as_given() -> None:
    shape = shape_of(width_variation=0.1, width_scale=0.02)
    factors = [
        trace_strands(shape.proportions, dict(shape.features) | {"shape_seed": seed})[0].factors for seed in range(50)
    ]
    assert np.std(factors) == pytest.approx(0.1, rel=0.1)
    tapered = shape_of(taper=0.6)
    (strand,) = trace_strands(tapered.proportions, dict(tapered.features))
    assert strand.factors[[0, 128, 256]] == pytest.approx([0.4, 1.0, 0.4])


def test_branches_begin_on_the_fibre_and_are_thinner() -> None:
    shape = shape_of(branches=3, branch_length=0.3, branch_angle=60.0, curvature=0.0)
    fibre, *branches = trace_strands(shape.proportions, dict(shape.features))
    assert len(branches) == 3
    for branch in branches:
        np.testing.assert_allclose(branch.places[0], fibre.places[branch.root])
        assert branch.length == pytest.approx(0.3 * fibre.length)
        assert abs(branch.headings[0] @ fibre.headings[branch.root]) == pytest.approx(0.5, abs=1e-6)
        assert (branch.factors < 0.75).all()


def test_features_that_are_off_change_nothing_else() -> None:
    np.testing.assert_array_equal(places_of(shape_seed=5), places_of(shape_seed=5, branches=4, taper=0.3))


def test_a_fibre_lies_on_its_side() -> None:
    np.testing.assert_array_equal(find_faces(shape_of())[:, :3], [[0.0, 1.0, 0.0]])


def test_a_support_lifts_its_part_of_the_fibre() -> None:
    shape = shape_of(curvature=0.0)
    support = [0.0] * 257
    support[96:113] = [0.3] * 17
    line = build_shape_mesh(replace(shape, support=tuple(support))).centre_line
    assert line is not None
    assert -line.points[104, 1] == pytest.approx(0.3, abs=0.01)
    assert line.points[[0, 256], 1] == pytest.approx([0, 0])


def test_loops_without_room_are_refused() -> None:
    message = r"a fibre 40 times as long as wide is too short for loops of 15 widths \(loops: 3\); make it longer, or"
    with pytest.raises(ShapeError, match=message + r" loop_size at most 13\.3"):
        build(loops=3)
    with pytest.raises(ShapeError, match=r"\(loops: 10\); make it longer, or loops at most 5$"):
        build(loops=10)
