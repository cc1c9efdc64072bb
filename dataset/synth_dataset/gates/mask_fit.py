"""Fit of labels to a picture: image gradients along the borders of the masks, compared with those at shifted borders.

A border pixel counts by its rank: the share of places 3 to 9 px to both sides along its row or column at which the
picture changes less than at the border. Ranks are independent of contrast: one bright particle does not dominate, and a
faint rim counts as much as a strong edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMOOTHING_SIGMA: Final = 1.0
"""Standard deviation in px of the Gaussian that precedes the differences."""
MAX_BORDER_PIXELS: Final = 40_000
"""Bound on the time: of more border pixels only every second, third, … is ranked."""
MIN_EDGE_SIGMAS: Final = 5.0
"""Minimum height of a strong edge, in standard deviations of the noise."""
MAX_DISTANCE: Final = 9
"""Largest distance in px to the places that a border pixel is compared with."""
MIN_DISTANCE: Final = 3
"""Smallest such distance. The border counts with the largest change within 1 px: defocus and shadow shift edges."""
NEAR_SHIFTS: Final = (3, 0), (-3, 0), (0, 3), (0, -3), (3, 3), (-3, -3), (3, -3), (-3, 3)
"""Shifts (right, down) in px at which labels must not fit better."""
FAR_SHIFTS: Final = tuple(
    (round(radius * float(np.cos(angle))), round(radius * float(np.sin(angle))))
    for radius, count in ((13, 12), (19, 16), (26, 20))
    for angle in (np.arange(count) + 0.5) * 2 * np.pi / count
)
"""Shifts (right, down) in px at which labels are as unrelated as those of another picture."""
EPSILON: Final = 1e-9
"""Replaces zero in a divisor."""


@dataclass(frozen=True)
class MaskFit:
    """Fit of labels, by the mean rank of their border pixels.

    gain: rank without shift minus the median rank at FAR_SHIFTS; 0 for labels of another picture, at best about 0.4.
    lead: gain divided by that of the best far shift; 1 or more if no far shift is better.
    pull: rank at the best of NEAR_SHIFTS minus that without shift, divided by the gain.
    border: number of border pixels; evidence: strong edges of the picture per border pixel.
    """

    gain: float
    lead: float
    pull: float
    border: int
    evidence: float


@dataclass(frozen=True)
class _Borders:
    """Pixels whose right or lower neighbour has another id (M,), and ranks between all neighbours (H, W)."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    ranks: NDArray[np.float32]

    def sum_ranks(self, shift: tuple[int, int]) -> tuple[float, int]:
        """Return the sum of ranks along the borders shifted by (right, down) px, and the number of pixels inside."""
        rows, columns = self.rows + shift[1], self.columns + shift[0]
        height, width = self.ranks.shape
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        ranks = self.ranks[rows[inside], columns[inside]]
        return float(ranks.sum(dtype=np.float64)), len(ranks)


