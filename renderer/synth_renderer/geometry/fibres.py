"""Fibres: tubes along smooth curves that may make loops and have branches.

A fibre consists of strands, the fibre itself and its branches. Proportions are the full extents of the straight fibre,
width x, thickness y and length z, with the product 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from synth_api.prototypes.geometries import SHAPES
from synth_renderer.geometry import curves, relief
from synth_renderer.geometry.shape_features import read_number
from synth_renderer.geometry.tubes import CAP_RINGS, build_tube, build_tube_triangles, sweep_tube
from synth_renderer.model.centre_line import CentreLine
from synth_renderer.model.errors import ShapeError
from synth_renderer.randomness.hashing import draw_uniform, draw_word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synth_renderer.geometry.shape_features import Features
    from synth_renderer.geometry.solids import Proportions

FIBRE: Final = "fibre"
"""Name of the geometry prototype."""
NODES: Final = 257
"""Nodes of a fibre's centre line."""
BRANCH_NODES: Final = 65
"""Nodes of the centre line of a branch."""
BRANCH_WIDTH: Final = 0.7
"""Width of a branch over that of the fibre where it begins."""
BRANCH_MARGIN: Final = 0.1
"""Share of the fibre at either end on which no branch begins."""
RANDOM_BEND: Final = 0.8
"""Curvature times half the width that random bends stay below, so that cross-sections do not meet."""
PIXELS_PER_QUAD: Final = 2.0
"""Width of the quads of a tube in pixels."""
MIN_SIDES, MAX_SIDES, MAX_RINGS = 8, 48, 1024


class Fineness(NamedTuple):
    """Fineness of a tube: quads around it and rings between its ends."""

    sides: int
    rings: int


@dataclass(frozen=True)
class Strand:
    """A fibre or a branch of one, seen along y; the lengths are relative to the particle's size."""

    places: NDArray[np.float64]
    """x and z (N, 2) of the nodes of its centre line."""
    headings: NDArray[np.float64]
    """Unit directions (N, 2) at the nodes."""
    factors: NDArray[np.float64]
    """Width at the nodes over the nominal width (N,)."""
    root: int
    """Node of the fibre at which a branch begins; -1 for the fibre itself."""
    length: float
    """Seen along y."""


class FibreSurface(NamedTuple):
    """Mesh of a fibre: points and unit normals (V, 3), triangles (T, 3), centre line, closed formulas."""

    points: NDArray[np.float64]
    normals: NDArray[np.float64]
    triangles: NDArray[np.int32]
    centre_line: CentreLine
    content: tuple[float, float] | None
    """Volume and surface of a smooth fibre of one width without branches; None of others."""
    correction: tuple[float, float]
    """Volume and surface of round cross-sections over those of the mesh."""


def trace_strands(proportions: Proportions, features: Features) -> list[Strand]:
    """Return the fibre and its branches. Raise ShapeError for loops that it has no room for."""
    seed = np.uint64(int(read_number(features, "shape_seed")))
    keys = [np.uint64(draw_word(seed, np.uint64(kind))) for kind in range(8, 12)]
    width, _, length = proportions
    turn = math.radians(read_number(features, "curvature"))
    curvature = curves.draw_curvature(keys[0], NODES - 1, length, turn, read_number(features, "curvature_scale"))
    curves.limit_curvature(curvature, RANDOM_BEND / (width / 2))
    loops = int(read_number(features, "loops"))
    if loops:
        _require_room_for_loops(proportions, loops, read_number(features, "loop_size"))
        curves.add_loops(curvature, keys[1], length, loops, read_number(features, "loop_size") * width / length)
    places, headings = curves.integrate_curvature(curvature, length, np.zeros(2), np.array([0.0, 1.0]))
    curves.align_chord(places, headings)
    factors = curves.draw_width_factors(
        keys[2],
        NODES,
        read_number(features, "width_variation"),
        read_number(features, "width_scale"),
        read_number(features, "taper"),
    )
    fibre = Strand(places, headings, factors, -1, length)
    count = int(read_number(features, "branches"))
    return [fibre, *(_trace_branch(fibre, proportions, features, keys[3], number) for number in range(count))]


def _require_room_for_loops(proportions: Proportions, loops: int, size: float) -> None:
    width, _, length = proportions
    if loops * size * width > length:
        smallest, room = SHAPES[FIBRE].features["loop_size"].minimum or 0.0, length / width
        fits = room / loops >= smallest
        remedy = f"loop_size at most {room / loops:.3g}" if fits else f"loops at most {int(room / smallest)}"
        raise ShapeError(
            f"a fibre {room:.3g} times as long as wide is too short for loops of {size:g} widths"
            f" (loops: {loops}); make it longer, or {remedy}"
        )


