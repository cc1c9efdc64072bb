"""Picture files: lossless PNG of 8 or 16 bits, grey or RGB, and WebP previews."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8] | NDArray[np.uint16]

_PNG: Final = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE)
"""Higher levels hardly shrink noisy pictures; label pictures are small at any level."""


def write_png(path: Path, pixels: Pixels) -> None:
    """Write (H, W) grey or (H, W, 3) RGB, uint8 or uint16. Raises OSError on a full disk."""
    path.write_bytes(encode_picture(".png", pixels, _PNG))


def write_webp(path: Path, pixels: NDArray[np.uint8], quality: int = 80) -> None:
    """Write a lossy preview, (H, W) grey or (H, W, 3) RGB."""
    path.write_bytes(encode_picture(".webp", pixels, (cv2.IMWRITE_WEBP_QUALITY, quality)))


def read_png(path: Path) -> Pixels:
    """Read a PNG with the shape and type that `write_png` got. Raises OSError for a file that is not a picture."""
    pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise OSError(f"{path} is not a picture")
    return np.ascontiguousarray(pixels[..., ::-1]) if pixels.ndim == 3 else pixels  # type: ignore[return-value]


def encode_picture(extension: str, pixels: Pixels, options: tuple[int, ...] = _PNG) -> bytes:
    """Return a picture file, (H, W) grey or (H, W, 3) RGB; `options` are those of OpenCV for the extension."""
    # Encoded in memory, because cv2.imwrite reports no error on a full disk.
    done, data = cv2.imencode(extension, pixels[..., ::-1] if pixels.ndim == 3 else pixels, list(options))
    if not done:
        raise ValueError(f"pixels {pixels.shape} {pixels.dtype} cannot be written as {extension}")
    return data.tobytes()
