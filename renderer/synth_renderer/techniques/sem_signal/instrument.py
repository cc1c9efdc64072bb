"""The whole instrument: every effect in the order in which the signal meets it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.randomness.hashing import normals
from synth_renderer.randomness.streams import Stream
from synth_renderer.techniques.base.feature_values import number
from synth_renderer.techniques.sem_signal import charging, counting, ground, scan, shadowing
from synth_renderer.techniques.sem_signal.cores import SOFTNESS, core_light
from synth_renderer.techniques.sem_signal.emission import Emission, gathered
from synth_renderer.techniques.sem_signal.samples import PER_SIDE, sampled
from synth_renderer.techniques.sem_signal.skin import Skin, roughened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synth_renderer.model.staged_scene import StagedScene
    from synth_renderer.techniques.sem_signal.emission import Pixels
    from synth_renderer.techniques.sem_signal.ground import Ground
    from synth_renderer.techniques.sem_signal.samples import Samples

    Plane = NDArray[np.float32]
    Selection = NDArray[np.bool_]

PLAIN_GROUND: Final = 0.15
"""Grey of a background material that this instrument knows nothing of."""


def recorded(scene: StagedScene, present: Selection, in_camera: Selection) -> Plane:
    """Grey (H, W), 0 … 1, of the bodies `in_camera` (N,); those only `present` cast their shadow."""
    signal = _Signal(scene, in_camera, present)
    signal.emit()
    signal.shade()
    signal.charge()
    return signal.detected()


@dataclass
class _Signal:
    """The picture on its way through the instrument; lengths in pixels."""

    scene: StagedScene
    in_camera: Selection
    present: Selection
    size: float = field(init=False)
    """Of a typical particle in the picture."""
    grey: Plane = field(init=False)
    coverage: Plane = field(init=False)
    height: Plane = field(init=False)
    """Of what the camera sees."""
    surroundings: Plane = field(init=False)
    """Height of what is there, seen or not."""

    def __getitem__(self, feature: str) -> float:
        return number(self.scene.technique.features, feature)

    def key(self, feature: str) -> np.uint64:
        """The stream of an effect."""
        return np.uint64(_stream(self.scene, feature).word())

    def emit(self) -> None:
        """Particles, ground and cores by their tilt."""
        scene, camera = self.scene, self.scene.technique.camera
        emission = Emission(
            self["edge_strength"],
            self["edge_cutoff"],
            self["edge_exponent"],
            self["detector_azimuth"],
            self["detector_asymmetry"],
        )
        levels = _levels(scene)
        samples = sampled(scene.bodies, self.in_camera, camera)
        self.size = _typical_size(scene, samples)
        roughened(samples, scene.bodies, _skin(scene), camera, _skin_keys(scene))
        pixels = gathered(samples, levels, emission, PER_SIDE)
        below = _ground(scene)
        self.coverage = pixels.coverage
        self.grey = pixels.signal + (np.float32(1) - pixels.coverage) * below.emitting(emission)
        self._add_cores(levels, samples.ids[::PER_SIDE, ::PER_SIDE])
        self.height = self.surroundings = _height(scene, pixels, below)
        if (self.present != self.in_camera).any():
            there = gathered(sampled(scene.bodies, self.present, camera), levels, emission, PER_SIDE)
            self.surroundings = _height(scene, there, below)

    def _add_cores(self, levels: NDArray[np.float64], ids: NDArray[np.uint16]) -> None:
        sizes = _particle_feature(self.scene, "core_size", 0.0)
        if sizes.any():
            greys = levels * _particle_feature(self.scene, "core_brightness", 0.0)
            self.grey += core_light(self.scene.bodies, self.in_camera, sizes, greys, ids, self.scene.technique.camera,
                                    SOFTNESS * self.size)  # fmt: skip

    def shade(self) -> None:
        """Height, shadows of the surroundings, creases and ridges."""
        if self["height_contrast"] > 0:
            shadowing.darken_with_depth(self.grey, self.height, self["height_contrast"])
        for feature, widths in (("shadowing", shadowing.SURROUNDINGS), ("crevice_shadowing", shadowing.RELIEF)):
            if self[feature] > 0:
                lost = shadowing.obstruction(self.height, self.surroundings, self._pixels(widths))
                shadowing.attenuate(self.grey, lost, self[feature])
        if self["ridge_brightening"] > 0:
            standing_out = shadowing.prominence(self.height, self._pixels(shadowing.RELIEF))
            self.grey *= 1 + np.float32(self["ridge_brightening"]) * standing_out

    def _pixels(self, widths: Sequence[float]) -> list[float]:
        """Widths in typical particle sizes as pixels, at least 1."""
        return [max(width * self.size, 1.0) for width in widths]

    def charge(self) -> None:
        """Halo and streaks."""
        if self["halo"]:
            charging.add_halo(self.grey, self.coverage, self["halo"], self["halo_width"] * self.size)
        if self["streaks"]:
            lines = normals(self.key("streaks"), len(self.grey))
            charging.add_streaks(self.grey, self.coverage, lines, self["streaks"], 2.0 * self.size)

    def detected(self) -> Plane:
        """Focus, drift, gain, noise and the digitiser's range."""
        focal = self["focus_height"] * float(self.height.max())
        off_focus = np.abs(self.height - np.float32(focal))
        grey = scan.focused(self.grey, off_focus, self["beam_blur"], self["defocus"])
        if self["drift"] > 0:
            grey = scan.drifted(grey, self.key("drift"), self["drift"])
        grey = np.asarray(grey * np.float32(self._gain(grey)))
        if self["electrons"] > 0:
            counting.add_shot_noise(grey, self.key("electrons"), self["electrons"], self["noise_correlation"])
        if self["line_noise"] > 0:
            counting.add_line_noise(grey, self.key("line_noise"), self["line_noise"])
        black = np.float32(self["black_point"])
        return np.asarray(np.clip((grey - black) / (np.float32(1) - black), 0, 1))

    def _gain(self, grey: Plane) -> float:
        return charging.clipping_gain(grey, self.coverage, self["clipping"]) if self["clipping"] > 0 else self["gain"]


