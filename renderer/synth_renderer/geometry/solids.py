"""Ideal bodies of the shapes: casting on a sphere grid, faces to rest on, and closed formulas.

Proportions are full extents with the product 1, so lengths are relative to the particle's size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from synth_renderer.geometry import planes
from synth_renderer.geometry.casting import cast_cylinder, cast_ellipsoid, cast_grains, cast_polyhedron
from synth_renderer.geometry.ellipsoid import compute_ellipsoid_surface
from synth_renderer.geometry.plates import build_star_outline, cast_plate, draw_flake_outline, measure_plate
from synth_renderer.geometry.shape_features import read_number
from synth_renderer.geometry.spikes import cast_spikes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from synth_renderer.geometry.casting import Surface
    from synth_renderer.geometry.shape_features import Features

    Proportions = tuple[float, float, float]

MAX_ROUNDING: Final = 0.98
"""Largest rounding over the distance of the nearest face; at 1 no face would be left."""
GRAIN_COVER: Final = 0.8
"""Sum of the grains' circles over the area of the unit sphere, before they overlap: pi r^2 n = 0.8 x 4 pi."""


class Solid(Protocol):
    """An ideal body, for all proportions and features."""

    def cast_surface(self, directions: NDArray[np.float64], proportions: Proportions, features: Features) -> Surface:
        """Return points and unit normals (V, 3) of the surface for unit directions (V, 3) of a sphere grid."""

    def compute_content(self, proportions: Proportions, features: Features) -> tuple[float, float] | None:
        """Return volume and surface by closed formulas; None where there are none."""

    def build_faces(self, proportions: Proportions, features: Features) -> NDArray[np.float64]:
        """Return the planes (K, 4) it may rest on, unit normal and distance from the middle; (0, 4) without faces."""


class Ellipsoid:
    """The ellipsoid of the full extents `proportions`."""

    def cast_surface(self, directions: NDArray[np.float64], proportions: Proportions, _features: Features) -> Surface:
        """Return points on the exact ellipsoid and its normals, (V, 3) each."""
        return cast_ellipsoid(directions, np.array(proportions))

    def compute_content(self, proportions: Proportions, _features: Features) -> tuple[float, float]:
        """Return volume and surface of the ellipsoid."""
        a, b, c = (extent / 2 for extent in proportions)
        return 4 / 3 * math.pi * a * b * c, compute_ellipsoid_surface(a, b, c)

    def build_faces(self, _proportions: Proportions, _features: Features) -> NDArray[np.float64]:
        """Return (0, 4): it has no faces."""
        return np.empty((0, 4))


@dataclass(frozen=True)
class Polyhedron:
    """A convex polyhedron, with edges rounded by the feature `edge_rounding`."""

    build_unit_planes: Callable[[Features], NDArray[np.float64]]
    """Features -> planes (K, 4) of the polyhedron in the cube of edge 1."""
    measure: Callable[[Proportions, Features, float], tuple[float, float] | None]
    """Proportions, features and rounding -> volume and surface; None without a formula."""

    def cast_surface(self, directions: NDArray[np.float64], proportions: Proportions, features: Features) -> Surface:
        """Return points and unit normals (V, 3) of the surface with rounded edges."""
        faces = self.build_faces(proportions, features)
        return cast_polyhedron(
            directions, np.array(proportions), faces, _compute_rounding(features, proportions, faces)
        )

    def compute_content(self, proportions: Proportions, features: Features) -> tuple[float, float] | None:
        """Return volume and surface where there are formulas for this rounding."""
        rounding = _compute_rounding(features, proportions, self.build_faces(proportions, features))
        return self.measure(proportions, features, rounding)

    def build_faces(self, proportions: Proportions, features: Features) -> NDArray[np.float64]:
        """Return the planes (K, 4) of the stretched polyhedron."""
        return planes.stretch_planes(self.build_unit_planes(features), proportions)


class Cylinder:
    """An upright cylinder; a bent one has the same volume and surface."""

    def cast_surface(self, directions: NDArray[np.float64], proportions: Proportions, features: Features) -> Surface:
        """Return points and unit normals (V, 3) of the surface with rounded rims."""
        rounding = read_number(features, "edge_rounding") * min(proportions) / 2
        return cast_cylinder(directions, np.array(proportions), min(rounding, proportions[0] / 2))

    def compute_content(self, proportions: Proportions, features: Features) -> tuple[float, float] | None:
        """Return volume and surface of a round cylinder by Steiner's formula; None of an elliptic one.

        By Pappus' theorem they hold for the bent rod too.
        """
        x, y, z = proportions
        if x != y:
            return None
        rounding = min(read_number(features, "edge_rounding") * min(proportions) / 2, x / 2)
        radius, length = x / 2 - rounding, z - 2 * rounding
        volume, surface = math.pi * radius * radius * length, 2 * math.pi * radius * (radius + length)
        return _measure_parallel_body(volume, surface, math.pi * (length + math.pi * radius), rounding)

    def build_faces(self, proportions: Proportions, _features: Features) -> NDArray[np.float64]:
        """Return the planes of lower and upper end, (2, 4); (0, 4) for a long one, which does not stand."""
        return _build_end_planes(proportions)


