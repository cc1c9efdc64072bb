"""Bipyramids, flakes, stars and spiky spheres: the outlines that their features ask for."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from synth_api.prototypes.geometries import SHAPES
from synth_renderer.geometry.plates import build_star_outline, draw_flake_outline
from synth_renderer.geometry.shapes import build_shape_mesh, choose_shape, measure_mesh
from synth_renderer.geometry.solids import SOLIDS
from synth_renderer.model.mesh import Mesh


def build(name: str, segments: int = 48, extents: tuple[float, ...] | None = None, **features: Any) -> Mesh:
    """Return the mesh of a shape in scene units, with default features except the given ones."""
    values = {feature: declared.default for feature, declared in SHAPES[name].features.items()} | features
    default = np.multiply(values["dimensions"], (1.0, values["width"], values["height"]))
    shape, size = choose_shape(name, np.array(default if extents is None else extents, dtype=float), values, None)
    mesh = build_shape_mesh(replace(shape, segments=segments))
    return replace(mesh, vertices=mesh.vertices * size, volume=mesh.volume * size**3, surface=mesh.surface * size**2)


DIGESTS = {
    "bipyramid": "7874a4e8f544ad83",
    "flake": "70cc3af3f73f60f8",
    "spiky_sphere": "4dc8dcb3c9543798",
    "star": "1b4fc4ba7e149da6",
}


@pytest.mark.parametrize("name", sorted(DIGESTS))
def test_meshes_have_the_digest_of_this_engine_version(name: str) -> None:
    """When this fails, pictures have changed: raise ENGINE_VERSION, then renew the digest."""
    values = {feature: known.default for feature, known in SHAPES[name].features.items()}
    values |= {name: 0.03 for name in ("irregularity", "wave_depth", "edge_rounding") if name in values}
    mesh = build_shape_mesh(choose_shape(name, np.array([3.0, 2.0, 4.0]), values, pixel=0.1)[0])
    arrays = b"".join(array.tobytes() for array in (mesh.vertices, mesh.normals, mesh.triangles))
    assert hashlib.sha256(arrays).hexdigest()[:16] == DIGESTS[name]


def test_a_bipyramid_of_four_sides_is_an_octahedron() -> None:
    mesh = build("bipyramid", sides=4, extents=(1.0, 1.0, 1.0))
    assert (mesh.volume, mesh.surface) == pytest.approx((1 / 6, math.sqrt(3)))


def test_truncation_is_the_width_of_the_cuts() -> None:
    mesh = build("bipyramid", 96, sides=6, truncation=0.3, extents=(1.0, 1.0, 1.0))
    top = mesh.vertices[mesh.vertices[:, 2] > 0.5 - 1e-9]
    assert np.ptp(top[:, :2], axis=0).max() == pytest.approx(0.3, abs=0.03)
    assert np.ptp(mesh.vertices[:, 2]) == pytest.approx(1)


@pytest.mark.parametrize(("name", "features"), [("star", {"arms": 6}), ("flake", {"corners": 9, "shape_seed": 4})])
def test_the_corners_of_a_plate_are_vertices_of_its_mesh(name: str, features: dict[str, Any]) -> None:
    mesh = build(name, 32, extents=(1.0, 1.0, 0.2), **features)
    seed = np.uint64(features.get("shape_seed", 0))
    corners = build_star_outline(6, 0.45) if name == "star" else draw_flake_outline(9, 0.4, seed)
    for corner in corners:
        near = np.abs(mesh.vertices[:, :2] - corner).max(axis=1) < 1e-9
        assert set(np.round(mesh.vertices[near][:, 2], 9)) >= {0.1, -0.1}
    inside = np.abs(mesh.vertices[:, 2]) < 0.1 + 1e-9
    assert inside.all()


def test_a_star_has_arms_and_notches() -> None:
    mesh = build("star", 96, arms=5, notch=0.4, extents=(1.0, 1.0, 0.1))
    rim = np.hypot(*mesh.vertices[:, :2].T)[np.abs(mesh.normals[:, 2]) < 0.5]
    assert (rim.min(), rim.max()) == pytest.approx((0.2, 0.5))


def test_flakes_fill_the_box_of_their_extents_and_differ_by_their_seed() -> None:
    one, other = (build("flake", extents=(2.0, 1.0, 0.1), shape_seed=seed) for seed in (1, 2))
    for flake in (one, other):
        np.testing.assert_allclose(np.abs(flake.vertices).max(axis=0), (1.0, 0.5, 0.05), rtol=1e-9)
    assert one.volume != other.volume


def test_waves_bend_a_flake_and_keep_its_volume_and_thickness() -> None:
    level, wavy = build("flake", 96, shape_seed=3), build("flake", 96, shape_seed=3, wave_depth=0.1)
    assert measure_mesh(wavy.vertices, wavy.triangles)[0] == pytest.approx(level.volume, rel=5e-3)
    assert np.ptp(wavy.vertices[:, 2]) > 2 * np.ptp(level.vertices[:, 2])
    a, b, c = wavy.vertices[wavy.triangles].transpose(1, 0, 2)
    facets = np.cross(b - a, c - a)
    facets /= np.maximum(np.linalg.norm(facets, axis=1), 1e-300)[:, None]
    cosine = (facets * wavy.normals[wavy.triangles].mean(axis=1)).sum(axis=1)
    assert np.median(cosine) > 0.99


def test_plates_rest_on_their_faces() -> None:
    for name in ("flake", "star"):
        assert SOLIDS[name].build_faces((1.4, 1.4, 0.5), {})[:, 3].tolist() == [0.25, 0.25]
        assert len(SOLIDS[name].build_faces((0.5, 0.5, 4.0), {})) == 0


def test_spikes_stand_on_a_core() -> None:
    mesh = build("spiky_sphere", 96, spikes=20, spike_core=0.6, spike_width=0.2, spike_variation=0.0)
    radius = np.linalg.norm(mesh.vertices, axis=1)
    assert (radius.min(), radius.max()) == pytest.approx((0.3, 0.5))
    assert np.count_nonzero(radius > 0.5 - 1e-6) == 20
    assert np.mean(radius < 0.3 + 1e-9) == pytest.approx(1 - 20 * (1 - math.sqrt(8 / 9)) / 2, abs=0.06)


def test_spikes_differ_in_length_up_to_the_variation() -> None:
    mesh = build("spiky_sphere", 96, spikes=12, spike_core=0.5, spike_variation=0.6)
    radius = np.linalg.norm(mesh.vertices, axis=1)
    neighbours = np.zeros(len(radius))
    for corner in range(3):
        a, b, c = (mesh.triangles[:, (corner + turn) % 3] for turn in range(3))
        np.maximum.at(neighbours, a, np.maximum(radius[b], radius[c]))
    tips = np.sort(radius[(radius > neighbours + 1e-9) & (radius > 0.251)])
    assert tips[-1] == pytest.approx(0.5)
    assert 0.35 - 1e-9 <= tips[0] < 0.42
