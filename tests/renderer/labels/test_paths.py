"""Paths of rays through bodies: entry, exit and the length inside, also where a ray crosses a body several times."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synth_renderer.labels.paths import find_paths
from synth_renderer.labels.rasterise import rasterise_bodies
from synth_renderer.model.bodies import Bodies
from synth_renderer.model.mesh import Mesh


def find_all(bodies, camera, per_side=1):
    return list(find_paths(bodies, np.ones(len(bodies), dtype=bool), camera, per_side))


def test_the_length_inside_a_sphere_is_its_chord(place_spheres, from_above):
    (paths,) = find_all(place_spheres([[0.0, 0.0, 5.0]], [8.0], level=4), from_above)
    rows, columns = np.indices(paths.length.shape)
    x = (paths.left + columns + 0.5 - 120) / 10
    y = (120 - paths.top - rows - 0.5) / 10
    half = np.sqrt(np.maximum(16.0 - x * x - y * y, 0.0))
    inside = half > 1.0
    assert paths.length[inside] == pytest.approx(2 * half[inside], abs=0.03)
    assert paths.entry[inside] == pytest.approx(25.0 - half[inside], abs=0.02)
    assert paths.exit[inside] == pytest.approx(25.0 + half[inside], abs=0.02)


def test_lengths_times_the_area_of_a_sample_are_the_volume_of_any_body(stones, from_above):
    for paths in find_all(stones, replace(from_above, ortho_scale=60.0), per_side=4):
        body = paths.body
        mesh = stones.meshes[stones.mesh_index[body]]
        corners = (mesh.vertices * stones.scales[body])[mesh.triangles]
        volume = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
        assert paths.length.sum() * (60 / 240 / 4) ** 2 == pytest.approx(volume, rel=0.01), body


def test_a_ray_enters_where_the_label_pass_sees_the_body(stones, from_above):
    fragments = rasterise_bodies(stones, from_above)
    for paths in find_all(stones, from_above):
        mine = slice(fragments.start[paths.body], fragments.start[paths.body + 1])
        seen = np.isfinite(paths.entry)
        rows, columns = np.nonzero(seen)
        assert ((paths.top + rows) * 240 + paths.left + columns == fragments.pixel[mine]).all()
        assert paths.entry[seen] == pytest.approx(fragments.depth[mine], abs=1e-5)
        assert (paths.length[~seen] == 0).all()
        assert (paths.length[seen] <= paths.exit[seen] - paths.entry[seen] + 1e-9).all()


def test_a_cavity_does_not_count(place_spheres, from_above):
    solid = place_spheres([[0.3, -0.2, 6.0]], [8.0], level=3)
    ball = solid.meshes[0]
    shell = Mesh(
        np.concatenate([ball.vertices, 0.5 * ball.vertices]),
        np.concatenate([ball.normals, -ball.normals]),
        np.concatenate([ball.triangles, ball.triangles[:, ::-1] + np.int32(len(ball.vertices))]),
    )
    (whole,) = find_all(solid, from_above)
    (hollow,) = find_all(replace(solid, meshes=(shell,)), from_above)
    (core,) = find_all(replace(solid, scales=solid.scales * 0.5), from_above)
    expected = whole.length.copy()
    row, column = core.top - whole.top, core.left - whole.left
    expected[row : row + core.length.shape[0], column : column + core.length.shape[1]] -= core.length
    assert hollow.length == pytest.approx(expected, abs=1e-9)
    assert (hollow.entry == whole.entry).all()
    assert (hollow.exit == whole.exit).all()


def test_the_bodies_shown_that_the_picture_shows_come_in_order(place_spheres, from_above):
    bodies = place_spheres([[0, 0, 3], [50, 0, 3], [1, 1, 3], [2, 2, 3]], [2.0, 2.0, 2.0, 2.0])
    shown = np.array([True, True, False, True])
    assert [paths.body for paths in find_paths(bodies, shown, from_above, 2)] == [0, 3]
    flat: Bodies = replace(bodies, scales=bodies.scales * [1.0, 1.0, 0.0])
    assert not list(find_paths(flat, shown, from_above, 1)), "a body without extent covers nothing"