@dataclass(frozen=True)
class Plate:
    """An upright plate over an outline that its middle sees in full, with edges rounded by `edge_rounding`."""

    build_outline: Callable[[Features], NDArray[np.float64]]
    """Features -> corners (C, 2) in the square of edge 1."""

    def cast_surface(self, directions: NDArray[np.float64], proportions: Proportions, features: Features) -> Surface:
        """Return points and unit normals (V, 3) of the surface."""
        rounding = read_number(features, "edge_rounding") * min(proportions) / 2
        return cast_plate(directions, np.array(proportions), self.build_outline(features), rounding)

    def compute_content(self, proportions: Proportions, features: Features) -> tuple[float, float] | None:
        """Return volume and surface of a plate with sharp edges; None with rounded ones or waves."""
        if read_number(features, "edge_rounding") or read_number(features, "wave_depth"):
            return None
        return measure_plate(self.build_outline(features), proportions)

    def build_faces(self, proportions: Proportions, _features: Features) -> NDArray[np.float64]:
        """Return the planes of lower and upper face, (2, 4); (0, 4) for a tall one, which does not stand."""
        return _build_end_planes(proportions)


class SpikySphere:
    """Cones on a core."""

    def cast_surface(self, directions: NDArray[np.float64], proportions: Proportions, features: Features) -> Surface:
        """Return points and unit normals (V, 3) of the surface."""
        return cast_spikes(
            directions,
            np.array(proportions),
            int(read_number(features, "spikes")),
            read_number(features, "spike_width"),
            read_number(features, "spike_core"),
            read_number(features, "spike_variation"),
            np.uint64(int(read_number(features, "shape_seed"))),
        )

    def compute_content(self, _proportions: Proportions, _features: Features) -> None:
        """Return None: there is no formula."""

    def build_faces(self, _proportions: Proportions, _features: Features) -> NDArray[np.float64]:
        """Return (0, 4): it has no faces."""
        return np.empty((0, 4))


class Raspberry:
    """Grains on a spherical core."""

    def cast_surface(self, directions: NDArray[np.float64], proportions: Proportions, features: Features) -> Surface:
        """Return points and unit normals (V, 3) of overlapping grains at one distance from the middle.

        With r the angular radius of a grain, its radius is r / (2 (1 + r)): the whole then has the diameter 1.
        """
        count = int(read_number(features, "grains"))
        radius = math.sqrt(4 * GRAIN_COVER / count) / (1 - read_number(features, "grain_overlap") / 2)
        radius = float(np.float32(radius / 2 / (1 + radius)))
        centres = planes.draw_spread_directions(count, np.uint64(int(read_number(features, "shape_seed")))) * (
            0.5 - radius
        )
        return cast_grains(directions, np.array(proportions), centres, radius)

    def compute_content(self, _proportions: Proportions, _features: Features) -> None:
        """Return None: there is no formula."""

    def build_faces(self, _proportions: Proportions, _features: Features) -> NDArray[np.float64]:
        """Return (0, 4): it has no faces."""
        return np.empty((0, 4))


def _build_end_planes(proportions: Proportions) -> NDArray[np.float64]:
    """Return the planes of the lower and upper end of an upright body, (2, 4); (0, 4) if it is longer than wide."""
    x, y, z = proportions
    if z > max(x, y):
        return np.empty((0, 4))
    return np.array([[0.0, 0.0, 1.0, z / 2], [0.0, 0.0, -1.0, z / 2]])


def _compute_rounding(features: Features, proportions: Proportions, faces: NDArray[np.float64]) -> float:
    """Return the radius of the edges: `edge_rounding` times half the smallest extent, limited by the nearest face."""
    nearest = float(faces[:, 3].min())
    return min(read_number(features, "edge_rounding") * min(proportions) / 2, MAX_ROUNDING * nearest)


def _measure_parallel_body(volume: float, surface: float, curvature: float, distance: float) -> tuple[float, float]:
    """Return volume and surface of all points within a distance of a convex body, by Steiner's formula.

    V + S d + M d^2 + 4/3 pi d^3 and S + 2 M d + 4 pi d^2; M = `curvature` is the integral of the mean curvature.
    """
    ball = 4 / 3 * math.pi * distance * distance * distance
    return (
        volume + surface * distance + curvature * distance * distance + ball,
        surface + 2 * curvature * distance + 4 * math.pi * distance * distance,
    )


