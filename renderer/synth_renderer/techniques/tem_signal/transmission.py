"""What the beam meets on its way: mass, phase and crystals of all particles, summed along the path of each ray."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.labels.paths import find_paths
from synth_renderer.model.transforms import rotation_matrix
from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import PLANE_NOISE_RMS, plane_noise
from synth_renderer.techniques.tem_signal.crystals import multiply_by_passing_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.labels.paths import Paths
    from synth_renderer.model.bodies import Bodies
    from synth_renderer.model.camera import Camera
    from synth_renderer.techniques.tem_signal.substance import Substance

    Plane = NDArray[np.float32]

SAMPLES_PER_SIDE: Final = 2
"""Samples along each side of a pixel."""
TEXTURE_OCTAVES: Final = 3
"""Octaves of a particle's texture; those finer than a sample are left out."""


@dataclass(frozen=True)
class Transmission:
    """Means over the samples of each pixel, (H, W) float32 each."""

    intensity: Plane
    """Part of the beam that passes the particles, 0 … 1."""
    absorption: Plane
    """Exponent of the particles: the sum of absorption times path."""
    phase: Plane
    """Shift of the wave's phase by the particles, rad."""
    coverage: Plane
    """Share of the samples on particles, 0 … 1."""
    height: Plane
    """Mean height of the middles of the particles above the plane z = 0, scene units; 0 at samples without any."""


