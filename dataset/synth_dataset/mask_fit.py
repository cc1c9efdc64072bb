"""How well labels fit a picture: its edges along the masks' borders, where the masks are and where they are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMOOTHING: Final = 1.2
"""Standard deviation in px of the Gaussian before differences are taken."""
BORDER_LIMIT: Final = 40_000
"""Border pixels that are looked at; of more, every second, third, … is: it bounds the time."""
STRONG: Final = 5.0
"""An edge is strong when it is that many standard deviations of the picture's noise."""
CLIP: Final = 20.0
"""Edges count up to that many standard deviations, or a few bright particles would speak for all."""
NEAR: Final = tuple((x, y) for x in (-1, 0, 1) for y in (-1, 0, 1))
"""Shifts (right, down) in px that still are the masks' own place: defocus and shadow draw edges a little aside."""
ASIDE: Final = (3, 0), (-3, 0), (0, 3), (0, -3), (3, 3), (-3, -3), (3, -3), (-3, 3)
"""Shifts by which labels must not fit better."""
FAR: Final = tuple(
    (round(radius * float(np.cos(angle))), round(radius * float(np.sin(angle))))
    for radius, count in ((7, 8), (11, 12), (15, 16))
    for angle in np.arange(count) * 2 * np.pi / count
)
"""Shifts at which labels are as good as another picture's."""


TINY: Final = 1e-9
"""Stands for zero in a divisor: sums of edges are far above it."""


@dataclass(frozen=True)
class Fit:
    """How labels fit. Edge strength is the mean along the borders; gain is that at the place less its mean far away.

    z: gain of all borders in standard deviations over the far shifts.
    pull: best strength 3 px aside less that at the place, as a share of the gain.
    border: border pixels; evidence: strong edges of the picture per border pixel.
    """

    z: float
    pull: float
    border: int
    evidence: float


@dataclass(frozen=True)
class _Borders:
    """Pixels whose right or lower neighbour is of another id (M,), edges between all such neighbours (H, W)."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    edges: NDArray[np.float32]

    def strength(self, shift: tuple[int, int]) -> float:
        """Sum of edges along the labels' borders shifted by (right, down) px; the picture goes on beyond its frame."""
        rows = np.clip(self.rows + shift[1], 0, self.edges.shape[0] - 1)
        columns = np.clip(self.columns + shift[0], 0, self.edges.shape[1] - 1)
        return float(self.edges[rows, columns].sum(dtype=np.float64))


def measure(ids: NDArray[np.uint16], real: NDArray[np.uint8]) -> Fit | None:
    """Measure how labels (H, W), 0 for ground, fit a picture (H, W) or (H, W, 3); None when labels have no border."""
    border = _border_count(ids)
    if not border:
        return None
    across, down = edges(real)
    step = max(1, border // BORDER_LIMIT)
    right, low = _borders(ids, across, 1, step), _borders(ids, down, 0, step)
    near, aside, far = (
        np.array([right.strength(shift) + low.strength(shift) for shift in shifts]) for shifts in (NEAR, ASIDE, FAR)
    )
    gain = near.max() - far.mean()
    strong = int((across > STRONG).sum()) + int((down > STRONG).sum())
    return Fit(
        z=float(gain / max(far.std(), TINY)),
        pull=float((aside.max() - near.max()) / max(gain, TINY)),
        border=border,
        evidence=strong / border,
    )


def edges(real: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Edges to the right and to the lower neighbour (H, W) float32, in standard deviations of noise, up to CLIP.

    Of several channels the strongest. Noise is estimated as in Immerkær, Fast noise variance estimation (1996), by
    the median, and is at least half a grey level.
    """
    pairs = [_channel_edges(channel) for channel in np.moveaxis(real.reshape(*real.shape[:2], -1), 2, 0)]
    return np.maximum.reduce([a for a, _ in pairs]), np.maximum.reduce([b for _, b in pairs])


def _channel_edges(channel: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    residual = np.abs(cv2.filter2D(channel, cv2.CV_32F, kernel))
    noise = max(0.5, float(np.median(residual[::3, ::3])) / 0.6745 / 6)
    smooth = cv2.GaussianBlur(channel.astype(np.float32), (0, 0), SMOOTHING)
    scale = 1 / (noise * _DIFFERENCE_NOISE)
    across, down = np.zeros_like(smooth), np.zeros_like(smooth)
    across[:, :-1] = cv2.absdiff(smooth[:, 1:], smooth[:, :-1]) * scale
    down[:-1] = cv2.absdiff(smooth[1:], smooth[:-1]) * scale
    return np.minimum(across, CLIP), np.minimum(down, CLIP)


def _difference_noise() -> float:
    """Standard deviation of a smoothed picture's differences, of noise of one grey level."""
    line = cv2.getGaussianKernel(15, SMOOTHING).ravel()
    return float(np.sqrt((np.diff(line, prepend=0, append=0) ** 2).sum() * (line**2).sum()))


_DIFFERENCE_NOISE: Final = _difference_noise()


def _border_count(ids: NDArray[np.uint16]) -> int:
    return int((ids[:, 1:] != ids[:, :-1]).sum()) + int((ids[1:] != ids[:-1]).sum())


def _borders(ids: NDArray[np.uint16], edges: NDArray[np.float32], axis: int, step: int) -> _Borders:
    first, second = (ids[:, :-1], ids[:, 1:]) if axis == 1 else (ids[:-1], ids[1:])
    rows, columns = (found[::step] for found in np.nonzero(first != second))
    return _Borders(rows, columns, edges)
