"""PNG by numpy: the pixels of OpenCV's files, and files that OpenCV reads."""

from __future__ import annotations

import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from synth_dataset.documents.pictures import read_png, write_png
from synth_dataset.documents.png import decode_png, encode_png

shapes = st.tuples(st.integers(1, 9), st.integers(1, 9)) | st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))
pictures = st.sampled_from([np.uint8, np.uint16]).flatmap(lambda kind: arrays(kind, shapes))


@given(pixels=pictures)
def test_a_picture_comes_back_and_opencv_reads_it_too(tmp_path_factory: pytest.TempPathFactory, pixels) -> None:
    content = encode_png(pixels)
    path = tmp_path_factory.mktemp("picture") / "picture.png"
    path.write_bytes(content)
    for back in (decode_png(content, path), read_png(path)):
        assert (back.dtype, back.shape) == (pixels.dtype, pixels.shape)
        assert (back == pixels).all()


def filters_of(content: bytes, row_bytes: int) -> set[int]:
    start = content.index(b"IDAT")
    data = zlib.decompressobj().decompress(content[start + 4 :])
    return set(data[:: 1 + row_bytes])


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_every_filter_of_a_row_is_undone(tmp_path: Path, kind, channels) -> None:
    rng = np.random.default_rng(3)
    grid = np.add.outer(np.arange(12) ** 2, np.arange(20) * 5)
    noise = rng.integers(0, 256, (12, 20))
    flat = np.full((12, 20), 7)
    stripes = np.broadcast_to(rng.integers(0, 256, 20), (12, 20))
    grey = np.vstack([grid, noise, flat, stripes, grid.T.reshape(12, 20), np.cumsum(noise - 127, axis=1)])
    pixels = np.stack([grey] * 3, axis=-1) if channels else grey
    path = tmp_path / "picture.png"
    write_png(path, (pixels % np.iinfo(kind).max).astype(kind))
    content = path.read_bytes()
    assert len(filters_of(content, 20 * np.dtype(kind).itemsize * (3 if channels else 1))) > 3
    assert (decode_png(content, path) == cv2.imread(str(path), cv2.IMREAD_UNCHANGED)).all()


@pytest.mark.parametrize("cut", [0, 5, 20, 60])
def test_another_file_is_named(cut: int) -> None:
    content = encode_png(np.arange(4000, dtype=np.uint16).reshape(40, 100))
    with pytest.raises(OSError, match=r"runs/a\.png is not a picture"):
        decode_png(content[:cut], "runs/a.png")


def test_a_picture_with_opacity_is_none_of_ours() -> None:
    _, content = cv2.imencode(".png", np.zeros((3, 3, 4), np.uint8))
    with pytest.raises(OSError, match=r"a\.png is not a picture"):
        decode_png(content.tobytes(), "a.png")
