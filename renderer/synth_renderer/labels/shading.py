"""Look of the stylized modes: one light at the upper left, black outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.labels.fragments import Fragments, VisibleSurface
    from synth_renderer.labels.layers import Layers

BACKGROUND: Final = 13
"""Grey level of the background, 0 … 255."""
AMBIENT: Final = 10.0
"""Grey level of a surface that faces away from the light."""
DIFFUSE: Final = 120.0
"""Grey levels that a surface facing the light adds."""
LIGHT: Final = (-0.4, 0.4, 0.84)
"""Direction towards the light, camera frame, not normalised."""
TRANSMISSION: Final = 0.5
"""Share of the light that a half transparent body lets through."""


def shade_normals(normal: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the grey level (…) of surfaces with unit normals (…, 3), camera frame: ambient + diffuse max(0, n . l)."""
    x, y, z = np.array(LIGHT) / np.sqrt(LIGHT[0] * LIGHT[0] + LIGHT[1] * LIGHT[1] + LIGHT[2] * LIGHT[2])
    cosine = normal[..., 0] * x + normal[..., 1] * y + normal[..., 2] * z
    return np.asarray(AMBIENT + DIFFUSE * np.maximum(cosine, 0.0))


def find_outlines(surface: VisibleSurface) -> NDArray[np.bool_]:
    """Return the outlines (H, W) bool: pixels with a deeper body or background at one of their four sides."""
    ids, depth = surface.ids, surface.depth
    edge = np.zeros(ids.shape, dtype=bool)
    for here, there in _NEIGHBOURS:
        edge[here] |= (ids[here] != ids[there]) & (depth[here] < depth[there])
        edge[there] |= (ids[here] != ids[there]) & (depth[there] < depth[here])
    return edge


_NEIGHBOURS: Final = (
    ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
    ((slice(None, -1), slice(None)), (slice(1, None), slice(None))),
)


@kernel
def find_silhouettes(
    start: NDArray[np.int64], pixel: NDArray[np.int32], width: int, height: int, shown: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return True for fragments (F,) of the bodies `shown` (N,) without their own body at one of their four sides.

    Beyond the picture's edge a body counts as going on. `owner` holds the last body entered at each pixel, so one array
    serves all bodies.
    """
    owner = np.full(width * height, -1, dtype=np.int32)
    edge = np.zeros(len(pixel), dtype=np.bool_)
    for body in np.flatnonzero(shown):
        for f in range(start[body], start[body + 1]):
            owner[pixel[f]] = body
        for f in range(start[body], start[body + 1]):
            p = pixel[f]
            column = p % width
            edge[f] = (
                (column > 0 and owner[p - 1] != body)
                or (column < width - 1 and owner[p + 1] != body)
                or (p >= width and owner[p - width] != body)
                or (p < width * (height - 1) and owner[p + width] != body)
            )
    return edge


def draw_half_transparent(fragments: Fragments, layers: Layers, shown: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the grey level (H, W) of the bodies `shown` (N,) over the background; each halves what is behind it."""
    edge = find_silhouettes(fragments.start, fragments.pixel, fragments.width, fragments.height, shown)
    grey = np.where(edge[layers.order], 0.0, shade_normals(fragments.normal[layers.order]))
    return np.asarray(_composite_layers(layers.start, grey).reshape(fragments.height, fragments.width))


@kernel
def _composite_layers(start: NDArray[np.int64], grey: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the grey level (H W,) of each pixel's layers, front to back: sum of 0.5^k grey_k plus what is left."""
    result = np.empty(len(start) - 1)
    for p in range(len(result)):
        total, rest = 0.0, 1.0
        for slot in range(start[p], start[p + 1]):
            rest *= TRANSMISSION
            total += rest * grey[slot]
        result[p] = total + rest * BACKGROUND
    return result
