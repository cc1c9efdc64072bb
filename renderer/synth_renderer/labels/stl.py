"""Placed meshes as binary STL (little-endian; 80 bytes of header, a count, 50 bytes per triangle)."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np

from synth_renderer.model.transforms import compute_world_vertices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synth_renderer.model.bodies import Bodies
    from synth_renderer.model.mesh import Mesh

HEADER: Final = b"synth-operator, scene units".ljust(80, b"\0")
"""80 bytes of free text."""
FACET: Final = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def write_stl(file: BinaryIO, bodies: Bodies, chosen: Sequence[int] | NDArray[np.int64]) -> None:
    """Write the placed meshes of the `chosen` bodies (numbers from 0), world frame, scene units, one after another."""
    surfaces = [_list_surface(bodies.meshes[bodies.mesh_index[body]]) for body in chosen]
    file.write(HEADER + np.uint32(sum(map(len, surfaces))).astype("<u4").tobytes())
    for body, triangles in zip(chosen, surfaces, strict=True):
        file.write(_pack_facets(compute_world_vertices(bodies, int(body)), triangles))


def _list_surface(mesh: Mesh) -> NDArray[np.int32]:
    """Return the triangles (T, 3) that are no walls."""
    return mesh.triangles[: len(mesh.triangles) - mesh.walls]


def _pack_facets(vertices: NDArray[np.float64], triangles: NDArray[np.int32]) -> bytes:
    """Return the facets of vertices (V, 3) and triangles (T, 3), 50 bytes each."""
    corners = vertices[triangles]
    facets = np.zeros(len(triangles), dtype=FACET)
    facets["corners"] = corners
    facets["normal"] = _compute_facet_normals(corners)
    return facets.tobytes()


def _compute_facet_normals(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the unit normals (T, 3) of corners (T, 3, 3); 0 for triangles without area, as the format allows."""
    (ax, ay, az), (bx, by, bz) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    normal = np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=1)
    x, y, z = normal.T
    length = np.sqrt(x * x + y * y + z * z)[:, None]
    return np.asarray(np.divide(normal, length, out=np.zeros_like(normal), where=length > 0))
