"""Deposit of bodies on a substrate, one after another, until they cover the requested share of the picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.deposit.landscape import Landscape, add_body, create_landscape, has_conflict
from synth_renderer.deposit.lattice_sites import draw_lattice_sites
from synth_renderer.deposit.overlap import measure_largest_shared_volume
from synth_renderer.deposit.places import (
    Bounds,
    Place,
    draw_drop_point,
    find_free_place,
    find_resting_place,
    find_touching_place,
)
from synth_renderer.physics.overlaps import measure_largest_overlap, separate_spheres
from synth_renderer.randomness.hashing import draw_uniform, draw_word

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from synth_renderer.deposit.profile import Profile

MAX_MISSES: Final = 15
"""Bodies in a row without a place, after which the deposit is full."""
COVERAGE_TOLERANCE: Final = 0.005
"""Tolerance of the coverage, parts of the picture."""
OVERLAP_GOAL: Final = 0.001
"""Overlap of smooth spheres, in smaller radii, at which pushing apart ends; as in `physics.spheres`."""
MAX_SWEEPS: Final = 500
"""Maximum of sweeps that push them apart."""


@dataclass(frozen=True)
class Layout:
    """A deposit's drawn parameters; lengths in scene units."""

    kind: str
    """`sparse`, `clusters`, `heap` or `lattice`."""
    coverage: float
    """Requested coverage, part of the picture, 0 … 1."""
    new_cluster_share: float
    """Share of the bodies that begin a new cluster."""
    piles: NDArray[np.float64]
    """Middles (P, 2) of the piles of a heap, x and y; none spreads the heap evenly."""
    pile_width: float
    """Standard deviation of the places around a pile."""
    rolling: float
    """Share of its path downhill that a body of a heap rolls, 0 … 1."""
    lattice: str
    """`hexagonal` or `square`."""
    pitch: float
    """Distance of neighbouring sites, typical diameters."""
    jitter: float
    """Standard deviation of the sites, typical diameters."""
    vacancies: float
    """Share of empty sites, 0 … 1."""
    cut_by_frame: bool
    """True if the picture's edge may cut bodies."""


@dataclass(frozen=True)
class PosedBody:
    """A body in its orientation, with its middle at the origin; lengths in scene units."""

    profile: Profile
    extent: tuple[float, float, float, float]
    """Smallest and largest x, smallest and largest y."""
    reach: float
    """Distance of the farthest vertex from the middle, seen from above."""
    radius: float | None
    """Radius of a smooth sphere, None for other bodies."""


