"""TIFF files without compression, which tifffile reads without further packages."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from synth_dataset.documents.pictures import Pixels

_SHORT, _LONG = 3, 4
_ENTRIES: Final = 9
_HEADER: Final = struct.pack("<2sHI", b"II", 42, 8)
_DEPTHS_AT: Final = len(_HEADER) + 2 + 12 * _ENTRIES + 4
"""Place of the bits of each channel, behind the entries."""


def encode_tiff(pixels: Pixels) -> bytes:
    """Return a TIFF 6.0 of (H, W) grey or (H, W, 3) RGB, uint8 or uint16, in one strip."""
    height, width, *rest = pixels.shape
    channels = rest[0] if rest else 1
    depths = struct.pack(f"<{channels}H", *[8 * pixels.dtype.itemsize] * channels)
    start = _DEPTHS_AT + len(depths)
    # A value of up to four bytes lies in the entry itself.
    depth = int.from_bytes(depths, "little") if len(depths) <= 4 else _DEPTHS_AT
    entries = [
        (256, _LONG, 1, width),
        (257, _LONG, 1, height),
        (258, _SHORT, channels, depth),
        (259, _SHORT, 1, 1),  # no compression
        (262, _SHORT, 1, 2 if rest else 1),  # RGB, or 0 is black
        (273, _LONG, 1, start),
        (277, _SHORT, 1, channels),
        (278, _LONG, 1, height),
        (279, _LONG, 1, pixels.nbytes),
    ]
    directory = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    data = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    return _HEADER + struct.pack("<H", len(entries)) + directory + bytes(4) + depths + data
