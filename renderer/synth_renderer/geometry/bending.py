"""Bent rods, with an arc as their axis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.model.errors import ShapeError
from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


MAX_BEND: Final = 0.95
"""Largest curvature times half the thickness; at 1 the cross-sections would meet."""


def compute_curvature(proportions: tuple[float, float, float], degrees: float) -> float:
    """Return the curvature (1 / length) of a rod along z whose direction changes by `degrees` from end to end.

    `proportions` are full extents, the result has their inverse unit and is rounded to float32. Raise ShapeError where
    the cross-sections would meet.
    """
    thickness, _, length = proportions
    curvature = math.radians(degrees) / length
    if curvature * thickness / 2 > MAX_BEND:
        raise ShapeError(
            f"a rod {length / thickness:.2g} times as long as thick cannot be bent by {degrees:g} degrees;"
            " make it longer or bend it less"
        )
    return float(np.float32(curvature))


@kernel
def bend_rod(points: NDArray[np.float64], normals: NDArray[np.float64], curvature: float) -> None:
    """Bend the z axis into an arc of `curvature` > 0 towards +x; points (V, 3) and normals (V, 3) change in place.

    Cross-sections keep their shape and stay perpendicular to the arc: by Pappus' theorem volume and lateral surface do
    not change. Cosine and sine are rounded to float32.
    """
    radius = 1.0 / curvature
    for v in range(len(points)):
        angle = points[v, 2] * curvature
        cosine, sine = float(np.float32(math.cos(angle))), float(np.float32(math.sin(angle)))
        inwards = points[v, 0] - radius
        points[v, 0], points[v, 2] = radius + inwards * cosine, -inwards * sine
        across, along = normals[v, 0], normals[v, 2]
        normals[v, 0], normals[v, 2] = across * cosine + along * sine, along * cosine - across * sine
