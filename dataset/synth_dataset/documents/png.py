"""PNG files with numpy alone, for exports: the small image, which exports on a cluster, has no OpenCV.

Grey or RGB of 8 or 16 bits without interlacing, as runs have. https://www.w3.org/TR/png-3/
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from synth_dataset.documents.pictures import Pixels

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_CHANNELS: Final = {0: 1, 2: 3}
"""Number of channels by colour type."""
_SUB, _UP, _AVERAGE, _PAETH = 1, 2, 3, 4
_GZIP: Final = pa.Codec("gzip", compression_level=3)
_GZIP_HEADER, _GZIP_TRAILER = 10, 8


def decode_png(content: bytes, path: object) -> Pixels:
    """Return the pixels of a PNG, (H, W) grey or (H, W, 3) RGB, uint8 or uint16; `path` names it in the error.

    Raises OSError for a file that is no such picture.
    """
    try:
        return _decode(content)
    except (KeyError, ValueError, struct.error, zlib.error) as error:
        raise OSError(f"{path} is not a picture") from error


def encode_png(pixels: Pixels) -> bytes:
    """Return a PNG of (H, W) grey or (H, W, 3) RGB, uint8 or uint16; the same bytes on any machine."""
    height, width, *channels = pixels.shape
    rows = pixels.astype(pixels.dtype.newbyteorder(">")).reshape(height, -1).view(np.uint8)
    above = np.vstack([np.zeros_like(rows[:1]), rows[:-1]])
    filtered = np.hstack([np.full((height, 1), _UP, np.uint8), rows - above])
    header = struct.pack(">IIBBBBB", width, height, 8 * pixels.dtype.itemsize, 2 if channels else 0, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", _compress(filtered.tobytes())), (b"IEND", b"")]
    return _SIGNATURE + b"".join(_build_chunk(name, data) for name, data in parts)


def _compress(data: bytes) -> bytes:
    """Return data as zlib does; pyarrow brings its own zlib, while those of systems differ in their bytes."""
    deflated: bytes = _GZIP.compress(data, asbytes=True)[_GZIP_HEADER:-_GZIP_TRAILER]
    return b"\x78\x01" + deflated + struct.pack(">I", zlib.adler32(data))


def _build_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _iterate_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(_SIGNATURE)
    while place < len(content):
        (size,) = struct.unpack_from(">I", content, place)
        yield content[place + 4 : place + 8], content[place + 8 : place + 8 + size]
        place += 12 + size


def _decode(content: bytes) -> Pixels:
    """Return the pixels. Raises KeyError, ValueError, struct.error or zlib.error for another file."""
    chunks = list(_iterate_chunks(content)) if content.startswith(_SIGNATURE) else []
    width, height, bits, colour, *methods = struct.unpack(">IIBBBBB", dict(chunks)[b"IHDR"])
    if any(methods) or bits not in (8, 16):
        raise ValueError("interlaced, or another number of bits")
    step = bits // 8 * _CHANNELS[colour]
    data = zlib.decompress(b"".join(data for name, data in chunks if name == b"IDAT"))
    rows = np.frombuffer(data, np.uint8).reshape(height, 1 + width * step)
    pixels = _unfilter(rows[:, 1:].reshape(height, width, step), rows[:, 0])
    shape = (height, width) if colour == 0 else (height, width, _CHANNELS[colour])
    return pixels.reshape(shape) if bits == 8 else pixels.view(">u2").reshape(shape).astype(np.uint16)


def _unfilter(filtered: NDArray[np.uint8], filters: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the bytes (H, W, B) of which each row is filtered with one of `filters` (H,).

    A byte depends on those of the pixels to the left, above, and above to the left. So all pixels of a diagonal, which
    are a row of the skewed array here, are found at once.
    """
    height, width, step = filtered.shape
    length = width + height
    skewed = np.zeros((height, length, step), np.uint8)
    base = skewed.strides
    inside = np.lib.stride_tricks.as_strided(skewed, filtered.shape, (base[0] + base[1], base[1], base[2]))
    inside[:] = filtered
    diagonals = np.zeros((length + 2, height + 1, step), np.int16)
    diagonals[2:, 1:] = skewed.transpose(1, 0, 2)
    kinds = [(filters == kind)[:, None] for kind in (_SUB, _UP, _AVERAGE, _PAETH)]
    for number in range(2, length + 2):
        left, above = diagonals[number - 1, 1:], diagonals[number - 1, :-1]
        corner = diagonals[number - 2, :-1]
        predictions = (left, above, (left + above) >> 1, _predict_paeth(left, above, corner))
        row = diagonals[number, 1:]
        for kind, prediction in zip(kinds, predictions, strict=True):
            row += kind * prediction
        row &= 0xFF
    skewed[:] = diagonals[2:, 1:].transpose(1, 0, 2)
    return np.ascontiguousarray(inside)


def _predict_paeth(left: NDArray[np.int16], above: NDArray[np.int16], corner: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return which of the three is nearest to left + above - corner, in this order if equally near."""
    to_left, to_above = np.abs(above - corner), np.abs(left - corner)
    to_corner = np.abs(left + above - 2 * corner)
    nearest = np.where(to_above <= to_corner, above, corner)
    return np.where((to_left <= to_above) & (to_left <= to_corner), left, nearest)
