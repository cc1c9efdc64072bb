"""STL files, read by an independent reader."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from synth_renderer.labels.stl import write_stl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synth_renderer.model.bodies import Bodies


def write(bodies: Bodies, chosen: Sequence[int]) -> bytes:
    file = io.BytesIO()
    write_stl(file, bodies, chosen)
    return file.getvalue()


def read(content: bytes) -> NDArray[np.float64]:
    """Normal and three corners of each triangle, (T, 4, 3)."""
    (count,) = struct.unpack_from("<I", content, 80)
    assert len(content) == 84 + 50 * count
    facets = [struct.unpack_from("<12f", content, 84 + 50 * n) for n in range(count)]
    return np.array(facets, dtype=np.float64).reshape(-1, 4, 3)


def measure_volume(facets: NDArray[np.float64]) -> float:
    a, b, c = facets[:, 1:].transpose(1, 0, 2)
    return float((a * np.cross(b, c)).sum() / 6)


def test_a_placed_ellipsoid_keeps_volume_and_centre(stones: Bodies) -> None:
    facets = read(write(stones, [0]))
    size = stones.scales[0] * (1, 1, 0.5)
    assert measure_volume(facets) == pytest.approx(np.pi / 6 * size.prod(), rel=0.01)
    np.testing.assert_allclose(facets[:, 1:].mean(axis=(0, 1)), stones.locations[0], atol=0.05)


def test_normals_are_unit_and_outward(stones: Bodies) -> None:
    facets = read(write(stones, [1, 3]))
    a, b, c = facets[:, 1:].transpose(1, 0, 2)
    facet = np.cross(b - a, c - a)
    np.testing.assert_allclose(facets[:, 0], facet / np.linalg.norm(facet, axis=1, keepdims=True), atol=1e-3)


def test_bodies_in_one_file_are_their_single_files_in_a_row(stones: Bodies) -> None:
    together = write(stones, [2, 5])
    assert together[84:] == write(stones, [2])[84:] + write(stones, [5])[84:]
    assert not together.startswith(b"solid")


def test_no_bodies_are_an_empty_file_of_no_triangles(place_spheres: Any) -> None:
    assert read(write(place_spheres([], []), [])).shape == (0, 4, 3)


def test_a_flat_body_has_facets_without_nan(place_spheres: Any) -> None:
    assert np.isfinite(read(write(place_spheres([(0, 0, 0)], [0.0], level=0), [0]))).all()