@dataclass
class Deposit:
    """Bodies on the substrate so far."""

    layout: Layout
    view: tuple[float, float]
    """Width and height of the picture, scene units."""
    key: np.uint64
    """SplitMix64 key of the lattice."""
    land: Landscape
    sites: NDArray[np.float64]
    """Free sites of the lattice (S, 2), in order of use."""
    ceiling: float
    """Height that no body may reach, scene units."""
    covered: int = 0
    """Cells of the picture that bodies cover."""
    bodies: list[PosedBody] = field(default_factory=list)
    places: list[tuple[float, float, float]] = field(default_factory=list)
    """Middle of each body, scene units; z above the substrate."""

    @classmethod
    def create(
        cls,
        layout: Layout,
        view: tuple[float, float],
        ceiling: float,
        reach: float,
        diameter: float,
        key: np.uint64,
    ) -> Deposit:
        """Return a deposit without bodies; `reach` is the largest of all bodies, `diameter` a typical one."""
        sites = np.empty((0, 2))
        if layout.kind == "lattice":
            pitch, jitter = layout.pitch * diameter, layout.jitter * diameter
            sites = draw_lattice_sites(view, layout.lattice, pitch, jitter, layout.vacancies, key)
        return cls(layout, view, key, create_landscape(view, reach), sites, ceiling)

    @property
    def coverage(self) -> float:
        """Share of the picture's cells that bodies cover, 0 … 1."""
        rows, columns = (extent - 2 * self.land.margin for extent in self.land.height.shape)
        return self.covered / (rows * columns)

    def is_done(self) -> bool:
        """Return True if the coverage is the requested one or more, within the tolerance."""
        return self.coverage >= self.layout.coverage - COVERAGE_TOLERANCE

    def add(self, body: PosedBody, key: np.uint64) -> bool:
        """Put a body on the substrate and return True; return False if there is no room for it.

        `key` is the SplitMix64 key of the body's draws.
        """
        bounds = self._compute_bounds(body)
        if bounds.left > bounds.right or bounds.low > bounds.high:
            return False
        place = self._find_place(body, bounds, key)
        fits = place.found and place.z + float(body.profile.top.max()) <= self.ceiling
        if fits:
            self.covered += add_body(self.land, body.profile, place.x, place.y, place.z)
            self.bodies.append(body)
            self.places.append((place.x, place.y, place.z))
        return fits

    def _compute_bounds(self, body: PosedBody) -> Bounds:
        """Return where its middle may lie so that the picture shows some of it, or all."""
        left, right, low, high = body.extent
        x, y = self.view[0] / 2, self.view[1] / 2
        if self.layout.cut_by_frame:
            return Bounds(-x - right, x - left, -y - high, y - low)
        return Bounds(-x - left, x - right, -y - low, y - high)

    def _find_place(self, body: PosedBody, bounds: Bounds, key: np.uint64) -> Place:
        """Find a place in the layout; output 0 of the key decides about a new cluster, a derived key about places."""
        match self.layout.kind:
            case "lattice":
                return self._take_site(body, bounds)
            case "heap":
                start = draw_drop_point(bounds, key, self.layout.piles, self.layout.pile_width)
                return find_resting_place(self.land, body.profile, bounds, start, body.reach, self.layout.rolling)
            case "clusters" if self.places and draw_uniform(key, np.uint64(0)) >= self.layout.new_cluster_share:
                others = zip(self.places, self.bodies, strict=True)
                placed = np.array([(x, y, other.reach) for (x, y, _), other in others])
                return find_touching_place(self.land, body.profile, bounds, _derive_key(key), placed, body.reach)
        return find_free_place(self.land, body.profile, bounds, _derive_key(key))

    def _take_site(self, body: PosedBody, bounds: Bounds) -> Place:
        """Return the next site of the lattice with room for the body; sites without room are used up."""
        while len(self.sites):
            x, y = self.sites[0]
            self.sites = self.sites[1:]
            inside = bounds.left <= x <= bounds.right and bounds.low <= y <= bounds.high
            if inside and not has_conflict(self.land, body.profile, x, y, True):
                return Place(True, x, y, -body.profile.lowest)
        return Place(False, 0.0, 0.0, 0.0)

    def separate_spheres(self) -> NDArray[np.float64]:
        """Push overlapping smooth spheres apart and return the places (N, 3); other bodies stay."""
        places = np.array(self.places).reshape(-1, 3)
        chosen, radii = self._select_spheres()
        if len(chosen):
            spheres = np.ascontiguousarray(places[chosen])
            separate_spheres(spheres, radii, _FLOOR, OVERLAP_GOAL, MAX_SWEEPS)
            places[chosen] = spheres
        self.places = [tuple(place) for place in places.tolist()]
        return places

    def measure_sphere_overlap(self) -> float:
        """Return the deepest overlap of two smooth spheres, or of one and the floor, in smaller radii."""
        chosen, radii = self._select_spheres()
        places = np.array(self.places).reshape(-1, 3)[chosen]
        return float(measure_largest_overlap(np.ascontiguousarray(places), radii, _FLOOR)) if len(chosen) else 0.0

    def measure_shared_volume(self) -> float:
        """Return the largest share of a body's volume within another one, 0 … 1."""
        places = np.array(self.places).reshape(-1, 3)
        return measure_largest_shared_volume(self.land, [body.profile for body in self.bodies], places)

    def _select_spheres(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return numbers (S,) and radii (S,) of the smooth spheres."""
        chosen = [index for index, body in enumerate(self.bodies) if body.radius is not None]
        radii = [radius for body in self.bodies if (radius := body.radius) is not None]
        return np.array(chosen, dtype=np.int64), np.array(radii)


def _derive_key(key: np.uint64) -> np.uint64:
    """Return another key, the first output of this one."""
    return np.uint64(draw_word(key, np.uint64(1)))


_FLOOR: Final = np.array([-np.inf, np.inf, -np.inf, np.inf, 0.0, np.inf])
"""Walls (6,) as in `physics.neighbours`: only the substrate at z = 0."""


def deposit_bodies(deposit: Deposit, offered: Iterable[tuple[PosedBody, np.uint64]]) -> list[int]:
    """Put bodies down in order until the picture is covered or full; return the positions of the bodies that lie there.

    `offered` yields bodies with the SplitMix64 key of their draws.
    """
    taken, misses = [], 0
    for position, (body, key) in enumerate(offered):
        if deposit.add(body, key):
            taken.append(position)
            misses = 0
        else:
            misses += 1
        if deposit.is_done() or misses == MAX_MISSES:
            break
    return taken
