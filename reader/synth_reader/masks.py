"""Masks of annotations: COCO's compressed run lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from synth_reader.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


def decode_mask(mask: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Return a mask of an annotation, `visible` or `amodal`, as (H, W) bool. Raises DatasetError for one that is none.

    `size` is (H, W); `counts` are run lengths down the columns, background first.
    """
    try:
        height, width = mask["size"]
        lengths = _parse_lengths(mask["counts"])
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise DatasetError("a mask has `size` and compressed `counts`, as those of annotations.json have") from error
    if min(lengths, default=0) < 0 or sum(lengths) != height * width:
        raise DatasetError(f"a mask of {width} x {height} px has run lengths of another size; render its run again")
    inside = np.arange(len(lengths)) % 2 == 1
    return np.ascontiguousarray(np.repeat(inside, lengths).reshape(width, height).T)


def _parse_lengths(text: str) -> list[int]:
    """Return run lengths: characters hold 5 bits, least first, and whether more follow; the last one has the sign.

    From the fourth length on the text has the difference to the length two before.
    """
    lengths: list[int] = []
    value = shift = 0
    for code in text.encode("ascii"):
        digit = code - ord("0")
        value |= (digit & 0x1F) << shift
        shift += 5
        if digit & 0x20:
            continue
        if digit & 0x10:
            value -= 1 << shift
        lengths.append(value + lengths[-2] if len(lengths) > 2 else value)
        value = shift = 0
    if shift:
        raise ValueError("ends within a length")
    return lengths
