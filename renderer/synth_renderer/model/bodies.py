"""The particles' evaluated geometry: shared meshes, one placement each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from synth_renderer.model.mesh import Mesh


@dataclass(frozen=True)
class Bodies:
    """N placed bodies: world = rotate(quaternion, scale * vertex) + location.

    mesh_index (N,) int32 into `meshes`; scales (N, 3), quaternions (N, 4) as w x y z, unit, locations (N, 3): float64,
    world frame, scene units; is_sphere (N,) bool: round, whatever its mesh (diameter = scale x mesh extent 1).
    """

    meshes: tuple[Mesh, ...]
    mesh_index: NDArray[np.int32]
    scales: NDArray[np.float64]
    quaternions: NDArray[np.float64]
    locations: NDArray[np.float64]
    is_sphere: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.mesh_index)
