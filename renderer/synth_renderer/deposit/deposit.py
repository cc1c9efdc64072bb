"""Bodies put on a substrate one after another, until they cover as much of the picture as is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.deposit.landscape import Landscape, conflicts, empty_landscape, put
from synth_renderer.deposit.lattice_sites import lattice_sites
from synth_renderer.deposit.overlap import largest_shared_volume
from synth_renderer.deposit.places import (
    Bounds,
    Place,
    centre_of_fall,
    fallen_place,
    free_place,
    touching_place,
)
from synth_renderer.physics.overlaps import largest_overlap, separate
from synth_renderer.randomness.hashing import uniform, word

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from synth_renderer.deposit.profile import Profile

MISSES: Final = 15
"""Bodies in a row without a place after which there is none."""
TOLERANCE: Final = 0.005
"""Of the coverage, in shares of the picture."""
OVERLAP_GOAL: Final = 0.001
"""Overlap of smooth spheres, in smaller radii, that they are pushed apart to."""
SWEEPS: Final = 500
"""Cap of sweeps that push them apart."""


@dataclass(frozen=True)
class Layout:
    """A deposit's drawn parameters; lengths in scene units."""

    kind: str
    coverage: float
    new_cluster_share: float
    piles: NDArray[np.float64]
    """Middles (P, 2)."""
    pile_width: float
    rolling: float
    lattice: str
    pitch: float
    jitter: float
    vacancies: float
    cut_by_frame: bool


@dataclass(frozen=True)
class Posed:
    """A body as it lies, its middle at the origin."""

    profile: Profile
    extent: tuple[float, float, float, float]
    """Smallest and largest x, smallest and largest y."""
    reach: float
    """Farthest vertex from the middle, seen from above."""
    radius: float | None
    """Of a smooth sphere."""


@dataclass
class Deposit:
    """What lies on the substrate so far."""

    layout: Layout
    view: tuple[float, float]
    """Width and height of the picture."""
    key: np.uint64
    """Random key of the lattice."""
    land: Landscape
    sites: NDArray[np.float64]
    ceiling: float
    """Height that no body may reach, scene units."""
    covered: int = 0
    bodies: list[Posed] = field(default_factory=list)
    places: list[tuple[float, float, float]] = field(default_factory=list)

    @classmethod
    def begun(
        cls,
        layout: Layout,
        view: tuple[float, float],
        ceiling: float,
        reach: float,
        diameter: float,
        key: np.uint64,
    ) -> Deposit:
        """Nothing yet; `reach` is the largest of all bodies, `diameter` a typical one."""
        sites = np.empty((0, 2))
        if layout.kind == "lattice":
            pitch, jitter = layout.pitch * diameter, layout.jitter * diameter
            sites = lattice_sites(view, layout.lattice, pitch, jitter, layout.vacancies, key)
        return cls(layout, view, key, empty_landscape(view, reach), sites, ceiling)

    @property
    def coverage(self) -> float:
        """Share of the picture that is covered."""
        rows, columns = (extent - 2 * self.land.margin for extent in self.land.height.shape)
        return self.covered / (rows * columns)

    def is_done(self) -> bool:
        """Whether the picture is covered as asked for."""
        return self.coverage >= self.layout.coverage - TOLERANCE

    def add(self, body: Posed, key: np.uint64) -> bool:
        """Put a body where there is room for it; False where there is none."""
        bounds = self._bounds(body)
        if bounds.left > bounds.right or bounds.low > bounds.high:
            return False
        place = self._place(body, bounds, key)
        fits = place.found and place.z + float(body.profile.top.max()) <= self.ceiling
        if fits:
            self.covered += put(self.land, body.profile, place.x, place.y, place.z)
            self.bodies.append(body)
            self.places.append((place.x, place.y, place.z))
        return fits

    def _bounds(self, body: Posed) -> Bounds:
        """Where its middle may be so that the picture shows some of it, or all."""
        left, right, low, high = body.extent
        x, y = self.view[0] / 2, self.view[1] / 2
        if self.layout.cut_by_frame:
            return Bounds(-x - right, x - left, -y - high, y - low)
        return Bounds(-x - left, x - right, -y - low, y - high)

    def _place(self, body: Posed, bounds: Bounds, key: np.uint64) -> Place:
        match self.layout.kind:
            case "lattice":
                return self._on_site(body, bounds)
            case "heap":
                start = centre_of_fall(bounds, key, self.layout.piles, self.layout.pile_width)
                return fallen_place(self.land, body.profile, bounds, start, body.reach, self.layout.rolling)
            case "clusters" if self.places and uniform(key, np.uint64(0)) >= self.layout.new_cluster_share:
                there = zip(self.places, self.bodies, strict=True)
                placed = np.array([(x, y, other.reach) for (x, y, _), other in there])
                return touching_place(self.land, body.profile, bounds, _further(key), placed, body.reach)
        return free_place(self.land, body.profile, bounds, _further(key))

    def _on_site(self, body: Posed, bounds: Bounds) -> Place:
        """The next free site of the lattice."""
        while len(self.sites):
            x, y = self.sites[0]
            self.sites = self.sites[1:]
            inside = bounds.left <= x <= bounds.right and bounds.low <= y <= bounds.high
            if inside and not conflicts(self.land, body.profile, x, y, True):
                return Place(True, x, y, -body.profile.lowest)
        return Place(False, 0.0, 0.0, 0.0)

    def separated(self) -> NDArray[np.float64]:
        """Places (N, 3) after smooth spheres that overlap have been pushed apart; the others stay."""
        places = np.array(self.places).reshape(-1, 3)
        chosen, radii = self._spheres()
        if len(chosen):
            spheres = np.ascontiguousarray(places[chosen])
            separate(spheres, radii, _FLOOR, OVERLAP_GOAL, SWEEPS)
            places[chosen] = spheres
        self.places = [tuple(place) for place in places.tolist()]
        return places

    def sphere_overlap(self) -> float:
        """Deepest overlap of two smooth spheres, or of one and the floor, in smaller radii."""
        chosen, radii = self._spheres()
        places = np.array(self.places).reshape(-1, 3)[chosen]
        return float(largest_overlap(np.ascontiguousarray(places), radii, _FLOOR)) if len(chosen) else 0.0

    def largest_overlap(self) -> float:
        """Largest share of a body's volume within another."""
        places = np.array(self.places).reshape(-1, 3)
        return largest_shared_volume(self.land, [body.profile for body in self.bodies], places)

    def _spheres(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        chosen = [index for index, body in enumerate(self.bodies) if body.radius is not None]
        radii = [radius for body in self.bodies if (radius := body.radius) is not None]
        return np.array(chosen, dtype=np.int64), np.array(radii)


def _further(key: np.uint64) -> np.uint64:
    """Another key that comes from this one."""
    return np.uint64(word(key, np.uint64(1)))


_FLOOR: Final = np.array([-np.inf, np.inf, -np.inf, np.inf, 0.0, np.inf])


def deposit_all(deposit: Deposit, offered: Iterable[tuple[Posed, np.uint64]]) -> list[int]:
    """Put bodies down in order until the picture is covered or there is no room; positions of those that lie there."""
    taken, misses = [], 0
    for position, (body, key) in enumerate(offered):
        if deposit.add(body, key):
            taken.append(position)
            misses = 0
        else:
            misses += 1
        if deposit.is_done() or misses == MISSES:
            break
    return taken