def _measure_box(proportions: Proportions, _features: Features, rounding: float) -> tuple[float, float]:
    """Measure a box with round edges: all points within the rounding of a smaller box, whose M is pi (x + y + z)."""
    x, y, z = (extent - 2 * rounding for extent in proportions)
    return _measure_parallel_body(x * y * z, 2 * (x * y + y * z + z * x), math.pi * (x + y + z), rounding)


def _measure_octahedron(proportions: Proportions, _features: Features, rounding: float) -> tuple[float, float] | None:
    """Measure an octahedron with sharp edges: eight triangles with corners at half extents; None with rounded edges."""
    x, y, z = (extent / 2 for extent in proportions)
    if rounding:
        return None
    return 4 / 3 * x * y * z, 4 * math.sqrt((x * y) * (x * y) + (y * z) * (y * z) + (z * x) * (z * x))


def _measure_prism(proportions: Proportions, features: Features, rounding: float) -> tuple[float, float] | None:
    """Measure a prism with sharp edges: a polygon with corners on an ellipse, times the height; None if rounded."""
    if rounding:
        return None
    sides = int(read_number(features, "sides"))
    x, y, z = proportions
    angles = [2 * math.pi * corner / sides for corner in range(sides + 1)]
    corners = [(x / 2 * math.cos(angle), y / 2 * math.sin(angle)) for angle in angles]
    area = x * y * sides / 8 * math.sin(2 * math.pi / sides)
    perimeter = sum(math.dist(a, b) for a, b in pairwise(corners))
    return area * z, 2 * area + perimeter * z


def _measure_bipyramid(proportions: Proportions, features: Features, rounding: float) -> tuple[float, float] | None:
    """Measure a bipyramid with sharp edges, each half a frustum of the share t at its end; None if rounded.

    With A the area of the waist and h the half height a half has the volume A h (1 + t + t^2) / 3, and its walls are
    the triangles from the waist to the tip without the share t^2.
    """
    if rounding:
        return None
    sides, t = int(read_number(features, "sides")), read_number(features, "truncation")
    x, y, z = proportions
    tip = z / 2 / (1 - t)
    angles = [2 * math.pi * corner / sides for corner in range(sides + 1)]
    corners = [(x / 2 * math.cos(angle), y / 2 * math.sin(angle)) for angle in angles]
    area = x * y * sides / 8 * math.sin(2 * math.pi / sides)
    walls = 0.0
    for a, b in pairwise(corners):
        cross = a[0] * b[1] - a[1] * b[0]
        walls += math.sqrt(cross * cross + tip * tip * math.dist(a, b) ** 2) / 2
    return area * z * (1 + t + t * t) / 3, 2 * walls * (1 - t * t) + 2 * area * t * t


def _measure_nothing(_proportions: Proportions, _features: Features, _rounding: float) -> None:
    """Return None: there is no formula."""
    return None


def _build_polyhedron(features: Features) -> NDArray[np.float64]:
    """Return the planes (K, 4) of the random polyhedron of `faces` and `shape_seed`."""
    return planes.build_polyhedron_planes(int(read_number(features, "faces")), int(read_number(features, "shape_seed")))


SOLIDS: Final[dict[str, Solid]] = {
    "rough_sphere": Ellipsoid(),
    "rough_ellipsoid": Ellipsoid(),
    "cube": Polyhedron(lambda _features: planes.build_box_planes(), _measure_box),
    "octahedron": Polyhedron(lambda _features: planes.build_octahedron_planes(), _measure_octahedron),
    "prism": Polyhedron(
        lambda features: planes.build_prism_planes(int(read_number(features, "sides"))), _measure_prism
    ),
    "polyhedron": Polyhedron(_build_polyhedron, _measure_nothing),
    "bipyramid": Polyhedron(
        lambda features: planes.build_bipyramid_planes(
            int(read_number(features, "sides")), read_number(features, "truncation")
        ),
        _measure_bipyramid,
    ),
    "flake": Plate(
        lambda features: draw_flake_outline(
            int(read_number(features, "corners")),
            read_number(features, "corner_variation"),
            np.uint64(int(read_number(features, "shape_seed"))),
        )
    ),
    "star": Plate(
        lambda features: build_star_outline(int(read_number(features, "arms")), read_number(features, "notch"))
    ),
    "spiky_sphere": SpikySphere(),
    "rod": Cylinder(),
    "bent_rod": Cylinder(),
    "raspberry": Raspberry(),
}
"""By name of the geometry prototype."""
