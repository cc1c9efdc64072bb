from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from synth_dataset.documents.rle import decode_mask, encode_mask, paint_masks

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


pictures = arrays(
    np.uint16, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.sampled_from([0, 1, 2, 65535])
)


@given(pictures)
def test_masks_of_a_picture_are_painted_to_that_picture(picture: NDArray[np.uint16]) -> None:
    height, width = picture.shape
    ids = [int(number) for number in np.unique(picture) if number]
    found = [encode_mask(np.flatnonzero(picture == number).astype(np.int32), width, height) for number in ids]
    painted = paint_masks(ids, found, width, height)
    assert painted.dtype == np.uint16
    assert painted.flags.c_contiguous
    assert (painted == picture).all()


def test_run_lengths_of_a_wide_picture_are_painted() -> None:
    rng = np.random.default_rng(5)
    picture = np.repeat(np.repeat(rng.integers(0, 4, (6, 9)), 70, axis=0), 40, axis=1).astype(np.uint16)
    picture[rng.random(picture.shape) < 0.01] = 9
    height, width = picture.shape
    ids = [1, 2, 3, 9]
    found = [encode_mask(np.flatnonzero(picture == number).astype(np.int32), width, height) for number in ids]
    assert (paint_masks(ids, found, width, height) == picture).all()
