"""Meta balls: the diameter of a lone one, closed parts without gaps, one surface, the largest field owns a point."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from synth_renderer.geometry.meta_balls import MetaBalls, build_part, compute_lone_diameter
from synth_renderer.model.mesh import Mesh
from synth_renderer.scene.fused_bodies import find_neighbours

TRIPLE = [[0.0, 0.0, 0.0], [3.0, 0.0, 0.0], [1.5, 2.6, 0.0]]
"""Three balls of diameter 3 that touch."""


def place(centres: list[list[float]], diameters: list[float], threshold: float = 0.6, edge: float = 0.2) -> MetaBalls:
    turns = np.tile([1.0, 0.0, 0.0, 0.0], (len(centres), 1))
    return MetaBalls(np.array(centres), turns, np.repeat(np.array(diameters)[:, None], 3, axis=1), threshold, edge)


def build(balls: MetaBalls) -> list[Mesh | None]:
    frames = balls.compute_frames()
    return [build_part(balls, frames, ball, near) for ball, near in enumerate(find_neighbours(balls))]


def sum_fields(balls: MetaBalls, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the field of each ball at points (V, 3), (N, V)."""
    reach = 0.897 * balls.diameters[:, 0]
    squares = ((points[None] - balls.centres[:, None]) ** 2).sum(axis=2) / reach[:, None] ** 2
    return 2 * np.maximum(1 - squares, 0) ** 3


def count_open_edges(*pieces: NDArray[np.float64]) -> int:
    """Return how many edges of triangles (T, 3, 3) have no partner in the other direction; places to 1e-7."""
    corners = np.concatenate(pieces)
    _, number = np.unique(np.round(corners.reshape(-1, 3), 7) + 0.0, axis=0, return_inverse=True)
    edges = Counter((int(t[k]), int(t[(k + 1) % 3])) for t in number.reshape(-1, 3) for k in range(3))
    return sum(max(count - edges[b, a], 0) for (a, b), count in edges.items() if a != b)


@pytest.mark.parametrize(("threshold", "diameter"), [(0.6, 1.03), (0.001, 1.72)])
def test_a_lone_ball_is_as_wide_as_its_field_says(threshold: float, diameter: float) -> None:
    assert compute_lone_diameter(threshold) == pytest.approx(diameter, abs=0.005)
    (mesh,) = build(place([[0.3, 0.2, 0.1]], [3.0], threshold))
    assert mesh is not None
    radii = np.linalg.norm(mesh.vertices, axis=1)
    np.testing.assert_allclose(2 * radii / 3, compute_lone_diameter(threshold), rtol=1e-6)
    np.testing.assert_allclose(mesh.normals, mesh.vertices / radii[:, None], atol=1e-5)
    assert count_open_edges(mesh.vertices[mesh.triangles]) == 0
    assert mesh.walls == 0


def test_parts_are_closed_and_their_surfaces_are_one_without_gaps() -> None:
    balls = place(TRIPLE, [3.0, 3.0, 3.0])
    surfaces = []
    for mesh, centre in zip(build(balls), balls.centres, strict=True):
        assert mesh is not None
        corners = (mesh.vertices + centre)[mesh.triangles]
        assert mesh.walls > 0
        assert count_open_edges(corners) == 0
        surfaces.append(corners[: len(corners) - mesh.walls])
        assert count_open_edges(surfaces[-1]) > 0
    assert count_open_edges(*surfaces) == 0


