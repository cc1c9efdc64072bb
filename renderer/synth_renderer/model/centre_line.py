"""The centre line of a long body, which labels follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class CentreLine:
    """Axis of a body from end to end, in the frame of its mesh at scale 1; lengths in the mesh's unit."""

    points: NDArray[np.float64]
    """(K, 3), evenly spaced seen along the body's y axis."""
    length: float
    """From end to end along the line."""
    width: float
    """Mean thickness across the line, perpendicular to y."""
