"""How well labels fit a picture: its features along the masks' borders, where the masks are and where they are not.

A border pixel counts by rank alone: the share of places further along its own row or column, 3 to 9 px to both sides,
at which the picture changes less than at the border. So one bright particle cannot speak for all, and a particle as
bright as the ground counts by its faint rim as much as another by a strong one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMOOTHING: Final = 1.0
"""Standard deviation in px of the Gaussian before differences are taken."""
BORDER_LIMIT: Final = 40_000
"""Border pixels that are looked at; of more, every second, third, … is: it bounds the time."""
STRONG: Final = 5.0
"""An edge is strong when it is that many standard deviations of the picture's noise."""
REACH: Final = 9
"""Farthest place, px, that a border pixel is compared with."""
CLEAR: Final = 3
"""Nearest such place; defocus and shadow draw edges a little aside, so the best within 1 px is the border's own."""
ASIDE: Final = (3, 0), (-3, 0), (0, 3), (0, -3), (3, 3), (-3, -3), (3, -3), (-3, 3)
"""Shifts (right, down) in px by which labels must not fit better."""
FAR: Final = tuple(
    (round(radius * float(np.cos(angle))), round(radius * float(np.sin(angle))))
    for radius, count in ((13, 12), (19, 16), (26, 20))
    for angle in (np.arange(count) + 0.5) * 2 * np.pi / count
)
"""Shifts at which labels are as good as another picture's."""
TINY: Final = 1e-9
"""Stands for zero in a divisor."""


@dataclass(frozen=True)
class Fit:
    """How labels fit, by the mean rank of their border pixels.

    gain: rank at the labels' place less the median far away; 0 for labels of another picture, about 0.4 at best.
    lead: gain over that of the best place far away; 1 and more is the best place of all.
    pull: rank at the best place 3 px aside less that at the labels' place, as a share of the gain.
    border: border pixels; evidence: strong edges of the picture per border pixel.
    """

    gain: float
    lead: float
    pull: float
    border: int
    evidence: float


@dataclass(frozen=True)
class _Borders:
    """Pixels whose right or lower neighbour is of another id (M,), ranks between all such neighbours (H, W)."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    ranks: NDArray[np.float32]

    def rank(self, shift: tuple[int, int]) -> tuple[float, int]:
        """Sum of the ranks along the borders shifted by (right, down) px, and how many of them are in the picture."""
        rows, columns = self.rows + shift[1], self.columns + shift[0]
        height, width = self.ranks.shape
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        found = self.ranks[rows[inside], columns[inside]]
        return float(found.sum(dtype=np.float64)), len(found)


def measure(ids: NDArray[np.uint16], real: NDArray[np.uint8]) -> Fit | None:
    """Measure how labels (H, W), 0 for ground, fit a picture (H, W) or (H, W, 3); None when labels have no border."""
    border = _border_count(ids)
    if not border:
        return None
    step = max(1, border // BORDER_LIMIT)
    channels = np.moveaxis(real.reshape(*real.shape[:2], -1), 2, 0)
    across = np.maximum.reduce([_changes(_smooth(channel)) for channel in channels])
    down = np.maximum.reduce([_changes(_smooth(channel).T) for channel in channels])
    sides = _borders(ids, _ranks(across), 1, step), _borders(ids, _ranks(down).T, 0, step)
    here = _mean_rank(sides, (0, 0))
    aside = max(_mean_rank(sides, shift) for shift in ASIDE)
    far = np.array([_mean_rank(sides, shift) for shift in FAR])
    gain = here - float(np.median(far))
    return Fit(
        gain=gain,
        lead=gain / max(float(far.max() - np.median(far)), TINY),
        pull=(aside - here) / max(gain, TINY),
        border=border,
        evidence=_strong_edges(channels) / border,
    )


def _mean_rank(sides: tuple[_Borders, _Borders], shift: tuple[int, int]) -> float:
    totals = [side.rank(shift) for side in sides]
    return sum(total for total, _ in totals) / max(sum(count for _, count in totals), 1)


def _smooth(channel: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(channel.astype(np.float32), (0, 0), SMOOTHING), dtype=np.float32)


def _changes(smooth: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much (H, W) happens between each pixel and its right neighbour: edges and lines alike.

    The root of slope^2 + curvature^2; a slope alone is nothing on the dark line where two particles touch.
    """
    change = np.zeros(smooth.shape, np.float32)
    slope = smooth[:, 2:-1] - smooth[:, 1:-2]
    bend = (smooth[:, 3:] - smooth[:, 2:-1] - smooth[:, 1:-2] + smooth[:, :-3]) / 2
    change[:, 1:-2] = np.sqrt(slope * slope + bend * bend)
    return change


def _ranks(change: NDArray[np.float32]) -> NDArray[np.float32]:
    """Share (H, W) of the places CLEAR to REACH px to the left and right at which less happens than within 1 px."""
    width = change.shape[1]
    padded = np.pad(change, ((0, 0), (REACH, REACH)), mode="edge")

    def moved(shift: int) -> NDArray[np.float32]:
        return np.asarray(padded[:, REACH + shift : REACH + shift + width])

    near = np.maximum(np.maximum(moved(-1), moved(0)), moved(1))
    places = [shift for shift in range(-REACH, REACH + 1) if abs(shift) >= CLEAR]
    less = np.zeros(change.shape, np.uint8)
    for shift in places:
        less += moved(shift) < near
    return less.astype(np.float32) / np.float32(len(places))


def _strong_edges(channels: NDArray[np.uint8]) -> int:
    """Differences of neighbours above STRONG standard deviations of the noise, in the channel that has most."""
    most = 0
    for channel in channels:
        smooth, least = _smooth(channel), STRONG * _noise(channel) * _DIFFERENCE_NOISE
        count = sum(int((np.abs(np.diff(smooth, axis=axis)) > least).sum()) for axis in (0, 1))
        most = max(most, count)
    return most


def _noise(channel: NDArray[np.uint8]) -> float:
    """Standard deviation of the noise in grey levels, at least half of one, by the median of second differences.

    As in Immerkær, Fast noise variance estimation (1996).
    """
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    residual = np.abs(cv2.filter2D(channel, cv2.CV_32F, kernel))
    return max(0.5, float(np.median(residual[::3, ::3])) / 0.6745 / 6)


def _difference_noise() -> float:
    """Standard deviation of a smoothed picture's differences, of noise of one grey level."""
    line = cv2.getGaussianKernel(15, SMOOTHING).ravel()
    return float(np.sqrt((np.diff(line, prepend=0, append=0) ** 2).sum() * (line**2).sum()))


_DIFFERENCE_NOISE: Final = _difference_noise()


def _border_count(ids: NDArray[np.uint16]) -> int:
    return int((ids[:, 1:] != ids[:, :-1]).sum()) + int((ids[1:] != ids[:-1]).sum())


def _borders(ids: NDArray[np.uint16], ranks: NDArray[np.float32], axis: int, step: int) -> _Borders:
    first, second = (ids[:, :-1], ids[:, 1:]) if axis == 1 else (ids[:-1], ids[1:])
    rows, columns = (found[::step] for found in np.nonzero(first != second))
    return _Borders(rows, columns, ranks)