def _stream(scene: StagedScene, feature: str, object_name: str | None = None) -> Stream:
    return Stream(scene.seed, scene.technique.prototype, object_name or scene.technique.name, feature)


def _pixel(scene: StagedScene) -> float:
    size = scene.technique.camera.pixel_size
    assert size is not None
    return size


def _height(scene: StagedScene, pixels: Pixels, below: Ground) -> Plane:
    """Of bodies and the ground between them, pixels."""
    return pixels.height * np.float32(1 / _pixel(scene)) + (np.float32(1) - pixels.coverage) * below.height


def _particle_feature(scene: StagedScene, name: str, absent: float) -> NDArray[np.float64]:
    """A number of each particle (N,), `absent` where its material has none."""
    column = scene.features.get(name)
    if column is None:
        return np.full(len(scene), absent)
    return np.where(column.present, column.values, absent)


def _levels(scene: StagedScene) -> NDArray[np.float64]:
    """Grey of each particle's level facets (N,)."""
    features = scene.technique.features
    contrast, variation = number(features, "particle_contrast"), number(features, "particle_variation")
    own = np.array([_stream(scene, "particle_variation", name).normal() if variation else 0.0 for name in scene.names])
    level = (number(features, "ground_level") if "ground_level" in features else 0.0) + contrast
    factor = 1.0 + variation * np.clip(own, -2.5, 2.5).astype(np.float32)
    return np.asarray(np.maximum(level * factor * _particle_feature(scene, "brightness", 1.0), 0.0), dtype=np.float64)


def _sizes(scene: StagedScene) -> NDArray[np.float64]:
    """Mean extent of each body (N,), scene units."""
    extents = np.array([mesh.extents for mesh in scene.bodies.meshes]).reshape(-1, 3)
    x, y, z = (scene.bodies.scales * extents[scene.bodies.mesh_index]).T
    return np.asarray((x + y + z) / 3)


def _typical_size(scene: StagedScene, samples: Samples) -> float:
    """Median of the sizes of the bodies in the picture, pixels; a tenth of the frame when there is none."""
    seen = np.bincount(samples.ids[::PER_SIDE, ::PER_SIDE].ravel(), minlength=len(scene) + 1)[1:] > 0
    frame = max(scene.technique.camera.width, scene.technique.camera.height)
    return max(float(np.median(_sizes(scene)[seen])) / _pixel(scene), 2.0) if seen.any() else 0.1 * frame


def _skin(scene: StagedScene) -> Skin:
    return Skin(
        _particle_feature(scene, "roughness_slope", 0.0),
        _particle_feature(scene, "roughness_scale", 1.0) * np.maximum(_sizes(scene), 1e-6),
        _particle_feature(scene, "roughness_falloff", 3.0),
    )


def _skin_keys(scene: StagedScene) -> NDArray[np.uint64]:
    return np.array([_stream(scene, "roughness_slope", name).word() for name in scene.names], dtype=np.uint64)


def _ground(scene: StagedScene) -> Ground:
    technique = scene.technique
    height, width = technique.camera.height, technique.camera.width
    if technique.background_material == "sem_ground":
        features = {name: number(technique.features, name) for name in technique.features if name.startswith("ground_")}
        return ground.structured(features, height, width, lambda name: np.uint64(_stream(scene, name).word()))
    if technique.background_material == "sem_patchy_silicone":
        features = {name: number(technique.features, name) for name in ("patch_scale", "patch_seed")}
        return ground.patchy(features, height, width)
    return ground.plain(0.0 if technique.background_material == "vacuum" else PLAIN_GROUND, height, width)