def measure_fit(ids: NDArray[np.integer[Any]], real: NDArray[np.uint8]) -> MaskFit | None:
    """Measure the fit of labels (H, W) to a picture (H, W) or (H, W, 3); None without a border."""
    border = _count_border_pixels(ids)
    if not border:
        return None
    step = max(1, border // MAX_BORDER_PIXELS)
    channels = np.moveaxis(real.reshape(*real.shape[:2], -1), 2, 0)
    across = np.maximum.reduce([_compute_changes(_smooth(channel)) for channel in channels])
    down = np.maximum.reduce([_compute_changes(_smooth(channel).T) for channel in channels])
    sides = _find_borders(ids, _compute_ranks(across), 1, step), _find_borders(ids, _compute_ranks(down).T, 0, step)
    here = _compute_mean_rank(sides, (0, 0))
    aside = max(_compute_mean_rank(sides, shift) for shift in NEAR_SHIFTS)
    far = np.array([_compute_mean_rank(sides, shift) for shift in FAR_SHIFTS])
    gain = here - float(np.median(far))
    return MaskFit(
        gain=gain,
        lead=gain / max(float(far.max() - np.median(far)), EPSILON),
        pull=(aside - here) / max(gain, EPSILON),
        border=border,
        evidence=_count_strong_edges(channels) / border,
    )


def _compute_mean_rank(sides: tuple[_Borders, _Borders], shift: tuple[int, int]) -> float:
    totals = [side.sum_ranks(shift) for side in sides]
    return sum(total for total, _ in totals) / max(sum(count for _, count in totals), 1)


def _smooth(channel: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(channel.astype(np.float32), (0, 0), SMOOTHING_SIGMA), dtype=np.float32)


def _compute_changes(smooth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the change (H, W) between each pixel and its right neighbour, sqrt(slope^2 + curvature^2).

    The slope alone is 0 on the dark line between two touching particles.
    """
    change = np.zeros(smooth.shape, np.float32)
    slope = smooth[:, 2:-1] - smooth[:, 1:-2]
    curvature = (smooth[:, 3:] - smooth[:, 2:-1] - smooth[:, 1:-2] + smooth[:, :-3]) / 2
    change[:, 1:-2] = np.sqrt(slope * slope + curvature * curvature)
    return change


def _compute_ranks(change: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the share (H, W) of places to the left and right at which the picture changes less than within 1 px."""
    width = change.shape[1]
    padded = np.pad(change, ((0, 0), (MAX_DISTANCE, MAX_DISTANCE)), mode="edge")

    def shift_columns(shift: int) -> NDArray[np.float32]:
        return np.asarray(padded[:, MAX_DISTANCE + shift : MAX_DISTANCE + shift + width])

    near = np.maximum(np.maximum(shift_columns(-1), shift_columns(0)), shift_columns(1))
    places = [shift for shift in range(-MAX_DISTANCE, MAX_DISTANCE + 1) if abs(shift) >= MIN_DISTANCE]
    less = np.zeros(change.shape, np.uint8)
    for shift in places:
        less += shift_columns(shift) < near
    return less.astype(np.float32) / np.float32(len(places))


def _count_strong_edges(channels: NDArray[np.uint8]) -> int:
    """Count differences of neighbours above MIN_EDGE_SIGMAS times the noise, in the channel with most of them."""
    count = 0
    for channel in channels:
        smooth, minimum = _smooth(channel), MIN_EDGE_SIGMAS * _estimate_noise(channel) * _DIFFERENCE_NOISE
        edges = sum(int((np.abs(np.diff(smooth, axis=axis)) > minimum).sum()) for axis in (0, 1))
        count = max(count, edges)
    return count


def _estimate_noise(channel: NDArray[np.uint8]) -> float:
    """Estimate the standard deviation of the noise in grey levels, at least 0.5, from second differences.

    After Immerkær, Fast noise variance estimation (1996): the kernel has the norm 6; 0.6745 is the median of |x| of a
    standard normal distribution. Every third pixel has an independent neighbourhood.
    """
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    residual = np.abs(cv2.filter2D(channel, cv2.CV_32F, kernel))
    return max(0.5, float(np.median(residual[::3, ::3])) / 0.6745 / 6)


def _compute_difference_noise() -> float:
    """Compute the standard deviation of differences of smoothed white noise of one grey level."""
    line = cv2.getGaussianKernel(15, SMOOTHING_SIGMA).ravel()
    return float(np.sqrt((np.diff(line, prepend=0, append=0) ** 2).sum() * (line**2).sum()))


_DIFFERENCE_NOISE: Final = _compute_difference_noise()


def _count_border_pixels(ids: NDArray[np.integer[Any]]) -> int:
    return int((ids[:, 1:] != ids[:, :-1]).sum()) + int((ids[1:] != ids[:-1]).sum())


def _find_borders(ids: NDArray[np.integer[Any]], ranks: NDArray[np.float32], axis: int, step: int) -> _Borders:
    first, second = (ids[:, :-1], ids[:, 1:]) if axis == 1 else (ids[:-1], ids[1:])
    rows, columns = (found[::step] for found in np.nonzero(first != second))
    return _Borders(rows, columns, ranks)
