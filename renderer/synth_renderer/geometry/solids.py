"""The ideal bodies behind the shapes: how each is cast on a sphere, what it rests on, and its closed formulas.

Proportions are full extents whose product is 1, so lengths are relative to the particle's size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from synth_renderer.geometry import planes
from synth_renderer.geometry.casting import cast_cylinder, cast_ellipsoid, cast_grains, cast_polyhedron
from synth_renderer.geometry.ellipsoid import ellipsoid_surface

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from synth_api.prototypes import FeatureValue
    from synth_renderer.geometry.casting import Surface

    Features = Mapping[str, FeatureValue]
    Proportions = tuple[float, float, float]

LARGEST_ROUNDING: Final = 0.98
"""Of the distance of the nearest face: a body without any level face would have no edges."""


class Solid(Protocol):
    """An ideal body."""

    def cast(self, directions: NDArray[np.float64], proportions: Proportions, features: Features) -> Surface:
        """Its surface along directions (V, 3), already spread by the proportions where it is long or flat."""

    def content(self, proportions: Proportions, features: Features) -> tuple[float, float] | None:
        """Volume and surface by closed formulas; None where there are none."""

    def faces(self, proportions: Proportions, features: Features) -> NDArray[np.float64]:
        """Planes (K, 4) it may rest on, unit normal and distance; none of a body without faces."""


class Ellipsoid:
    """An ellipsoid, or the sphere."""

    def cast(self, directions: NDArray[np.float64], proportions: Proportions, _features: Features) -> Surface:
        """Exactly."""
        return cast_ellipsoid(directions, np.array(proportions))

    def content(self, proportions: Proportions, _features: Features) -> tuple[float, float]:
        """Of the ellipsoid."""
        a, b, c = (extent / 2 for extent in proportions)
        return 4 / 3 * math.pi * a * b * c, ellipsoid_surface(a, b, c)

    def faces(self, _proportions: Proportions, _features: Features) -> NDArray[np.float64]:
        """None."""
        return np.empty((0, 4))


@dataclass(frozen=True)
class Polyhedron:
    """A convex polyhedron; `unit` gives its planes in the box of edge 1, `sharp` its formulas without rounding."""

    unit: Callable[[Features], NDArray[np.float64]]
    formulas: Callable[[Proportions, Features, float], tuple[float, float] | None]

    def cast(self, directions: NDArray[np.float64], proportions: Proportions, features: Features) -> Surface:
        """With its edges rounded."""
        faces = self.faces(proportions, features)
        return cast_polyhedron(directions, np.array(proportions), faces, _rounding(features, proportions, faces))

    def content(self, proportions: Proportions, features: Features) -> tuple[float, float] | None:
        """Where the shape has formulas for its rounding."""
        rounding = _rounding(features, proportions, self.faces(proportions, features))
        return self.formulas(proportions, features, rounding)

    def faces(self, proportions: Proportions, features: Features) -> NDArray[np.float64]:
        """Its planes."""
        return planes.stretched(self.unit(features), proportions)


class Cylinder:
    """An upright cylinder; bent, it has the same volume and surface."""

    def cast(self, directions: NDArray[np.float64], proportions: Proportions, features: Features) -> Surface:
        """With its rims rounded."""
        rounding = _number(features, "edge_rounding") * min(proportions) / 2
        return cast_cylinder(directions, np.array(proportions), min(rounding, proportions[0] / 2))

    def content(self, proportions: Proportions, features: Features) -> tuple[float, float] | None:
        """Steiner's formulas for the round one, which Pappus' theorem carries over to the arc."""
        x, y, z = proportions
        if x != y:
            return None
        rounding = min(_number(features, "edge_rounding") * min(proportions) / 2, x / 2)
        radius, length = x / 2 - rounding, z - 2 * rounding
        volume, surface = math.pi * radius * radius * length, 2 * math.pi * radius * (radius + length)
        return _parallel_body(volume, surface, math.pi * (length + math.pi * radius), rounding)

    def faces(self, proportions: Proportions, _features: Features) -> NDArray[np.float64]:
        """Its lower and upper end; None of a long one, which does not stand."""
        x, y, z = proportions
        if z > max(x, y):
            return np.empty((0, 4))
        return np.array([[0.0, 0.0, 1.0, z / 2], [0.0, 0.0, -1.0, z / 2]])


class Raspberry:
    """Grains on a sphere."""

    def cast(self, directions: NDArray[np.float64], proportions: Proportions, features: Features) -> Surface:
        """Grains in a common distance from the middle, so large that neighbours reach into each other."""
        count = int(_number(features, "grains"))
        # That many circles of this radius would cover 4 / 5 of the unit sphere, about what stays of a random cover.
        radius = math.sqrt(3.2 / count) / (1 - _number(features, "grain_overlap") / 2)
        radius = float(np.float32(radius / 2 / (1 + radius)))
        centres = planes.spread_directions(count, np.uint64(int(_number(features, "shape_seed")))) * (0.5 - radius)
        return cast_grains(directions, np.array(proportions), centres, radius)

    def content(self, _proportions: Proportions, _features: Features) -> None:
        """No formula."""

    def faces(self, _proportions: Proportions, _features: Features) -> NDArray[np.float64]:
        """None."""
        return np.empty((0, 4))


def _number(features: Features, name: str) -> float:
    return float(features.get(name, 0.0))  # type: ignore[arg-type]


def _rounding(features: Features, proportions: Proportions, faces: NDArray[np.float64]) -> float:
    nearest = float(faces[:, 3].min())
    return min(_number(features, "edge_rounding") * min(proportions) / 2, LARGEST_ROUNDING * nearest)


def _parallel_body(volume: float, surface: float, curvature: float, distance: float) -> tuple[float, float]:
    """Volume and surface of all that is within a distance of a convex body, by Steiner's formula.

    `curvature` is the integral of its mean curvature.
    """
    ball = 4 / 3 * math.pi * distance * distance * distance
    return (
        volume + surface * distance + curvature * distance * distance + ball,
        surface + 2 * curvature * distance + 4 * math.pi * distance * distance,
    )


def _box_content(proportions: Proportions, _features: Features, rounding: float) -> tuple[float, float]:
    x, y, z = (extent - 2 * rounding for extent in proportions)
    return _parallel_body(x * y * z, 2 * (x * y + y * z + z * x), math.pi * (x + y + z), rounding)


def _octahedron_content(proportions: Proportions, _features: Features, rounding: float) -> tuple[float, float] | None:
    """Eight triangles with corners at half extents."""
    x, y, z = (extent / 2 for extent in proportions)
    if rounding:
        return None
    return 4 / 3 * x * y * z, 4 * math.sqrt((x * y) * (x * y) + (y * z) * (y * z) + (z * x) * (z * x))


def _prism_content(proportions: Proportions, features: Features, rounding: float) -> tuple[float, float] | None:
    """A polygon with corners on an ellipse, times its height."""
    if rounding:
        return None
    sides = int(_number(features, "sides"))
    x, y, z = proportions
    angles = [2 * math.pi * corner / sides for corner in range(sides + 1)]
    corners = [(x / 2 * math.cos(angle), y / 2 * math.sin(angle)) for angle in angles]
    area = x * y * sides / 8 * math.sin(2 * math.pi / sides)
    around = sum(math.dist(a, b) for a, b in pairwise(corners))
    return area * z, 2 * area + around * z


def _no_content(_proportions: Proportions, _features: Features, _rounding: float) -> None:
    return None


def _polyhedron_planes(features: Features) -> NDArray[np.float64]:
    return planes.polyhedron_planes(int(_number(features, "faces")), int(_number(features, "shape_seed")))


SOLIDS: Final[dict[str, Solid]] = {
    "rough_sphere": Ellipsoid(),
    "rough_ellipsoid": Ellipsoid(),
    "cube": Polyhedron(lambda _features: planes.box_planes(), _box_content),
    "octahedron": Polyhedron(lambda _features: planes.octahedron_planes(), _octahedron_content),
    "prism": Polyhedron(lambda features: planes.prism_planes(int(_number(features, "sides"))), _prism_content),
    "polyhedron": Polyhedron(_polyhedron_planes, _no_content),
    "rod": Cylinder(),
    "bent_rod": Cylinder(),
    "raspberry": Raspberry(),
}
"""By geometry prototype."""
