"""Measurements of the particle table, compared with brute force and closed formulas."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from synth_renderer.labels.feret import measure_feret_diameters
from synth_renderer.labels.layers import sort_layers
from synth_renderer.labels.masks import Masks, find_visible_masks, list_amodal_masks
from synth_renderer.labels.measure import measure_bodies, project_centres
from synth_renderer.labels.occlusion import find_occluders, find_overlaps
from synth_renderer.labels.rasterise import rasterise_bodies
from synth_renderer.labels.visible import find_visible_surface
from synth_renderer.model.camera import Camera

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.labels.fragments import Fragments

PIXELS = st.sets(st.integers(0, 11 * 9 - 1), min_size=1, max_size=40)


def feret(pixels: NDArray[np.int32], width: int) -> NDArray[np.float64]:
    return measure_feret_diameters(np.array([0, len(pixels)]), pixels.astype(np.int32), width)[0]


def find_masks(fragments: Fragments) -> Masks:
    return find_visible_masks(fragments, find_visible_surface(fragments))


@settings(deadline=None)  # the first call compiles
@given(PIXELS)
def test_feret_diameters_are_those_of_the_convex_hull(pixels: set[int]) -> None:
    row, column = np.divmod(np.array(sorted(pixels)), 11)
    corners = np.concatenate([np.stack([column + i, row + j], axis=1) for i in (0, 1) for j in (0, 1)]).astype(float)
    hull = corners[ConvexHull(corners).vertices]
    largest = max(math.dist(a, b) for a, b in itertools.combinations(hull, 2))
    sides = np.roll(hull, -1, axis=0) - hull
    across = np.stack([-sides[:, 1], sides[:, 0]], axis=1) / np.hypot(*sides.T)[:, None]
    smallest = np.ptp(hull @ across.T, axis=0).min()
    np.testing.assert_allclose(feret(np.array(sorted(pixels)), 11), [smallest, largest], rtol=1e-12)


def test_feret_diameters_of_one_pixel_and_of_a_row_of_pixels() -> None:
    np.testing.assert_allclose(feret(np.array([17]), 10), [1, math.sqrt(2)])
    np.testing.assert_allclose(feret(np.arange(20, 27), 10), [1, math.hypot(7, 1)])
    assert np.isnan(feret(np.array([]), 10)).all()


def test_measurements_of_a_fully_visible_sphere(place_spheres: Any, from_above: Camera) -> None:
    bodies = place_spheres([(2.0, -3.0, 0.0)], [6.0], level=3)
    fragments = rasterise_bodies(bodies, from_above)
    found = measure_bodies(fragments, find_masks(fragments), from_above, bodies.locations)
    assert (found.column[0], found.row[0]) == (140.0, 150.0)
    assert found.box[0].tolist() == [110, 120, 170, 180]
    assert found.visible_px[0] == found.amodal_px[0] == len(fragments.pixel)
    assert found.visible_fraction[0] == 1
    assert found.equivalent_diameter[0] == pytest.approx(60, rel=2e-3)
    assert found.feret_min[0] == pytest.approx(60, abs=1)
    assert found.feret_max[0] == pytest.approx(60, abs=1.5)
    assert not found.touches_border[0]


def test_measurements_of_hidden_outside_and_clipped_bodies(place_spheres: Any, from_above: Camera) -> None:
    locations = [(0, 0, 0), (0, 0, 10), (100, 0, 0), (12, 0, 0)]
    bodies = place_spheres(locations, [2.0, 6.0, 2.0, 4.0])
    fragments = rasterise_bodies(bodies, from_above)
    found = measure_bodies(fragments, find_masks(fragments), from_above, bodies.locations)
    assert found.has_box.tolist() == [False, True, False, True]
    assert found.has_silhouette.tolist() == [True, True, False, True]
    assert found.visible_px[0] == 0 < found.amodal_px[0]
    assert found.visible_fraction[0] == 0
    assert found.box[0].tolist() == [0, 0, 0, 0]
    assert (found.column[2], found.row[2]) == (1120.0, 120.0)
    assert np.isnan(
        [found.visible_fraction[2], found.equivalent_diameter[2], found.feret_min[2], found.feret_max[2]]
    ).all()
    assert found.touches_border.tolist() == [False, False, False, True]
    assert found.box[3].tolist() == [220, 100, 240, 140]
    assert found.feret_max[3] == pytest.approx(40, abs=1.5)
    assert found.feret_min[3] == pytest.approx(20, abs=1)


def test_measurements_of_a_heap_agree_with_its_masks(heap: Any, oblique: Camera) -> None:
    bodies = heap(60)
    fragments = rasterise_bodies(bodies, oblique)
    surface = find_visible_surface(fragments)
    found = measure_bodies(fragments, find_visible_masks(fragments, surface), oblique, bodies.locations)
    for body in range(60):
        mask = surface.ids == body + 1
        assert found.visible_px[body] == mask.sum()
        assert found.amodal_px[body] == len(list_amodal_masks(fragments).select_pixels(body))
        if mask.any():
            rows, columns = np.nonzero(mask)
            box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            assert found.box[body].tolist() == box


def test_projected_centres_follow_the_camera() -> None:
    camera = Camera(200, 100, (0.0, 0.0, 10.0), focal_length=36.0)
    centres = project_centres(np.array([[0.0, 0, 0], [5.0, 2.0, 0.0], [0, 0, 11.0], [0, 0, 10.0]]), camera)
    assert centres[:2].tolist() == [[100.0, 50.0], [200.0, 10.0]]
    assert np.isnan(centres[2:]).all()


def test_occluders_are_the_bodies_nearer_at_some_shared_pixel(heap: Any, from_above: Camera) -> None:
    fragments = rasterise_bodies(heap(40), from_above)
    depth = np.full((40, 240 * 240), np.inf)
    for body in range(40):
        part = slice(fragments.start[body], fragments.start[body + 1])
        depth[body, fragments.pixel[part]] = fragments.depth[part]
    expected = [
        [other + 1 for other in range(40) if ((depth[other] < depth[body]) & (depth[body] < np.inf)).any()]
        for body in range(40)
    ]
    assert [ids.tolist() for ids in find_occluders(fragments, sort_layers(fragments))] == expected
    assert any(len(ids) > 2 for ids in expected)


def test_bodies_outside_the_layers_hide_nothing(place_spheres: Any, from_above: Camera) -> None:
    fragments = rasterise_bodies(place_spheres([(0, 0, 0), (1, 0, 5), (0, 1, 10)], [4.0] * 3), from_above)
    assert [ids.tolist() for ids in find_occluders(fragments, sort_layers(fragments))] == [[2, 3], [3], []]
    some = sort_layers(fragments, np.array([True, True, False]))
    assert [ids.tolist() for ids in find_occluders(fragments, some)][:2] == [[2], []]


def test_without_bodies_measurements_are_empty(place_spheres: Any, from_above: Camera) -> None:
    fragments = rasterise_bodies(place_spheres([], []), from_above)
    assert measure_bodies(fragments, find_masks(fragments), from_above, np.zeros((0, 3))).column.shape == (0,)
    assert find_occluders(fragments, sort_layers(fragments)) == []
    assert find_overlaps([]) == []


def test_bodies_that_shine_through_are_measured_whole(place_spheres: Any, from_above: Camera) -> None:
    bodies = place_spheres([(0, 0, 0), (0, 0, 10), (5, 0, 0)], [2.0, 6.0, 2.0])
    fragments = rasterise_bodies(bodies, from_above)
    masks = find_visible_masks(fragments, find_visible_surface(fragments), bodies_overlap=True)
    found = measure_bodies(fragments, masks, from_above, bodies.locations)
    np.testing.assert_array_equal(found.visible_px, found.amodal_px)
    assert found.visible_fraction.tolist() == [1, 1, 1]
    assert found.box[0].tolist() == [110, 110, 130, 130]


def test_overlaps_are_the_bodies_that_share_a_pixel_whichever_is_nearer(heap: Any, from_above: Camera) -> None:
    fragments = rasterise_bodies(heap(40), from_above)
    amodal = list_amodal_masks(fragments)
    covered = np.zeros((40, 240 * 240), dtype=bool)
    for body in range(40):
        covered[body, amodal.select_pixels(body)] = True
    expected = [
        [other + 1 for other in range(40) if other != body and (covered[other] & covered[body]).any()]
        for body in range(40)
    ]
    assert [ids.tolist() for ids in find_overlaps(find_occluders(fragments, sort_layers(fragments)))] == expected
    assert not all(expected)
    assert any(len(ids) > 2 for ids in expected)
