"""Rods whose axis is an arc."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.model.errors import ShapeError
from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


MOST: Final = 0.95
"""Curvature times half the thickness at which cross-sections would meet is 1."""


def curvature_of(proportions: tuple[float, float, float], degrees: float) -> float:
    """Curvature of a rod along z whose direction changes by so much from end to end. Raises ShapeError."""
    thickness, _, length = proportions
    curvature = math.radians(degrees) / length
    if curvature * thickness / 2 > MOST:
        raise ShapeError(
            f"a rod {length / thickness:.2g} times as long as thick cannot be bent by {degrees:g} degrees;"
            " make it longer or bend it less"
        )
    return float(np.float32(curvature))


@kernel
def bend(points: NDArray[np.float64], normals: NDArray[np.float64], curvature: float) -> None:
    """Wind the z axis into an arc of `curvature` towards +x, in place.

    Cross-sections keep their shape and stand upright on the arc: by Pappus' theorem volume and side keep their size.
    """
    radius = 1.0 / curvature
    for v in range(len(points)):
        angle = points[v, 2] * curvature
        cosine, sine = float(np.float32(math.cos(angle))), float(np.float32(math.sin(angle)))
        inwards = points[v, 0] - radius
        points[v, 0], points[v, 2] = radius + inwards * cosine, -inwards * sine
        across, along = normals[v, 0], normals[v, 2]
        normals[v, 0], normals[v, 2] = across * cosine + along * sine, along * cosine - across * sine
