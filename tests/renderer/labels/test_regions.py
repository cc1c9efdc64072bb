"""Regions of bodies that shine through: compared with the sets of bodies at each pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from synth_renderer.labels.rasterise import rasterise_bodies
from synth_renderer.labels.regions import number_regions

if TYPE_CHECKING:
    from synth_renderer.model.camera import Camera


def test_pixels_have_one_number_exactly_when_the_same_bodies_cover_them(heap: Any, from_above: Camera) -> None:
    fragments = rasterise_bodies(heap(40), from_above)
    shown = np.arange(40) % 5 > 0
    bodies: list[list[int]] = [[] for _ in range(240 * 240)]
    for body in np.flatnonzero(shown):
        for pixel in fragments.pixel[fragments.start[body] : fragments.start[body + 1]]:
            bodies[pixel].append(int(body))
    sets = [tuple(each) for each in bodies]
    regions = number_regions(fragments, shown).ravel().tolist()
    assert len(set(zip(regions, sets, strict=True))) == len(set(regions)) == len(set(sets)) > 50
    assert {region for region, each in zip(regions, sets, strict=True) if not each} == {0}


def test_without_bodies_all_is_ground(place_spheres: Any, from_above: Camera) -> None:
    fragments = rasterise_bodies(place_spheres([], []), from_above)
    assert not number_regions(fragments, np.zeros(0, dtype=bool)).any()
