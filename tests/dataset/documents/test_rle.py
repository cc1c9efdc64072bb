from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from synth_dataset.documents.rle import decode_mask, encode_mask

masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.booleans())


@given(masks)
def test_run_lengths_equal_those_of_pycocotools(mask: NDArray[np.bool_]) -> None:
    height, width = mask.shape
    ours = encode_mask(np.flatnonzero(mask).astype(np.int32), width, height)
    theirs = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert ours == {"size": [height, width], "counts": theirs["counts"].decode()}


@given(masks)
def test_pixels_come_back(mask: NDArray[np.bool_]) -> None:
    pixels = np.flatnonzero(mask).astype(np.int32)
    assert decode_mask(encode_mask(pixels, mask.shape[1], mask.shape[0])).tolist() == pixels.tolist()