def _trace_branch(fibre: Strand, proportions: Proportions, features: Features, key: np.uint64, number: int) -> Strand:
    """Return a branch that leaves the fibre at `branch_angle` to a random side, and bends away from it."""
    own = np.uint64(draw_word(key, np.uint64(number)))
    place = BRANCH_MARGIN + (1 - 2 * BRANCH_MARGIN) * float(draw_uniform(own, np.uint64(0)))
    root = round(place * (NODES - 1))
    side = 1.0 if draw_uniform(own, np.uint64(1)) < 0.5 else -1.0
    length = read_number(features, "branch_length") * proportions[2]
    angle = side * math.radians(read_number(features, "branch_angle"))
    cosine, sine = float(np.float32(math.cos(angle))), float(np.float32(math.sin(angle)))
    x, z = fibre.headings[root]
    heading = np.array([x * cosine + z * sine, z * cosine - x * sine])
    heading /= math.sqrt(heading[0] * heading[0] + heading[1] * heading[1])
    turning = math.radians(read_number(features, "curvature")) * read_number(features, "branch_length")
    scale = max(read_number(features, "curvature_scale") / read_number(features, "branch_length"), 0.05)
    curvature = curves.draw_curvature(np.uint64(draw_word(own, np.uint64(2))), BRANCH_NODES - 1, length, turning, scale)
    curves.limit_curvature(curvature, RANDOM_BEND / (proportions[0] / 2))
    places, headings = curves.integrate_curvature(curvature, length, fibre.places[root].copy(), heading)
    taper = read_number(features, "taper") * np.linspace(0.0, 1.0, BRANCH_NODES) ** 2
    factors = np.maximum(BRANCH_WIDTH * fibre.factors[root] * (1 - taper), 0.1)
    return Strand(places, headings, factors, root, length)


def rise_strands(
    strands: Sequence[Strand], proportions: Proportions, features: Features, support: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Return the height (N,) of each strand's centre line above that of the fibre on level ground.

    `support` has the height of what is below each node of the strands, one strand after another; empty for nothing.
    """
    width, thickness, _ = proportions
    radius = read_number(features, "stiffness") * width
    ends = np.cumsum([len(strand.places) for strand in strands])[:-1]
    parts = np.split(support if len(support) else np.zeros(sum(len(s.places) for s in strands)), ends)
    heights: list[NDArray[np.float64]] = []
    for strand, part in zip(strands, parts, strict=True):
        wanted = np.ascontiguousarray(part)
        if strand.root >= 0:
            # A branch begins on the axis of the fibre.
            near = max(int(BRANCH_NODES * width / strand.length), 1)
            wanted[:near] = np.maximum(wanted[:near], heights[0][strand.root])
        widths, thicknesses = width * strand.factors, thickness * strand.factors
        heights.append(curves.lift_over_itself(strand.places, wanted, widths, thicknesses, radius))
    return heights


def build_fibre(
    proportions: Proportions, features: Features, fineness: Fineness, support: NDArray[np.float64]
) -> FibreSurface:
    """Return the surface of a fibre that lies over itself and `support`, see `rise_strands`.

    Raise ShapeError for an impossible one.
    """
    strands = trace_strands(proportions, features)
    heights = rise_strands(strands, proportions, features, support)
    tubes, starts, has_relief = [], 0, False
    centre_line, content = None, None
    for strand, height in zip(strands, heights, strict=True):
        curve = curves.build_curve(strand.places, strand.headings, height)
        rings = max(round(fineness.rings * strand.length / proportions[2]), 4)
        points, normals = _build_straight_strand(strand, proportions, features, Fineness(fineness.sides, rings))
        triangles = build_tube_triangles(fineness.sides, rings + 2 * CAP_RINGS + 2)
        displacement = relief.compute_relief(points, normals, features)
        if displacement is not None:
            points, normals = relief.displace_surface(points, normals, triangles, displacement, np.array(proportions))
            has_relief = True
        sweep_tube(points, normals, strand.length, strand.factors, curve)
        tubes.append((points, normals, triangles + np.int32(starts)))
        starts += len(points)
        if centre_line is None:
            width = proportions[0] * math.fsum(strand.factors) / len(strand.factors)
            centre_line = CentreLine(curve.points, curves.measure_length(curve.points), width)
    assert centre_line is not None
    is_plain = not has_relief and len(strands) == 1 and bool((strands[0].factors == 1).all())
    if is_plain and proportions[0] == proportions[1]:
        content = _measure_round_rod(proportions[0], centre_line.length, read_number(features, "edge_rounding"))
    points, normals, triangles = (np.concatenate(parts) for parts in zip(*tubes, strict=True))
    turn = 2 * math.pi / fineness.sides
    correction = float(np.float32(turn / math.sin(turn))), float(np.float32(turn / 2 / math.sin(turn / 2)))
    return FibreSurface(points, normals, triangles, centre_line, content, correction)


def _build_straight_strand(
    strand: Strand, proportions: Proportions, features: Features, fineness: Fineness
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    width, thickness, _ = proportions
    rounding = read_number(features, "edge_rounding")
    return build_tube(width, thickness, strand.length, rounding, fineness.sides, fineness.rings)


def _measure_round_rod(width: float, length: float, edge_rounding: float) -> tuple[float, float]:
    """Return volume and surface of a round rod of `length` whose axis is bent, by Steiner's and Pappus' theorems."""
    rounding = min(edge_rounding * width / 2, length / 2)
    radius, tall = width / 2 - rounding, length - 2 * rounding
    volume, surface = math.pi * radius * radius * tall, 2 * math.pi * radius * (radius + tall)
    curvature = math.pi * (tall + math.pi * radius)
    ball = 4 / 3 * math.pi * rounding * rounding * rounding
    return (
        volume + surface * rounding + curvature * rounding * rounding + ball,
        surface + 2 * curvature * rounding + 4 * math.pi * rounding * rounding,
    )


def choose_tube_fineness(proportions: Proportions, extent_px: float) -> Fineness:
    """Return the fineness for a fibre with sqrt(length x width) = `extent_px` pixels."""
    width, _, length = proportions
    aspect = math.sqrt(length / width)
    sides = round(math.pi * extent_px / aspect / PIXELS_PER_QUAD)
    return Fineness(
        min(max(sides, MIN_SIDES), MAX_SIDES), min(max(round(extent_px * aspect / PIXELS_PER_QUAD), 16), MAX_RINGS)
    )
