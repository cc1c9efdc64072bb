"""Rules of the rasteriser: ownership of pixels, clipping, invariance under translation and order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_renderer.labels.coverage import find_nearest_triangles
from synth_renderer.labels.masks import find_visible_masks, list_amodal_masks
from synth_renderer.labels.rasterise import rasterise_bodies
from synth_renderer.labels.visible import find_visible_surface
from synth_renderer.model.camera import Camera

if TYPE_CHECKING:
    from synth_renderer.model.bodies import Bodies

CORNER = st.tuples(st.integers(0, 24), st.integers(0, 24))
"""Half pixels, so that edges and corners often run through pixel centres."""


def area(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> int:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


@settings(deadline=None)  # the first call compiles
@given(CORNER, CORNER, CORNER, st.data())
def test_triangles_that_share_edges_cover_each_centre_exactly_once(a: Any, b: Any, c: Any, data: Any) -> None:
    """A triangle and its three parts around an inner point: the parts cover what the whole covers, each centre once."""
    inside = [
        (x, y)
        for x in range(25)
        for y in range(25)
        if area(a, b, (x, y)) < 0 > area(b, c, (x, y)) and area(c, a, (x, y)) < 0
    ]
    if not inside:
        return
    image = np.zeros((4, 3))
    image[:, :2] = np.array([a, b, c, data.draw(st.sampled_from(inside))]) / 2
    window = (0, 0, 12, 12)

    def count(*triangles: tuple[int, int, int]) -> Any:
        return sum(
            (find_nearest_triangles(image, np.array([t], dtype=np.int32), window, True)[1] >= 0).astype(int)
            for t in triangles
        )

    whole = count((0, 1, 2))
    assert whole.max() <= 1
    np.testing.assert_array_equal(count((0, 1, 3), (1, 2, 3), (2, 0, 3)), whole)


def test_a_quad_of_two_triangles_covers_its_pixels_once() -> None:
    image = np.array([[0.5, 0.5, 1.0], [0.5, 4.5, 1.0], [4.5, 4.5, 1.0], [4.5, 0.5, 1.0]])
    halves = [
        find_nearest_triangles(image, np.array([t], dtype=np.int32), (0, 0, 6, 6), True)[1] >= 0
        for t in ((0, 1, 2), (0, 2, 3))
    ]
    total = halves[0].astype(int) + halves[1]
    expected = np.zeros((6, 6), dtype=int)
    expected[0:4, 0:4] = 1
    np.testing.assert_array_equal(total, expected)


def test_every_pixel_is_background_or_one_visible_body(heap: Any, from_above: Camera) -> None:
    fragments = rasterise_bodies(heap(60), from_above)
    surface = find_visible_surface(fragments)
    visible, whole = find_visible_masks(fragments, surface), list_amodal_masks(fragments)
    seen = [visible.select_pixels(body) for body in range(60)]
    assert sum(map(len, seen)) + (surface.ids == 0).sum() == surface.ids.size
    for body, pixels in enumerate(seen):
        amodal = whole.select_pixels(body)
        assert np.isin(pixels, amodal).all()
        assert (np.diff(amodal) > 0).all()
        np.testing.assert_array_equal(pixels, np.flatnonzero(surface.ids == body + 1))


def test_normals_are_unit_and_face_an_orthographic_camera(stones: Bodies, from_above: Camera) -> None:
    normal = rasterise_bodies(stones, from_above).normal.astype(np.float64)
    np.testing.assert_allclose((normal**2).sum(axis=1), 1, atol=1e-6)
    assert np.percentile(normal[:, 2], 0.1) > -0.2


@settings(deadline=None)
@given(columns=st.integers(-300, 300), rows=st.integers(-300, 300), lift=st.integers(-8, 8))
def test_moving_by_whole_pixels_moves_the_fragments(place_spheres: Any, columns: int, rows: int, lift: int) -> None:
    camera = Camera(96, 64, (0.0, 0.0, 32.0), ortho_scale=12.0)
    still = rasterise_bodies(place_spheres([(0.125, -0.5, 0.0)], [3.0], level=0), camera)
    moved = rasterise_bodies(place_spheres([(0.125 + columns / 8, -0.5 - rows / 8, lift)], [3.0], level=0), camera)
    column, row = still.pixel % 96 + columns, still.pixel // 96 + rows
    kept = (column >= 0) & (column < 96) & (row >= 0) & (row < 64)
    np.testing.assert_array_equal(moved.pixel, row[kept] * 96 + column[kept])
    np.testing.assert_array_equal(moved.normal, still.normal[kept])
    np.testing.assert_allclose(moved.depth, still.depth[kept] - lift, rtol=1e-6)


def test_the_order_of_bodies_changes_nothing_but_ids(heap: Any, oblique: Camera) -> None:
    bodies = heap(40)
    backwards = replace(bodies, scales=bodies.scales[::-1].copy(), locations=bodies.locations[::-1].copy())
    one, other = (
        find_visible_surface(rasterise_bodies(bodies, oblique)),
        find_visible_surface(rasterise_bodies(backwards, oblique)),
    )
    np.testing.assert_array_equal(one.ids, np.where(other.ids > 0, 41 - other.ids.astype(int), 0))
    np.testing.assert_array_equal(one.depth, other.depth)


def test_of_two_bodies_at_equal_depth_the_lower_id_wins(place_spheres: Any, from_above: Camera) -> None:
    surface = find_visible_surface(rasterise_bodies(place_spheres([(0, 0, 0)] * 3, [4.0, 4.0, 4.0]), from_above))
    assert set(np.unique(surface.ids)) == {0, 1}


def test_bodies_behind_a_hidden_selection_are_visible(place_spheres: Any, from_above: Camera) -> None:
    fragments = rasterise_bodies(place_spheres([(0, 0, 0), (0, 0, 8)], [4.0, 6.0]), from_above)
    assert set(np.unique(find_visible_surface(fragments).ids)) == {0, 2}
    assert set(np.unique(find_visible_surface(fragments, np.array([True, False])).ids)) == {0, 1}
    assert not find_visible_surface(fragments, np.zeros(2, dtype=bool)).ids.any()


def test_nothing_behind_the_camera_or_outside_the_picture_is_seen(place_spheres: Any, oblique: Camera) -> None:
    high_up = Camera(64, 48, (0.0, 0.0, 10.0))
    bodies = place_spheres([(0, 0, 20.0), (500.0, 0, 0), (0, 0, 0)], [4.0, 4.0, 4.0])
    np.testing.assert_array_equal(np.diff(rasterise_bodies(bodies, high_up).start) > 0, [False, False, True])


def test_bodies_without_extent_and_empty_scenes_have_no_fragments(place_spheres: Any, from_above: Camera) -> None:
    assert len(rasterise_bodies(place_spheres([(0, 0, 0)], [0.0]), from_above).pixel) == 0
    nothing = rasterise_bodies(place_spheres([], []), from_above)
    assert nothing.start.tolist() == [0]
    assert nothing.normal.shape == (0, 3)
    assert not find_visible_surface(nothing).ids.any()


def test_a_picture_may_be_wider_than_high(place_spheres: Any) -> None:
    camera = Camera(100, 50, (0.0, 0.0, 10.0), ortho_scale=10.0)
    fragments = rasterise_bodies(place_spheres([(4.0, 2.0, 0.0)], [1.0]), camera)
    assert (fragments.pixel % 100 + 0.5).mean() == 90.0
    assert (fragments.pixel // 100 + 0.5).mean() == 5.0
