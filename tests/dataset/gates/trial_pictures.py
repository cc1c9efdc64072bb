"""Pictures of shaded, overlapping discs with their true labels, and the faults labels can have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Kind:
    """A kind of picture: sizes in px, greys 0..255. Contrast is that of a particle against its ground."""

    name: str
    size: int = 128
    count: int = 25
    radius: tuple[float, float] = (8, 16)
    ground: float = 30
    contrast: float = 90
    rim: float = 60
    shadow: float = 0.5
    texture: float = 0
    noise: float = 6
    blur: float = 0.7
    colour: bool = False


KINDS = (
    Kind("bright discs on dark ground"),
    Kind("black ground, no shadow", ground=0, shadow=0, noise=3),
    Kind("as bright as the ground: rim and shadow alone", ground=110, contrast=0, rim=40),
    Kind("darker than the ground", ground=170, contrast=-80, rim=20),
    Kind("strong noise", noise=12),
    Kind("strong noise, rim and shadow alone", ground=110, contrast=0, rim=40, noise=12),
    Kind("strong defocus", blur=2),
    Kind("strong defocus and noise", blur=2, noise=12),
    Kind("one particle", count=1),
    Kind("three particles, strong noise", count=3, noise=12),
    Kind("five beads of 5 px", size=96, count=5, radius=(5, 5)),
    Kind("sixty beads of 5 px, strong defocus", size=96, count=60, radius=(5, 5), blur=2),
    Kind("a heap", size=128, count=160, radius=(7, 14)),
    Kind("textured ground", texture=12),
    Kind("coloured", colour=True),
    Kind("one bead at the noise limit", size=96, count=1, radius=(4, 5), contrast=8, rim=4, shadow=0.05, noise=12),
)
"""Varied on purpose: bright and dark, few and many, sharp and defocused, down to what can no longer be seen."""


@dataclass(frozen=True)
class Trial:
    """Labels (H, W) uint16, visible pixels per particle (N,) int64, picture (H, W) or (H, W, 3) uint8."""

    ids: NDArray[np.uint16]
    visible_px: NDArray[np.int64]
    real: NDArray[np.uint8]


@dataclass(frozen=True)
class Discs:
    """Where the discs are, the lowest first: centres and radii in px, a factor of brightness each."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    radius: NDArray[np.float64]
    tone: NDArray[np.float64]


def discs(kind: Kind, rng: np.random.Generator) -> Discs:
    """Draw the discs of a picture; all centres lie in it."""
    place = rng.uniform(0, kind.size, (2, kind.count))
    return Discs(place[0], place[1], rng.uniform(*kind.radius, kind.count), rng.uniform(0.7, 1.3, kind.count))


def labels(kind: Kind, scene: Discs) -> NDArray[np.uint16]:
    """Paint ids, the lowest disc first."""
    ids = np.zeros((kind.size, kind.size), np.uint16)
    for number, inside in enumerate(_insides(kind, scene), start=1):
        ids[inside <= 1] = number
    return ids


def visible(ids: NDArray[np.uint16], count: int) -> NDArray[np.int64]:
    """Count the pixels of ids 1..count."""
    return np.bincount(ids.ravel(), minlength=count + 1)[1:].astype(np.int64)


def picture(kind: Kind, scene: Discs, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Shade the discs: body, bright rim, shadow down right; then defocus, then noise."""
    shape = (kind.size, kind.size)
    grain = cv2.GaussianBlur(rng.normal(size=shape), (0, 0), 2.0)
    image = kind.ground + kind.texture * grain / grain.std()
    shadows = _insides(kind, replace(scene, x=scene.x + 0.25 * scene.radius, y=scene.y + 0.25 * scene.radius))
    for inside, shade, tone in zip(_insides(kind, scene), shadows, scene.tone, strict=True):
        image = np.where(shade <= 1.3, image * (1 - kind.shadow * np.clip((1.3 - shade) / 0.6, 0, 1)), image)
        image = np.where(inside <= 1, kind.ground + tone * (kind.contrast + kind.rim * inside**3), image)
    channels = [image * weight for weight in rng.uniform(0.6, 1.2, 3)] if kind.colour else [image]
    blurred = [cv2.GaussianBlur(channel, (0, 0), kind.blur) for channel in channels]
    noisy = np.stack([channel + rng.normal(scale=kind.noise, size=shape) for channel in blurred], axis=-1)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8).squeeze()


def trial(kind: Kind, seed: int) -> Trial:
    """Make a picture and its true labels."""
    rng = np.random.default_rng(seed)
    scene = discs(kind, rng)
    ids = labels(kind, scene)
    return Trial(ids, visible(ids, kind.count), picture(kind, scene, rng))


def relabel(true: Trial, ids: NDArray[np.uint16]) -> Trial:
    """Give a picture other labels, and a table that agrees with them."""
    return Trial(ids, visible(ids, len(true.visible_px)), true.real)


def shift_labels(ids: NDArray[np.uint16], right: int, down: int) -> NDArray[np.uint16]:
    """Shift labels over the ground; what leaves the picture is lost."""
    matrix = np.array([[1, 0, right], [0, 1, down]], np.float64)
    return cv2.warpAffine(ids, matrix, ids.shape[::-1], flags=cv2.INTER_NEAREST).astype(np.uint16)


def _another_seed(kind: Kind, seed: int, ids: NDArray[np.uint16]) -> NDArray[np.uint16]:
    return labels(kind, discs(kind, np.random.default_rng(seed + 10**6)))


FAULTS: dict[str, Callable[[Kind, int, NDArray[np.uint16]], NDArray[np.uint16]]] = {
    "another seed": _another_seed,
    "shifted by 3 px": lambda kind, seed, ids: shift_labels(ids, 3, 0),
    "shifted by 4 px up": lambda kind, seed, ids: shift_labels(ids, 0, -4),
    "shifted by (-3, 3) px": lambda kind, seed, ids: shift_labels(ids, -3, 3),
    "shifted by 20 px": lambda kind, seed, ids: shift_labels(ids, 14, 14),
    "mirrored": lambda kind, seed, ids: np.ascontiguousarray(ids[:, ::-1]),
    "upside down": lambda kind, seed, ids: np.ascontiguousarray(ids[::-1]),
    "rotated by 90 degrees": lambda kind, seed, ids: np.ascontiguousarray(np.rot90(ids)),
    "rotated by 180 degrees": lambda kind, seed, ids: np.ascontiguousarray(np.rot90(ids, 2)),
}
"""Faults by name: from the kind, the trial's seed and the true labels to wrong ones."""


def faulty(kind: Kind, seed: int, fault: str) -> Trial:
    """Make a picture with wrong labels."""
    true = trial(kind, seed)
    return relabel(true, FAULTS[fault](kind, seed, true.ids))


def _insides(kind: Kind, scene: Discs) -> list[NDArray[np.float64]]:
    rows, columns = np.mgrid[: kind.size, : kind.size] + 0.5
    return [
        np.hypot(columns - x, rows - y) / radius for x, y, radius in zip(scene.x, scene.y, scene.radius, strict=True)
    ]
