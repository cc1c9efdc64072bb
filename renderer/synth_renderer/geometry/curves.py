"""Centre lines of fibres: smooth curves in the plane of x and z that rise along -y over what lies below them.

Lengths are in one unit of the caller's. The nodes of a curve are evenly spaced in the plane. Only + - x / sqrt in a
fixed order; cosine and sine are rounded to float32.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import draw_uniform, plane_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

LINE_NOISE_RMS: Final = 0.5111
"""Of `plane_noise` along a lattice line: sqrt(1/3) times the root of the mean of s^2 + (1 - s)^2, 0.78355."""
LOOP_RAMP: Final = 0.5
"""Share of a loop over which its curvature grows, and over which it decreases."""
MAX_LIFTS: Final = 4
"""Times that a curve is laid over itself and smoothed; each may lift what another crossing is measured from."""
MIN_SEPARATION: Final = 2.0
"""Distance along the curve from which two of its parts cross, widths; nearer ones are neighbours."""


class Curve(NamedTuple):
    """N nodes of a curve with a frame at each."""

    points: NDArray[np.float64]
    """(N, 3)."""
    across: NDArray[np.float64]
    """Unit vectors (N, 3) perpendicular to the curve, in the plane of x and z; +x where the curve goes along +z."""
    side: NDArray[np.float64]
    """Unit vectors (N, 3) perpendicular to both; +y where the curve does not rise."""
    along: NDArray[np.float64]
    """Unit tangents (N, 3)."""


@kernel
def draw_curvature(key: np.uint64, steps: int, length: float, turning: float, scale: float) -> NDArray[np.float64]:
    """Return the curvature (steps,), 1 / length, of a line of `length` between its nodes.

    `turning` is the rms of curvature times length, radians; `scale` the lattice step of the smooth random field that
    the curvature follows, in lengths.
    """
    curvature = np.empty(steps)
    strength = turning / (length * LINE_NOISE_RMS)
    for step in range(steps):
        curvature[step] = strength * plane_noise(key, (step + 0.5) / (steps * scale), 0.0)
    return curvature


@kernel
def add_loops(curvature: NDArray[np.float64], key: np.uint64, length: float, loops: int, size: float) -> None:
    """Turn the line once around in each of `loops` pieces of `size` lengths, to a random side; (steps,) in place.

    The line has as many equal parts as loops, with one at a random place in each. The curvature of a loop grows and
    decreases as 3 u^2 - 2 u^3 over LOOP_RAMP of it.
    """
    steps = len(curvature)
    for loop in range(loops):
        place = draw_uniform(key, np.uint64(2 * loop))
        begin = (loop + place * (1.0 - size * loops)) / loops
        side = 1.0 if draw_uniform(key, np.uint64(2 * loop + 1)) < 0.5 else -1.0
        strength = side * 2.0 * math.pi / (size * length * (1.0 - LOOP_RAMP))
        for step in range(steps):
            u = ((step + 0.5) / steps - begin) / size
            if 0.0 < u < 1.0:
                u = min(min(u, 1.0 - u) / LOOP_RAMP, 1.0)
                curvature[step] += strength * u * u * (3.0 - 2.0 * u)


@kernel
def limit_curvature(curvature: NDArray[np.float64], limit: float) -> None:
    """Bend the curvature (steps,) to k / sqrt(1 + (k / limit)^2), in place: it never reaches the limit."""
    for step in range(len(curvature)):
        k = curvature[step] / limit
        curvature[step] /= math.sqrt(1.0 + k * k)


@kernel
def integrate_curvature(
    curvature: NDArray[np.float64], length: float, begin: NDArray[np.float64], heading: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return x and z (N, 2) of the nodes of a line and its unit headings there, N = steps + 1.

    It begins at `begin` (2,) along `heading` (2,), a unit vector; positive curvature turns from +z towards +x.
    """
    steps = len(curvature)
    step = length / steps
    places, headings = np.empty((steps + 1, 2)), np.empty((steps + 1, 2))
    places[0], headings[0] = begin, heading
    angle = 0.0
    for k in range(steps):
        half = angle + 0.5 * step * curvature[k]
        angle += step * curvature[k]
        _turn(heading, half, headings[k + 1])
        places[k + 1, 0] = places[k, 0] + step * headings[k + 1, 0]
        places[k + 1, 1] = places[k, 1] + step * headings[k + 1, 1]
        _turn(heading, angle, headings[k + 1])
    return places, headings


@kernel
def _turn(heading: NDArray[np.float64], angle: float, result: NDArray[np.float64]) -> None:
    """Write a heading (2,) that is turned by `angle` from z towards x into `result` (2,), a unit vector again."""
    cosine, sine = float(np.float32(math.cos(angle))), float(np.float32(math.sin(angle)))
    x = heading[0] * cosine + heading[1] * sine
    z = heading[1] * cosine - heading[0] * sine
    size = math.sqrt(x * x + z * z)
    result[0], result[1] = x / size, z / size


@kernel
def align_chord(places: NDArray[np.float64], headings: NDArray[np.float64]) -> None:
    """Turn a line so that it ends in +z of its begin, and move the mean of its nodes to 0; (N, 2) each, in place.

    A line that ends where it begins is not turned.
    """
    nodes = len(places)
    x, z = places[nodes - 1, 0] - places[0, 0], places[nodes - 1, 1] - places[0, 1]
    chord = math.sqrt(x * x + z * z)
    cosine, sine = (z / chord, x / chord) if chord > 1e-9 else (1.0, 0.0)
    for array in (places, headings):
        for k in range(nodes):
            u, v = array[k, 0], array[k, 1]
            array[k, 0], array[k, 1] = cosine * u - sine * v, sine * u + cosine * v
    middle_x, middle_z = 0.0, 0.0
    for k in range(nodes):
        middle_x += places[k, 0] / nodes
        middle_z += places[k, 1] / nodes
    for k in range(nodes):
        places[k, 0] -= middle_x
        places[k, 1] -= middle_z


