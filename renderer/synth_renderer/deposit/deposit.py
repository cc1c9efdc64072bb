"""Deposit of bodies on a substrate, one after another, until they cover the requested share of the picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from synth_renderer.deposit.clusters import CLUSTERS, GrowingCluster, draw_cluster_heading
from synth_renderer.deposit.landscape import (
    Landscape,
    add_body,
    create_landscape,
    find_column,
    find_ground,
    find_middle,
    find_row,
    has_conflict,
)
from synth_renderer.deposit.lattice_sites import draw_lattice_heading, draw_lattice_sites
from synth_renderer.deposit.overlap import measure_largest_shared_volume
from synth_renderer.deposit.places import (
    NO_PLACE,
    Bounds,
    Place,
    draw_drop_point,
    find_free_place,
    find_packed_place,
    find_resting_place,
    find_touching_place,
)
from synth_renderer.deposit.profile import count_cells
from synth_renderer.physics.overlaps import measure_largest_overlap, separate_spheres
from synth_renderer.randomness.hashing import draw_uniform, draw_word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from synth_renderer.deposit.profile import Profile

MAX_MISSES: Final = 15
"""Bodies in a row without a place, after which the deposit is full."""
MAX_DROPS: Final = 20
"""Times that a body is dropped on others before it counts as without place."""
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
    """`sparse`, `clusters`, `rafts`, `chains`, `rings`, `heap`, `lattice` or `satellites`."""
    coverage: float
    """Requested coverage, part of the picture, 0 … 1; for satellites part of the bodies that they lie on."""
    new_cluster_share: float
    """Share of the bodies that begin a new cluster."""
    cluster_size: int
    """Most bodies in a raft, chain or ring."""
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
    crystals: int
    """Lattices side by side."""
    second_layer: float
    """Bodies on top, for each of the first layer."""
    begin_in_middle: bool
    """True if the first body lies in the middle third of the picture, along both axes."""
    cut_by_frame: bool
    """True if the picture's edge may cut bodies."""


@dataclass(frozen=True)
class Strands:
    """The centre lines of a fibre and its branches, which a deposit lays over other bodies."""

    nodes: NDArray[np.float64]
    """x and y (K, 2) of the nodes from the body's middle, scene units."""
    reaches: NDArray[np.float64]
    """Half widths at the nodes (K,), scene units."""
    lay_over: Callable[[NDArray[np.float64]], PosedBody]
    """Function that returns the body over what is `heights` (K,) high below the nodes, scene units, the lowest 0."""


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
    heading: NDArray[np.float64] | None
    """Unit vector (2,) along which it lies with its neighbours, None if it is not aligned."""
    strands: Strands | None = None
    """Of a fibre, which bends over what lies below it."""
    support: tuple[float, ...] = ()
    """Height of what lies below the nodes of a fibre, particle sizes; empty for level ground."""


