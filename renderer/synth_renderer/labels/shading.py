"""The generic studio look of the stylized modes: one light at the upper left, black outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.labels.fragments import Fragments, VisibleSurface
    from synth_renderer.labels.layers import Layers

BACKGROUND: Final = 13
AMBIENT: Final = 10.0
DIFFUSE: Final = 120.0
LIGHT: Final = (-0.4, 0.4, 0.84)
"""Towards the light, camera frame; made unit length where it is used."""


def shade(normal: NDArray[np.float32]) -> NDArray[np.float64]:
    """Grey level (…) of surfaces with unit normals (…, 3), camera frame: ambient + diffuse max(0, n . l)."""
    x, y, z = np.array(LIGHT) / np.sqrt(LIGHT[0] * LIGHT[0] + LIGHT[1] * LIGHT[1] + LIGHT[2] * LIGHT[2])
    cosine = normal[..., 0] * x + normal[..., 1] * y + normal[..., 2] * z
    return np.asarray(AMBIENT + DIFFUSE * np.maximum(cosine, 0.0))


def outlines(surface: VisibleSurface) -> NDArray[np.bool_]:
    """Pixels (H, W) beside which, to one of four sides, another body or the background lies deeper."""
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
def silhouette(
    start: NDArray[np.int64], pixel: NDArray[np.int32], width: int, height: int, shown: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Fragments (F,) of bodies `shown` beside which, to one of four sides in the picture, the body itself is not."""
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


def half_transparent(fragments: Fragments, layers: Layers, shown: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Grey level (H, W) of the bodies `shown` (N,) over the background, each covering half of what is behind it."""
    edge = silhouette(fragments.start, fragments.pixel, fragments.width, fragments.height, shown)
    grey = np.where(edge[layers.order], 0.0, shade(fragments.normal[layers.order]))
    return np.asarray(_composite(layers.start, grey).reshape(fragments.height, fragments.width))


@kernel
def _composite(start: NDArray[np.int64], grey: NDArray[np.float64]) -> NDArray[np.float64]:
    result = np.empty(len(start) - 1)
    for p in range(len(result)):
        total, rest = 0.0, 1.0
        for slot in range(start[p], start[p + 1]):
            rest *= 0.5
            total += rest * grey[slot]
        result[p] = total + rest * BACKGROUND
    return result
