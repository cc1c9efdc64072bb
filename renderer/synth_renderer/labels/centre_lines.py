"""Centre lines of fibres in the picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from synth_dataset.documents.annotations import CentreLineNote
from synth_dataset.documents.keypoints import DECIMALS, HIDDEN, KEYPOINTS, VISIBLE
from synth_renderer.labels.projection import project_points, to_camera_frame
from synth_renderer.model.transforms import rotation_matrix, transform_points
from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.bodies import Bodies
    from synth_renderer.model.camera import Camera


def describe_centre_line(
    bodies: Bodies, body: int, camera: Camera, visible: NDArray[np.int32]
) -> CentreLineNote | None:
    """Return the longest part of a fibre's centre line within the picture; None for other bodies and without any.

    `visible` (P,) are the ascending flat indices of the pixels that show the body. The line begins at the end that is
    nearer to the upper left corner. A point is visible if one of the four pixels around it shows the body.
    """
    line = bodies.meshes[bodies.mesh_index[body]].centre_line
    if line is None:
        return None
    matrix = rotation_matrix(bodies.quaternions[body]) * bodies.scales[body]
    points = to_camera_frame(transform_points(line.points, matrix, bodies.locations[body]), camera)
    if not camera.is_orthographic and (points[:, 2] >= 0).any():
        return None
    places = _find_longest_part(project_points(points, camera)[:, :2], float(camera.width), float(camera.height))
    if len(places) < 2:
        return None
    spread, length = _spread_points(places, KEYPOINTS)
    seen = _find_visible_points(spread, visible, camera.width, camera.height)
    return CentreLineNote(
        points=tuple(
            (round(float(column), DECIMALS), round(float(row), DECIMALS), VISIBLE if is_seen else HIDDEN)
            for (column, row), is_seen in zip(spread, seen, strict=True)
        ),
        width=round(line.width * float(bodies.scales[body, 0]) * _measure_magnification(points, camera), DECIMALS),
        length=round(length, DECIMALS),
    )


def _measure_magnification(points: NDArray[np.float64], camera: Camera) -> float:
    """Return pixels per scene unit at the middle one of points (K, 3) of the camera frame."""
    middle = points[len(points) // 2]
    columns = project_points(np.array([middle, middle + np.array([1.0, 0.0, 0.0])]), camera)[:, 0]
    return float(columns[1] - columns[0])


@kernel
def _find_longest_part(line: NDArray[np.float64], width: float, height: float) -> NDArray[np.float64]:
    """Return the corners (M, 2) of the longest part of a line (K, 2) in a picture, column and row; (0, 2) without one.

    Segments are cut by the method of Y.-D. Liang and B. A. Barsky (ACM Transactions on Graphics 3, 1984).
    """
    part, best = np.empty((2 * len(line), 2)), np.empty((0, 2))
    count, length, longest = 0, 0.0, 0.0
    for k in range(len(line) - 1):
        begin, end = 0.0, 1.0
        for axis in range(2):
            step, limit = line[k + 1, axis] - line[k, axis], width if axis == 0 else height
            if step == 0.0:
                if line[k, axis] < 0.0 or line[k, axis] > limit:
                    end = -1.0
                continue
            first, second = -line[k, axis] / step, (limit - line[k, axis]) / step
            begin, end = max(begin, min(first, second)), min(end, max(first, second))
        if begin >= end:
            count, length = 0, 0.0
            continue
        if begin > 0.0:
            count, length = 0, 0.0
        x, y = line[k + 1, 0] - line[k, 0], line[k + 1, 1] - line[k, 1]
        if count == 0:
            part[0] = line[k, 0] + begin * x, line[k, 1] + begin * y
            count = 1
        part[count] = line[k, 0] + end * x, line[k, 1] + end * y
        count += 1
        length += (end - begin) * math.sqrt(x * x + y * y)
        if length > longest:
            longest = length
            best = part[:count].copy()
        if end < 1.0:
            count, length = 0, 0.0
    return best


@kernel
def _spread_points(line: NDArray[np.float64], count: int) -> tuple[NDArray[np.float64], float]:
    """Return `count` points (count, 2) at equal distances along a line (K, 2) from end to end, and its length."""
    corners = len(line)
    travelled = np.zeros(corners)
    for k in range(1, corners):
        x, y = line[k, 0] - line[k - 1, 0], line[k, 1] - line[k - 1, 1]
        travelled[k] = travelled[k - 1] + math.sqrt(x * x + y * y)
    length = travelled[corners - 1]
    first, last = line[0], line[corners - 1]
    is_reversed = last[0] * last[0] + last[1] * last[1] < first[0] * first[0] + first[1] * first[1]
    points, k = np.empty((count, 2)), 0
    for number in range(count):
        target = length * number / (count - 1)
        while k < corners - 2 and travelled[k + 1] < target:
            k += 1
        step = travelled[k + 1] - travelled[k]
        t = min((target - travelled[k]) / step, 1.0) if step > 0.0 else 0.0
        place = count - 1 - number if is_reversed else number
        for axis in range(2):
            points[place, axis] = line[k, axis] + t * (line[k + 1, axis] - line[k, axis])
    return points, length


def _find_visible_points(
    points: NDArray[np.float64], visible: NDArray[np.int32], width: int, height: int
) -> NDArray[np.bool_]:
    """Return True for points (K, 2) around which one of the four nearest pixels is among `visible`."""
    corner = np.floor(points - 0.5).astype(np.int64)
    seen = np.zeros(len(points), dtype=bool)
    for right in (0, 1):
        for below in (0, 1):
            column = np.clip(corner[:, 0] + right, 0, width - 1)
            row = np.clip(corner[:, 1] + below, 0, height - 1)
            seen |= np.isin(row * width + column, visible)
    return seen
