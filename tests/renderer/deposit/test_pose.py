"""Orientations: rotations are units, bodies tip over until they rest."""

from __future__ import annotations

import numpy as np
import pytest

from synth_renderer.deposit.pose import find_resting_face, orient_downwards
from synth_renderer.geometry.planes import build_box_planes, build_polyhedron_planes, stretch_planes
from synth_renderer.model.transforms import rotation_matrix
from synth_renderer.randomness.directions import draw_rotation

EAST = np.array([1.0, 0.0])


def unit(*vector: float) -> np.ndarray:
    return np.array(vector) / np.linalg.norm(vector)


def test_rotations_are_units_and_uniform() -> None:
    axes = np.array([rotation_matrix(draw_rotation(np.uint64(key)))[:, 2] for key in range(4000)])
    np.testing.assert_allclose(np.linalg.norm(axes, axis=1), 1)
    assert np.abs(axes.mean(axis=0)).max() < 0.04
    np.testing.assert_allclose((axes**2).mean(axis=0), 1 / 3, atol=0.02)


@pytest.mark.parametrize("down", [unit(1, 2, 3), unit(0, 0, 1), unit(0, 0, -1), unit(-3, 1, 0)])
def test_orienting_turns_a_direction_downwards(down: np.ndarray) -> None:
    for heading in (EAST, unit(0, 1), unit(-1, -2), unit(-1, 0)):
        matrix = rotation_matrix(orient_downwards(down, heading))
        np.testing.assert_allclose(matrix @ down, [0, 0, -1], atol=1e-12)


def test_the_heading_turns_about_z() -> None:
    down = unit(0, 0, -1)
    turned = rotation_matrix(orient_downwards(down, unit(0, 1))) @ [1, 0, 0]
    np.testing.assert_allclose(turned, [0, 1, 0], atol=1e-12)


def test_a_body_rests_on_the_face_below_its_middle() -> None:
    np.testing.assert_array_equal(find_resting_face(build_box_planes(), unit(0.2, 0.1, -0.9)), [0, 0, -1])


def test_a_body_whose_middle_is_not_above_its_face_tips_over() -> None:
    planes = build_polyhedron_planes(14, 4)
    for key in range(200):
        down = rotation_matrix(draw_rotation(np.uint64(key)))[2]
        face = find_resting_face(planes, np.ascontiguousarray(down))
        distance = planes[(planes[:, :3] == face).all(axis=1), 3][0]
        reach = planes[:, 3] / np.maximum(planes[:, :3] @ face, 1e-9)
        assert distance == pytest.approx(reach.min())


def test_a_flat_box_rests_on_its_large_faces_more_often() -> None:
    planes = stretch_planes(build_box_planes(), (1.0, 1.0, 0.2))
    faces = [
        find_resting_face(planes, np.ascontiguousarray(rotation_matrix(draw_rotation(np.uint64(k)))[2]))
        for k in range(300)
    ]
    assert np.mean([abs(face[2]) == 1 for face in faces]) > 0.7
