"""Outlines: a polygon covers exactly the pixels of its mask, with holes, parts and pixels that touch at a corner."""

import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from synth_dataset.exports.outlines import join_loops, trace_polygons


def trace(mask: NDArray[np.bool_]) -> list[list[tuple[int, int]]]:
    return trace_polygons(mask.astype(np.uint16)).get(1, [])


def fill(polygons: list[list[tuple[int, int]]], height: int, width: int) -> NDArray[np.bool_]:
    """Pixels whose centres lie inside, by the even-odd rule."""
    filled = np.zeros((height, width), np.bool_)
    for loop in polygons:
        inside = np.zeros((height, width), np.bool_)
        for (x0, y0), (x1, y1) in zip(loop, [*loop[1:], loop[0]], strict=True):
            assert x0 == x1 or y0 == y1, "outlines run along pixel edges"
            if x0 == x1:
                inside[min(y0, y1) : max(y0, y1), x0:] ^= True
        filled |= inside
    return filled


def fill_as_coco(polygons: list[list[tuple[int, int]]], height: int, width: int) -> NDArray[np.bool_]:
    flat = [[float(part) for corner in loop for part in corner] for loop in polygons]
    return coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(flat, height, width))).astype(np.bool_)


def disc(diameter: float, size: int) -> NDArray[np.bool_]:
    y, x = np.mgrid[:size, :size] + 0.5
    return np.hypot(x - size // 2 - 0.5, y - size // 2 - 0.5) <= diameter / 2


@pytest.mark.parametrize("seed", range(40))
def test_polygons_of_random_masks_cover_their_pixels_exactly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 24, 2)
    mask = rng.random((height, width)) < rng.uniform(0.1, 0.9)
    if not mask.any():
        assert trace(mask) == []
        return
    polygons = trace(mask)
    assert (fill(polygons, height, width) == mask).all()
    assert (fill_as_coco(polygons, height, width) == mask).all()


@pytest.mark.parametrize("diameter", [1, 2, 4, 8, 16, 64])
def test_discs_of_all_sizes_are_exact(diameter: int) -> None:
    mask = disc(diameter, 80)
    polygons = trace(mask)
    assert len(polygons) == 1
    assert (fill_as_coco(polygons, 80, 80) == mask).all()


def test_a_hole_is_joined_by_a_cut_that_keeps_the_area() -> None:
    mask = disc(40, 60) & ~disc(12, 60)
    polygons = trace(mask)
    assert len(polygons) == 1
    assert (fill_as_coco(polygons, 60, 60) == mask).all()


def test_a_hole_belongs_to_the_part_around_it() -> None:
    mask = np.zeros((7, 14), np.bool_)
    mask[1:6, 1:6] = mask[1:6, 8:13] = True
    mask[3, 10] = False
    polygons = trace(mask)
    assert [len(loop) for loop in polygons] == [4, 12]
    assert (fill_as_coco(polygons, 7, 14) == mask).all()


def test_a_hole_of_a_part_in_a_hole_belongs_to_that_part() -> None:
    ids = np.zeros((11, 11), np.uint8)
    for edge in range(5):
        ids[edge : 11 - edge, edge : 11 - edge] = 1 - edge % 2
    rings = trace(ids)
    assert [min(x for x, _ in ring) for ring in rings] == [0, 2, 4]
    assert (fill(rings, 11, 11) == ids).all()
    assert (fill_as_coco(rings, 11, 11) == ids).all()


def test_pixels_that_touch_at_a_corner_are_two_squares() -> None:
    for mask in (np.eye(2, dtype=np.bool_), ~np.eye(2, dtype=np.bool_)):
        assert sorted(len(loop) for loop in trace(mask)) == [4, 4]


def test_parts_are_joined_to_one_loop_of_the_same_area() -> None:
    mask = disc(9, 40) | np.roll(disc(5, 40), (14, 13), (0, 1))
    first, second = trace(mask)
    joined = join_loops(first, second)
    assert (fill([joined], 40, 40) == mask).all()
    assert (fill_as_coco([joined], 40, 40) == mask).all()


def test_all_ids_of_a_picture_are_traced_together() -> None:
    rng = np.random.default_rng(7)
    ids = rng.integers(0, 5, (30, 40)).astype(np.uint16)
    found = trace_polygons(ids)
    assert sorted(found) == [1, 2, 3, 4]
    for number, polygons in found.items():
        assert (fill_as_coco(polygons, 30, 40) == (ids == number)).all()


def test_a_picture_of_65535_particles_is_traced() -> None:
    ids = np.zeros((768, 768), np.uint16)
    ids[::3, ::3] = np.arange(1, 256 * 256 + 1).reshape(256, 256) % 65536
    found = trace_polygons(ids)
    assert len(found) == 65535
    assert found[258] == [[(3, 3), (4, 3), (4, 4), (3, 4)]]