def test_the_surface_is_where_the_sum_reaches_the_threshold_and_has_its_normals() -> None:
    balls = place(TRIPLE, [3.0, 2.0, 3.5])
    for ball, mesh in enumerate(build(balls)):
        assert mesh is not None
        surface = np.unique(mesh.triangles[: len(mesh.triangles) - mesh.walls])
        points = mesh.vertices[surface] + balls.centres[ball]
        fields = sum_fields(balls, points)
        np.testing.assert_allclose(fields.sum(axis=0), 0.6, rtol=1e-6)
        assert (fields.max(axis=0) - fields[ball]).max() < 0.02, "another ball's field is larger only near the rim"
        slopes = [(sum_fields(balls, points + step) - fields).sum(axis=0) for step in 1e-6 * np.eye(3)]
        against = -np.stack(slopes, axis=1)
        against /= np.linalg.norm(against, axis=1)[:, None]
        np.testing.assert_allclose(mesh.normals[surface], against, atol=1e-3)


def test_walls_lie_where_two_fields_are_equal() -> None:
    balls = place(TRIPLE[:2], [3.0, 2.0])
    first, second = build(balls)
    assert first is not None
    assert second is not None
    for ball, mesh in enumerate((first, second)):
        walls = mesh.vertices[np.unique(mesh.triangles[len(mesh.triangles) - mesh.walls :])] + balls.centres[ball]
        fields = sum_fields(balls, walls)
        np.testing.assert_allclose(fields[0], fields[1], atol=0.02)
    whole = compute_lone_diameter(0.6) ** 3 * np.pi / 6 * (27 + 8)
    assert first.volume + second.volume > whole, "the neck adds to two lone balls"


def test_coincident_balls_are_one_and_belong_to_the_first() -> None:
    first, second = build(place([TRIPLE[0], TRIPLE[0]], [3.0, 3.0], threshold=1.2))
    assert second is None
    assert first is not None
    np.testing.assert_allclose(2 * np.linalg.norm(first.vertices, axis=1) / 3, compute_lone_diameter(0.6), rtol=1e-6)


def test_the_lattice_is_fine_enough_for_the_smallest_ball() -> None:
    mesh, _ = build(place([TRIPLE[0], [0.12, 0.0, 0.0]], [0.1, 0.1]))
    assert mesh is not None
    assert mesh.extents[1] == pytest.approx(0.103, abs=0.004)


def test_a_turned_ellipsoid_has_its_own_axes() -> None:
    half = np.sqrt(0.5)
    balls = MetaBalls(
        np.array([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]]),
        np.array([[half, 0.0, 0.0, half], [1.0, 0.0, 0.0, 0.0]]),
        np.array([[4.0, 2.0, 2.0], [2.0, 2.0, 2.0]]),
        0.6,
        0.2,
    )
    mesh = build_part(balls, balls.compute_frames(), 0, np.array([1]))
    assert mesh is not None
    np.testing.assert_allclose(mesh.extents, compute_lone_diameter(0.6) * np.array([4, 2, 2]), rtol=0.01)
    placed = mesh.vertices @ np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]).T
    assert np.ptp(placed[:, 1]) == pytest.approx(4 * compute_lone_diameter(0.6), rel=0.01), "its long axis turned to y"


BUILD = """
import hashlib, numpy as np
from synth_renderer.geometry.meta_balls import MetaBalls, build_part
from synth_renderer.scene.fused_bodies import find_neighbours
random = np.random.default_rng(3)
turns = random.normal(size=(12, 4))
turns /= np.sqrt((turns * turns).sum(axis=1))[:, None]
balls = MetaBalls(random.uniform(0, 6, (12, 3)), turns, random.uniform(1, 3, (12, 3)), 0.6, 0.25)
digest = hashlib.sha256()
for ball, near in enumerate(find_neighbours(balls)):
    mesh = build_part(balls, balls.compute_frames(), ball, near)
    if mesh is not None:
        for array in (mesh.vertices, mesh.normals, mesh.triangles, np.array([mesh.volume, mesh.surface])):
            digest.update(array.tobytes())
print(digest.hexdigest())
"""


def digest(**masks: str) -> str:
    command = [sys.executable, "-W", "ignore", "-c", BUILD]
    return subprocess.run(command, env=os.environ | masks, capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
def test_masked_processor_features_change_no_bit(generic_processor) -> None:
    assert digest(**generic_processor) == digest()
