"""Centre lines of fibres in the picture: where they are, which part of them, and what hides them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from synth_api.prototypes.geometries import SHAPES
from synth_dataset.documents.annotations import CentreLineNote
from synth_dataset.documents.keypoints import KEYPOINTS
from synth_renderer.geometry import prototypes
from synth_renderer.geometry.shapes import build_shape_mesh, choose_shape
from synth_renderer.labels.centre_lines import _find_longest_part, describe_centre_line
from synth_renderer.labels.masks import Masks, find_visible_masks
from synth_renderer.labels.rasterise import rasterise_bodies
from synth_renderer.labels.visible import find_visible_surface
from synth_renderer.model.bodies import Bodies
from synth_renderer.model.camera import Camera

CAMERA = Camera(width=160, height=120, location=(0.0, 0.0, 50.0), ortho_scale=16.0)
PERSPECTIVE = Camera(width=160, height=120, location=(0.0, 0.0, 40.0))
FLAT = np.array([np.sqrt(0.5), -np.sqrt(0.5), 0.0, 0.0])
"""Turns z to +y of the world, up in the picture, and +y down."""


def place(*locations: tuple[float, float, float], length: float = 8.0, **features: Any) -> Bodies:
    """Fibres 0.5 wide along the picture's rows."""
    values = {name: declared.default for name, declared in SHAPES["fibre"].features.items()} | features
    shape, size = choose_shape("fibre", np.array([0.5, 0.5, length]), values, 0.1)
    count = len(locations)
    return Bodies(
        meshes=(build_shape_mesh(shape),),
        mesh_index=np.zeros(count, np.int32),
        scales=np.full((count, 3), size),
        quaternions=np.tile(FLAT, (count, 1)),
        locations=np.array(locations),
        is_sphere=np.zeros(count, bool),
    )


def find_masks(bodies: Bodies, camera: Camera, *, overlap: bool = False) -> Masks:
    fragments = rasterise_bodies(bodies, camera)
    return find_visible_masks(fragments, find_visible_surface(fragments), bodies_overlap=overlap)


def describe(bodies: Bodies, body: int = 0, camera: Camera = CAMERA, *, overlap: bool = False) -> CentreLineNote:
    pixels = find_masks(bodies, camera, overlap=overlap).select_pixels(body)
    note = describe_centre_line(bodies, body, camera, pixels)
    assert note is not None
    return note


def columns_and_rows(note: CentreLineNote) -> np.ndarray:
    return np.array(note.points)[:, :2]


def test_a_straight_fibre_has_points_at_equal_distances_from_end_to_end() -> None:
    note = describe(place((1.0, -2.0, 1.0), curvature=0.0))
    rows = np.linspace(80 - 40, 80 + 40, KEYPOINTS)
    np.testing.assert_allclose(columns_and_rows(note), np.stack([np.full(KEYPOINTS, 90), rows], axis=1), atol=1e-3)
    assert (note.length, note.width) == (80.0, 5.0)
    assert {point[2] for point in note.points} == {2}


@pytest.mark.parametrize("seed", range(5))
def test_points_of_curved_fibres_lie_in_the_middle_of_their_masks(seed: int) -> None:
    bodies = place((0.0, 0.0, 1.0), curvature=200.0, shape_seed=seed)
    note = describe(bodies)
    inside = np.zeros(CAMERA.width * CAMERA.height, bool)
    inside[find_masks(bodies, CAMERA).select_pixels(0)] = True
    rows, columns = np.nonzero(~inside.reshape(CAMERA.height, CAMERA.width))
    outside = np.stack([columns + 0.5, rows + 0.5], axis=1)
    apart = np.linalg.norm(columns_and_rows(note)[2:-2, None] - outside, axis=2).min(axis=1)
    assert ((apart > 1.7) & (apart < 3.3)).all(), "half the width is 2.5 px"
    steps = np.linalg.norm(np.diff(columns_and_rows(note), axis=0), axis=1)
    np.testing.assert_allclose(steps, note.length / (KEYPOINTS - 1), rtol=0.02)


def test_the_line_begins_at_the_end_that_is_nearer_to_the_upper_left_corner() -> None:
    bodies = place((0.0, 0.0, 1.0), curvature=30.0)
    turned = Bodies(bodies.meshes, bodies.mesh_index, bodies.scales, np.array([[0.0, 0.0, *FLAT[:2]]]),
                    bodies.locations, bodies.is_sphere)  # fmt: skip
    for each in (bodies, turned):
        first, last = columns_and_rows(describe(each))[[0, -1]]
        assert np.hypot(*first) < np.hypot(*last)


def test_a_fibre_that_the_frame_cuts_has_the_points_of_the_part_inside() -> None:
    note = describe(place((0.0, 5.0, 1.0), curvature=0.0))
    assert columns_and_rows(note)[[0, -1], 1].tolist() == [0.0, 50.0]
    assert (note.length, note.width) == (50.0, 5.0)


def test_a_fibre_that_leaves_the_picture_twice_has_the_points_of_its_longest_part() -> None:
    line = np.array([[-5.0, 30.0], [10.0, 30.0], [10.0, -5.0], [50.0, -5.0], [50.0, 60.0]])
    np.testing.assert_allclose(_find_longest_part(line, 160.0, 120.0), [[50, 0], [50, 60]])
    np.testing.assert_allclose(_find_longest_part(line[:4], 160.0, 120.0), [[0, 30], [10, 30], [10, 0]])
    assert len(_find_longest_part(line - 1000.0, 160.0, 120.0)) == 0


def test_a_centre_line_outside_the_picture_is_none() -> None:
    bodies = place((0.0, 20.0, 1.0))
    assert describe_centre_line(bodies, 0, CAMERA, np.zeros(0, np.int32)) is None


def test_points_under_another_fibre_are_hidden() -> None:
    bodies = place((0.0, 0.0, 1.0), (0.0, 0.0, 2.0), curvature=0.0)
    bodies.quaternions[1] = np.array([0.5, -0.5, -0.5, 0.5])
    below, above = describe(bodies, 0), describe(bodies, 1)
    hidden = [number for number, point in enumerate(below.points) if point[2] == 1]
    assert {point[2] for point in above.points} == {2}
    assert hidden == [19, 20], "the two that lie less than half a width and a pixel from the crossing"
    shining = describe(bodies, 0, overlap=True)
    assert {point[2] for point in shining.points} == {2}


def test_perspective_shows_a_near_fibre_larger() -> None:
    far, near = (describe(place((0.0, 0.0, z), curvature=0.0, length=4.0), camera=PERSPECTIVE) for z in (0.0, 20.0))
    assert near.width == pytest.approx(2 * far.width, rel=1e-3)
    assert near.length == pytest.approx(2 * far.length, rel=1e-3)
    assert far.length == pytest.approx(4.0 * 160 * 50 / 36 / 40, rel=1e-3)


def test_other_bodies_have_no_centre_line() -> None:
    mesh = prototypes.build_mesh("sphere", 1)
    one = np.ones((1, 3))
    bodies = Bodies((mesh,), np.zeros(1, np.int32), one, np.array([[1.0, 0, 0, 0]]), 0 * one, np.ones(1, bool))
    assert describe_centre_line(bodies, 0, CAMERA, np.zeros(0, np.int32)) is None
