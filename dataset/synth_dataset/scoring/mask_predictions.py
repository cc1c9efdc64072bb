"""Predictions as a folder of instance masks, one picture of ids for each run, as cellpose and stardist give them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
from typing_extensions import override

from synth_api.errors import InputError
from synth_dataset.documents.rle import encode_mask
from synth_dataset.scoring.predictions import Detection, Predictions, detect_mask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from synth_dataset.scoring.truth import TrueImage, Truth

_NAME: Final = re.compile(r"(\d+)(?:(?:_img)?(?:_cp)?_masks)?\.(?:png|tif|tiff|npy)")
_PATTERN: Final = "<run>_masks.png, <run>_cp_masks.png, <run>_img_cp_masks.png or <run>.npy, png, tif or npy"


class MaskPredictions(Predictions):
    """Masks by run number; ids have neither classes nor scores, so all are particles with score 1."""

    has_masks = True

    def __init__(self, folder: Path, truth: Truth) -> None:
        """Find the masks. Raises InputError for a folder without one, two masks of a run, and an unknown run."""
        self._paths: dict[int, Path] = {}
        known = set(truth.image_ids.tolist())
        for path in sorted(folder.iterdir()):
            match = _NAME.fullmatch(path.name)
            if match is None:
                continue
            run = int(match[1])
            if run in self._paths:
                raise InputError(str(folder), f"has {self._paths[run].name} and {path.name} for one run; remove one")
            if run not in known:
                raise InputError(str(path), f"{truth.name} has no run {run}; choose the split or the runs of the masks")
            self._paths[run] = path
        if not self._paths and known:
            raise InputError(str(folder), f"has no masks; a mask is {_PATTERN}")

    @override
    def read(self, image: TrueImage, *, boxes: bool) -> list[Detection]:
        path = self._paths.get(image.id)
        return [] if path is None else list(_detect_ids(read_ids(path, image.width, image.height)))


def read_ids(path: Path, width: int, height: int) -> NDArray[np.int64]:
    """Return the ids (H, W) of a picture or an array of numpy; 0 is background. Raises InputError for another one."""
    try:
        ids: NDArray[Any] | None = (
            np.load(path, allow_pickle=False)
            if path.suffix == ".npy"
            else cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
        )
    except (ValueError, OSError, cv2.error):
        ids = None
    if ids is None:
        raise InputError(str(path), "is no picture and no array of numpy")
    if ids.shape != (height, width) or not np.issubdtype(ids.dtype, np.integer) or ids.min(initial=0) < 0:
        shape = " x ".join(map(str, reversed(ids.shape)))
        problem = f"has {shape} values of type {ids.dtype}; a mask has {width} x {height} ids, 0 for background"
        raise InputError(str(path), problem)
    return ids.astype(np.int64)


def _detect_ids(ids: NDArray[np.int64]) -> Iterator[Detection]:
    """Yield a detection for each id (H, W)."""
    height, width = ids.shape
    flat = ids.ravel()
    pixels = np.flatnonzero(flat)
    pixels = pixels[np.argsort(flat[pixels], kind="stable")].astype(np.int32)
    for part in np.split(pixels, np.flatnonzero(np.diff(flat[pixels])) + 1):
        if len(part):
            yield detect_mask(0, 1.0, encode_mask(part, width, height))