@kernel
def draw_width_factors(key: np.uint64, nodes: int, variation: float, scale: float, taper: float) -> NDArray[np.float64]:
    """Return the width at each node (nodes,) in parts of the nominal one: (1 + v n) (1 - t (2 s - 1)^2), at least 0.1.

    n is a smooth random field of rms 1 with a lattice step of `scale` lengths, v its rms `variation`, t the `taper`
    towards both ends, s = 0 … 1 along the line.
    """
    factors = np.empty(nodes)
    for k in range(nodes):
        s = k / (nodes - 1)
        noise = plane_noise(key, s / scale, 0.0) / LINE_NOISE_RMS
        off = 2.0 * s - 1.0
        factors[k] = max((1.0 + variation * noise) * (1.0 - taper * off * off), 0.1)
    return factors


@kernel
def lift_over_itself(
    places: NDArray[np.float64],
    support: NDArray[np.float64],
    widths: NDArray[np.float64],
    thickness: NDArray[np.float64],
    radius: float,
) -> NDArray[np.float64]:
    """Return the height (N,) of a line above `support` (N,) that lies over itself where it crosses.

    places (N, 2): the nodes from above; widths and thickness (N,) of the body there. Later parts lie over earlier ones.
    The height is the lowest that descends with the `radius` of curvature, the envelope of parabolas d^2 / (2 radius),
    twice averaged over a width, so that it meets level ground without a bend.
    """
    nodes = len(places)
    step = math.sqrt((places[1, 0] - places[0, 0]) ** 2 + (places[1, 1] - places[0, 1]) ** 2)
    height = _smooth_descent(support, step, radius)
    for _ in range(MAX_LIFTS):
        raised = False
        wanted = support.copy()
        for j in range(nodes):
            for i in range(j):
                near = 0.5 * (widths[i] + widths[j])
                if (j - i) * step <= MIN_SEPARATION * near:
                    break
                x, z = places[j, 0] - places[i, 0], places[j, 1] - places[i, 1]
                if x * x + z * z < near * near:
                    wanted[j] = max(wanted[j], height[i] + 0.5 * (thickness[i] + thickness[j]))
            raised = raised or wanted[j] > height[j] + 1e-9
        if not raised:
            break
        height = np.maximum(height, _smooth_descent(wanted, step, radius))
    return _smooth_bends(height, math.ceil(0.5 * widths[nodes // 2] / step))


@kernel
def _smooth_descent(wanted: NDArray[np.float64], step: float, radius: float) -> NDArray[np.float64]:
    """Return the largest of wanted[i] - d^2 / (2 radius) at each node (N,), d the distance along the line."""
    nodes = len(wanted)
    height = wanted.copy()
    lowest, highest = np.min(wanted), np.max(wanted)
    if highest == lowest:
        return height
    reach = math.ceil(math.sqrt(2.0 * radius * (highest - lowest)) / step)
    for i in range(nodes):
        for j in range(max(0, i - reach), min(nodes, i + reach + 1)):
            away = (j - i) * step
            height[j] = max(height[j], wanted[i] - away * away / (2.0 * radius))
    return height


@kernel
def _smooth_bends(height: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Return the heights (N,) twice averaged over 2 `reach` + 1 nodes; the line goes on level beyond its ends."""
    nodes = len(height)
    for _ in range(2):
        before = height
        height = np.empty(nodes)
        for k in range(nodes):
            total = 0.0
            for j in range(k - reach, k + reach + 1):
                total += before[min(max(j, 0), nodes - 1)]
            height[k] = total / (2 * reach + 1)
    return height


@kernel
def build_curve(places: NDArray[np.float64], headings: NDArray[np.float64], height: NDArray[np.float64]) -> Curve:
    """Return the curve of nodes at x and z (N, 2), -y = height (N,), with frames that turn with its rise."""
    nodes = len(places)
    points, across = np.empty((nodes, 3)), np.zeros((nodes, 3))
    side, along = np.empty((nodes, 3)), np.empty((nodes, 3))
    for k in range(nodes):
        before, after = max(k - 1, 0), min(k + 1, nodes - 1)
        x, z = places[after, 0] - places[before, 0], places[after, 1] - places[before, 1]
        slope = (height[after] - height[before]) / max(math.sqrt(x * x + z * z), 1e-12)
        size = math.sqrt(1.0 + slope * slope)
        u, v = headings[k]
        points[k] = places[k, 0], -height[k], places[k, 1]
        across[k, 0], across[k, 2] = v, -u
        along[k] = u / size, -slope / size, v / size
        side[k] = slope * u / size, 1.0 / size, slope * v / size
    return Curve(points, across, side, along)


@kernel
def measure_length(points: NDArray[np.float64]) -> float:
    """Return the length of the line through points (N, 3)."""
    length = 0.0
    for k in range(len(points) - 1):
        square = 0.0
        for axis in range(3):
            square += (points[k + 1, axis] - points[k, axis]) ** 2
        length += math.sqrt(square)
    return length