class PlacedBody(NamedTuple):
    """A body and its middle, scene units; z above the substrate."""

    body: PosedBody
    x: float
    y: float
    z: float


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
    """Free sites of the lattice (S, 3), x, y and crystal, in order of use."""
    ceiling: float
    """Height that no body may reach, scene units."""
    hosts: Sequence[PlacedBody] = ()
    """Bodies that lay there before."""
    first_layer: Sequence[PlacedBody] = ()
    """Bodies on which the others are put once they are all the first layer has."""
    covered: int = 0
    """Cells of the picture that bodies cover; the sum over all satellites."""
    bodies: list[PosedBody] = field(default_factory=list)
    places: list[tuple[float, float, float]] = field(default_factory=list)
    """Middle of each body, scene units; z above the substrate."""
    clusters: int = 0
    """Rafts, chains or rings begun so far."""
    cluster: GrowingCluster | None = None
    """The one that grows."""

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
        sites = np.empty((0, 3))
        if layout.kind == "lattice":
            pitch, jitter = layout.pitch * diameter, layout.jitter * diameter
            sites = draw_lattice_sites(view, layout.lattice, pitch, jitter, layout.vacancies, layout.crystals, key)
        return cls(layout, view, key, create_landscape(view, reach), sites, ceiling)

    def add_hosts(self, hosts: Sequence[PlacedBody]) -> None:
        """Enter bodies that lie there already."""
        self.hosts = hosts
        for body, x, y, z in hosts:
            add_body(self.land, body.profile, x, y, z)

    @property
    def coverage(self) -> float:
        """Share of the picture's cells that bodies cover, 0 … 1; of the cells of their hosts for satellites."""
        rows, columns = (extent - 2 * self.land.margin for extent in self.land.height.shape)
        if self.layout.kind == "satellites":
            return self.covered / max(sum(count_cells(host.body.profile) for host in self.hosts), 1)
        return self.covered / (rows * columns)

    def is_done(self) -> bool:
        """Return True if the coverage is the requested one or more, within the tolerance."""
        return self.coverage >= self.layout.coverage - COVERAGE_TOLERANCE

    def begin_second_layer(self) -> None:
        """Put all further bodies on those that lie there now."""
        placed = zip(self.bodies, self.places, strict=True)
        self.first_layer = [PlacedBody(body, *place) for body, place in placed]

    def choose_heading(self, key: np.uint64) -> NDArray[np.float64]:
        """Return the unit vector (2,) along which the next body, of this key, lies if neighbours are aligned."""
        if self.first_layer and (heading := _choose_body(self.first_layer, key).body.heading) is not None:
            return heading
        if self.layout.kind == "lattice":
            return draw_lattice_heading(self.key, int(self.sites[0, 2]) if len(self.sites) else 0)
        grows = self.cluster is not None and not self.cluster.is_complete
        return draw_cluster_heading(self._derive_cluster_key(self.clusters - 1 if grows else self.clusters))

    def add(self, body: PosedBody, key: np.uint64) -> bool:
        """Put a body down where the layout has it and return True; return False if there is no room for it.

        `key` is the SplitMix64 key of the body's draws.
        """
        bounds = self._compute_bounds(body)
        if bounds.left > bounds.right or bounds.low > bounds.high:
            return False
        return self._enter(body, self._find_place(body, bounds, key))

    def _enter(self, body: PosedBody, place: Place) -> bool:
        """Enter a body unless it has no place or would reach above the ceiling; return True if it lies there."""
        if place.found and body.strands is not None:
            body, place = self._lay_strands(body, body.strands, place)
        fits = place.found and place.z + float(body.profile.top.max()) <= self.ceiling
        if fits:
            covered = add_body(self.land, body.profile, place.x, place.y, place.z)
            self.covered += count_cells(body.profile) if self.layout.kind == "satellites" else covered
            self.bodies.append(body)
            self.places.append((place.x, place.y, place.z))
        return fits

    def _lay_strands(self, body: PosedBody, strands: Strands, place: Place) -> tuple[PosedBody, Place]:
        """Return a fibre bent over what lies below it at (x, y), and the place of its middle."""
        if not has_conflict(self.land, body.profile, place.x, place.y, False):
            return body, place._replace(z=-body.profile.lowest)
        heights = find_ground(self.land, strands.nodes + np.array([place.x, place.y]), strands.reaches)
        lowest = float(heights.min())
        place = place._replace(z=lowest - body.profile.lowest)
        return (strands.lay_over(heights - lowest) if heights.max() > lowest else body), place

    def _compute_bounds(self, body: PosedBody) -> Bounds:
        """Return where its middle may lie so that the picture shows some of it, or all."""
        left, right, low, high = body.extent
        x, y = self.view[0] / 2, self.view[1] / 2
        if self.layout.cut_by_frame:
            bounds = Bounds(-x - right, x - left, -y - high, y - low)
        else:
            bounds = Bounds(-x - left, x - right, -y - low, y - high)
        if self.bodies or not self.layout.begin_in_middle or self.layout.kind in ("lattice", "satellites"):
            return bounds
        left, right, low, high = bounds
        return Bounds(max(left, -x / 3), min(right, x / 3), max(low, -y / 3), min(high, y / 3))

    def _find_place(self, body: PosedBody, bounds: Bounds, key: np.uint64) -> Place:
        """Find a place in the layout; output 0 of the key decides about a new cluster, a derived key about places."""
        if self.first_layer:
            return self._find_place_on(self.first_layer, body, bounds, key, 1.0)
        match self.layout.kind:
            case "lattice":
                return self._take_site(body, bounds)
            case "heap":
                start = draw_drop_point(bounds, key, self.layout.piles, self.layout.pile_width)
                if body.strands is not None:
                    return Place(True, *start, -body.profile.lowest)
                return find_resting_place(self.land, body.profile, bounds, start, body.reach, self.layout.rolling)
            case "clusters" if self.places and draw_uniform(key, np.uint64(0)) >= self.layout.new_cluster_share:
                others = zip(self.places, self.bodies, strict=True)
                placed = np.array([(x, y, other.reach) for (x, y, _), other in others])
                return find_touching_place(self.land, body.profile, bounds, _derive_key(key), placed, body.reach)
            case "satellites":
                return self._find_place_on(self.hosts, body, bounds, key, 0.0)
            case kind if kind in CLUSTERS:
                return self._find_place_in_cluster(body, bounds, key)
        return find_free_place(self.land, body.profile, bounds, _derive_key(key))

    def _take_site(self, body: PosedBody, bounds: Bounds) -> Place:
        """Return the next site of the lattice with room for the body; sites without room are used up."""
        while len(self.sites):
            x, y, _ = self.sites[0]
            self.sites = self.sites[1:]
            inside = bounds.left <= x <= bounds.right and bounds.low <= y <= bounds.high
            if inside and not has_conflict(self.land, body.profile, x, y, True):
                return Place(True, x, y, -body.profile.lowest)
        return NO_PLACE

    def _find_place_in_cluster(self, body: PosedBody, bounds: Bounds, key: np.uint64) -> Place:
        """Return a place in the cluster that grows or, if it is complete or has no room, on free ground.

        Without free ground a complete cluster grows on.
        """
        place = NO_PLACE
        if self.cluster is not None and not self.cluster.is_complete:
            place = self._find_place_beside(self.cluster, body, bounds, key)
        if not place.found:
            place = find_free_place(self.land, body.profile, bounds, _derive_key(key))
            if place.found:
                # The middle of a cell, so that the cells which the body covers are those of its profile.
                x, y = find_middle(self.land, find_row(self.land, place.y), find_column(self.land, place.x))
                place = Place(True, x, y, place.z)
                begun = self._derive_cluster_key(self.clusters)
                self.cluster = GrowingCluster.begin(self.layout.kind, begun, self.layout.cluster_size)
                self.clusters += 1
            elif self.cluster is not None and self.cluster.is_complete:
                place = self._find_place_beside(self.cluster, body, bounds, key)
        if self.cluster is not None and place.found:
            self.cluster.join(place.x, place.y, body.reach)
        return place

    def _find_place_beside(self, cluster: GrowingCluster, body: PosedBody, bounds: Bounds, key: np.uint64) -> Place:
        """Return the place where the first of a cluster's paths that is free ends."""
        for start, target in cluster.list_paths(body.reach, np.uint64(draw_word(key, np.uint64(3)))):
            place = find_packed_place(self.land, body.profile, start, target, body.reach)
            if place.found and bounds.left <= place.x <= bounds.right and bounds.low <= place.y <= bounds.high:
                return place
        return NO_PLACE

    def _find_place_on(
        self, others: Sequence[PlacedBody], body: PosedBody, bounds: Bounds, key: np.uint64, rolling: float
    ) -> Place:
        """Return where a body rests that is dropped on a random one of the others; none on the substrate."""
        if not others:
            return NO_PLACE
        other, x, y, _ = _choose_body(others, key)
        for draw in range(MAX_DROPS):
            u, v = (2 * float(draw_uniform(key, np.uint64(4 + 2 * draw + axis))) - 1 for axis in range(2))
            start = x + u * other.reach, y + v * other.reach
            if bounds.left <= start[0] <= bounds.right and bounds.low <= start[1] <= bounds.high:
                place = find_resting_place(self.land, body.profile, bounds, start, body.reach, rolling)
                if place.z > -body.profile.lowest:
                    return place
        return NO_PLACE

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
        others = [(x, y, z) for _, x, y, z in self.hosts]
        profiles = [body.profile for body in (*self.bodies, *(host.body for host in self.hosts))]
        return measure_largest_shared_volume(self.land, profiles, np.array([*self.places, *others]).reshape(-1, 3))

    def _select_spheres(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return numbers (S,) and radii (S,) of the smooth spheres."""
        chosen = [index for index, body in enumerate(self.bodies) if body.radius is not None]
        radii = [radius for body in self.bodies if (radius := body.radius) is not None]
        return np.array(chosen, dtype=np.int64), np.array(radii)

    def _derive_cluster_key(self, number: int) -> np.uint64:
        """Return the key of a raft, chain or ring, numbered in the order in which they begin."""
        return np.uint64(draw_word(np.uint64(draw_word(self.key, np.uint64(10))), np.uint64(number)))


def _choose_body(bodies: Sequence[PlacedBody], key: np.uint64) -> PlacedBody:
    """Return the body on which one of this key is dropped: each as likely."""
    return bodies[int(float(draw_uniform(key, np.uint64(2))) * len(bodies))]


def _derive_key(key: np.uint64) -> np.uint64:
    """Return another key, the first output of this one."""
    return np.uint64(draw_word(key, np.uint64(1)))


_FLOOR: Final = np.array([-np.inf, np.inf, -np.inf, np.inf, 0.0, np.inf])
"""Walls (6,) as in `physics.neighbours`: only the substrate at z = 0."""


def deposit_bodies(deposit: Deposit, offered: Iterable[tuple[PosedBody, np.uint64]]) -> list[int]:
    """Put bodies down in order until the picture is covered or full; return the positions of the bodies that lie there.

    `offered` yields bodies with the SplitMix64 key of their draws.
    """
    remaining = iter(enumerate(offered))
    taken = _put_down(deposit, remaining, lambda _: deposit.is_done())
    more = round(deposit.layout.second_layer * len(taken))
    if more:
        deposit.begin_second_layer()
        taken += _put_down(deposit, remaining, lambda count: count == more)
    return taken


def _put_down(
    deposit: Deposit,
    remaining: Iterator[tuple[int, tuple[PosedBody, np.uint64]]],
    is_done: Callable[[int], bool],
) -> list[int]:
    """Add bodies until enough lie there or too many in a row find no place; return the positions of those that do.

    `is_done` takes the number of bodies added.
    """
    taken, misses = [], 0
    for position, (body, key) in remaining:
        if deposit.add(body, key):
            taken.append(position)
            misses = 0
        else:
            misses += 1
        if is_done(len(taken)) or misses == MAX_MISSES:
            break
    return taken
