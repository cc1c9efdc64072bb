from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from synth_dataset.documents.pictures import read_png, write_png, write_webp
from synth_dataset.views.thumbnails import SIDE_PIXELS, build_contact_strip

shapes = st.tuples(st.integers(1, 9), st.integers(1, 9)) | st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))
pictures = st.sampled_from([np.uint8, np.uint16]).flatmap(lambda kind: arrays(kind, shapes))


@given(pixels=pictures)
def test_a_picture_comes_back_with_its_pixels_shape_and_type(tmp_path_factory: pytest.TempPathFactory, pixels) -> None:
    path = tmp_path_factory.mktemp("picture") / "picture.png"
    write_png(path, pixels)
    back = read_png(path)
    assert back.dtype == pixels.dtype
    assert back.shape == pixels.shape
    assert (back == pixels).all()


def test_the_first_channel_is_red_for_other_readers_too(tmp_path: Path) -> None:
    red = np.zeros((2, 2, 3), dtype=np.uint8)
    red[..., 0] = 255
    write_png(tmp_path / "red.png", red)
    assert cv2.imread(str(tmp_path / "red.png"))[0, 0].tolist() == [0, 0, 255]  # OpenCV reads blue, green, red


def test_a_full_disk_is_an_error(full_disk: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        write_png(full_disk, np.zeros((64, 64), dtype=np.uint8))


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "real.png").write_bytes(b"GIF89a")
    with pytest.raises(OSError, match=r"real\.png is not a picture"):
        read_png(tmp_path / "real.png")


def test_the_strip_shows_pictures_of_any_size_and_depth_side_by_side(tmp_path: Path) -> None:
    wide = np.full((100, 400), 200, dtype=np.uint8)
    deep = np.full((960, 960, 3), (65535, 0, 0), dtype=np.uint16)
    tiny = np.full((3, 3), 90, dtype=np.uint8)
    strip = build_contact_strip([wide, deep, tiny])
    assert strip.shape == (SIDE_PIXELS, 3 * SIDE_PIXELS, 3)
    assert strip[0, SIDE_PIXELS // 2].tolist() == [0, 0, 0]
    assert strip[SIDE_PIXELS // 2, SIDE_PIXELS // 2].tolist() == [200, 200, 200]
    assert strip[SIDE_PIXELS // 2, SIDE_PIXELS + SIDE_PIXELS // 2].tolist() == [255, 0, 0]
    assert strip[1, -2].tolist() == [90, 90, 90]
    write_webp(tmp_path / "thumb.webp", strip)
    assert cv2.imread(str(tmp_path / "thumb.webp")).shape == strip.shape


def test_a_run_without_pictures_has_a_black_strip() -> None:
    assert not build_contact_strip([]).any()