class _Sums:
    """Sums over the bodies at each sample, (H s, W s)."""

    def __init__(self, camera: Camera, per_side: int) -> None:
        assert camera.ortho_scale is not None
        shape = camera.height * per_side, camera.width * per_side
        self.step = camera.ortho_scale / max(shape)
        self.camera_height = camera.location[2]
        self.absorption, self.phase, self.middle, self.count = (np.zeros(shape, dtype=np.float32) for _ in range(4))
        self.passing = np.ones(shape, dtype=np.float32)

    def get_window(self, paths: Paths, plane: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the view of a plane at the samples of the paths."""
        height, width = paths.length.shape
        return plane[paths.top : paths.top + height, paths.left : paths.left + width]

    def find_corner(self, paths: Paths, centre: NDArray[np.float64]) -> tuple[float, float]:
        """Return x and y of the first sample from the centre (3,) of the body, scene units."""
        rows, columns = self.count.shape
        x = (paths.left + 0.5 - 0.5 * columns) * self.step - centre[0]
        return float(x), float((0.5 * rows - paths.top - 0.5) * self.step - centre[1])


def project_bodies(
    bodies: Bodies, shown: NDArray[np.bool_], substance: Substance, camera: Camera, per_side: int = SAMPLES_PER_SIDE
) -> Transmission:
    """Project the bodies `shown` (N,) bool along the axis of an orthographic camera that looks straight down.

    The mass of bodies that overlap adds up; memory grows with the picture, not with the number of bodies.
    """
    sums = _Sums(camera, per_side)
    for paths in find_paths(bodies, shown, camera, per_side):
        _add_body(sums, paths, bodies, substance)
    cores = replace(bodies, scales=bodies.scales * substance.core_sizes[:, None])
    for paths in find_paths(cores, shown & (substance.core_sizes > 0), camera, per_side):
        _add_core(sums, paths, substance)
    return Transmission(*_gather_pixels(sums.absorption, sums.phase, sums.passing, sums.middle, sums.count, per_side))


def _add_body(sums: _Sums, paths: Paths, bodies: Bodies, substance: Substance) -> None:
    body, (x, y) = paths.body, sums.find_corner(paths, bodies.locations[paths.body])
    _add_mass(
        sums.get_window(paths, sums.absorption), sums.get_window(paths, sums.phase),
        sums.get_window(paths, sums.middle), sums.get_window(paths, sums.count), paths.entry, paths.exit, paths.length,
        substance.absorptions[body], substance.phases[body], sums.camera_height,
        substance.textures[body], substance.texture_scales[body], substance.texture_keys[body], x, y, sums.step,
    )  # fmt: skip
    crystals = substance.crystals
    if crystals.contrasts[body] > 0:
        multiply_by_passing_share(
            sums.get_window(paths, sums.passing), paths.entry, paths.exit, paths.length,
            (x, y, sums.camera_height - bodies.locations[body, 2]), sums.step, substance.sizes[body],
            rotation_matrix(bodies.quaternions[body]), crystals.contrasts[body], crystals.extinctions[body],
            crystals.tilts[body], crystals.bends[body], crystals.grains[body], crystals.twins[body],
            crystals.keys[body],
        )  # fmt: skip


def _add_core(sums: _Sums, paths: Paths, substance: Substance) -> None:
    """Replace the shell by the core within the path through the core."""
    share = substance.core_absorptions[paths.body] - 1.0
    absorption, phase = sums.get_window(paths, sums.absorption), sums.get_window(paths, sums.phase)
    _add_length(absorption, paths.length, share * substance.absorptions[paths.body])
    _add_length(phase, paths.length, share * substance.phases[paths.body])


@kernel
def _add_length(total: NDArray[np.float32], length: NDArray[np.float64], factor: float) -> None:
    for row in range(total.shape[0]):
        for column in range(total.shape[1]):
            total[row, column] += factor * length[row, column]


@kernel
def _add_mass(
    absorption: NDArray[np.float32],
    phase: NDArray[np.float32],
    middle: NDArray[np.float32],
    count: NDArray[np.float32],
    entry: NDArray[np.float64],
    leaving: NDArray[np.float64],
    length: NDArray[np.float64],
    absorption_per_unit: float,
    phase_per_unit: float,
    camera_height: float,
    texture: float,
    texture_scale: float,
    texture_key: np.uint64,
    left: float,
    top: float,
    step: float,
) -> None:
    """Add a body at the samples (h, w) of its window, in place: 1 + texture is the factor on its density there."""
    for row in range(length.shape[0]):
        for column in range(length.shape[1]):
            if length[row, column] <= 0.0:
                continue
            path = length[row, column]
            if texture > 0.0:
                x, y = left + column * step, top - row * step
                path *= max(1.0 + texture * _evaluate_texture(texture_key, x, y, texture_scale, step), 0.0)
            absorption[row, column] += absorption_per_unit * path
            phase[row, column] += phase_per_unit * path
            middle[row, column] += camera_height - 0.5 * (entry[row, column] + leaving[row, column])
            count[row, column] += 1.0


@kernel
def _evaluate_texture(key: np.uint64, x: float, y: float, scale: float, step: float) -> float:
    """Return a fractal field of rms 1 at (x, y): octaves of half the length and 0.7 of the strength each."""
    value, power, strength = 0.0, 0.0, 1.0
    for octave in range(TEXTURE_OCTAVES):
        if octave > 0 and scale < step:
            break
        value += strength * plane_noise(key + np.uint64(octave), x / scale, y / scale)
        power += strength * strength
        scale, strength = 0.5 * scale, 0.7 * strength
    return value / (PLANE_NOISE_RMS * math.sqrt(power))


@kernel
def _gather_pixels(
    absorption: NDArray[np.float32],
    phase: NDArray[np.float32],
    passing: NDArray[np.float32],
    middle: NDArray[np.float32],
    count: NDArray[np.float32],
    per_side: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return intensity, absorption, phase, coverage and height of `Transmission`; the exponential is a float32."""
    rows, columns = absorption.shape[0] // per_side, absorption.shape[1] // per_side
    result = np.zeros((5, rows, columns), dtype=np.float32)
    share = 1.0 / (per_side * per_side)
    for row in range(rows):
        for column in range(columns):
            light, exponent, shift, covered, height = 0.0, 0.0, 0.0, 0, 0.0
            for y in range(row * per_side, (row + 1) * per_side):
                for x in range(column * per_side, (column + 1) * per_side):
                    if count[y, x] == 0.0:
                        light += 1.0
                        continue
                    mass = max(float(absorption[y, x]), 0.0)
                    light += float(np.float32(math.exp(-mass))) * passing[y, x]
                    exponent += mass
                    shift += phase[y, x]
                    covered += 1
                    height += middle[y, x] / count[y, x]
            result[0, row, column], result[1, row, column] = light * share, exponent * share
            result[2, row, column], result[3, row, column] = shift * share, covered * share
            result[4, row, column] = height * share
    return result[0], result[1], result[2], result[3], result[4]
