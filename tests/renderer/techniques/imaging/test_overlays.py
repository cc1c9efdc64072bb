"""Bars, boxes and letters: true lengths and covered pixels."""

from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from synth_api.prototypes.techniques import TECHNIQUES
from synth_renderer.randomness.streams import Stream
from synth_renderer.techniques.imaging.overlays import choose_round_length, draw_overlay, format_length
from synth_renderer.techniques.sem_signal.scanning_electron_microscope import ScanningElectronMicroscope

DEFAULTS = {name: feature.default for name, feature in TECHNIQUES["scanning_electron_microscope"].features.items()}


def draw(seed=0, shape=(240, 320), pixel_size=0.1, **features):
    create_stream = partial(Stream, seed, "step", "SEM")
    write_conditions = ScanningElectronMicroscope().write_conditions
    return draw_overlay(DEFAULTS | features, shape, pixel_size, create_stream, write_conditions)


@pytest.mark.parametrize(("longest", "expected"), [(1.0, 1.0), (1.99, 1.0), (2.0, 2.0), (73.0, 50.0), (0.07, 0.05)])
def test_a_scale_bar_has_a_round_length(longest, expected):
    assert choose_round_length(longest) == pytest.approx(expected)


@pytest.mark.parametrize(("nanometres", "text"), [(500.0, "500 nm"), (2000.0, "2 um"), (5e6, "5 mm"), (0.5, "0.5 nm")])
def test_lengths_carry_the_unit_that_suits_them(nanometres, text):
    assert format_length(nanometres) == text


def longest_line(strokes) -> int:
    return int((strokes == 1.0).sum(axis=1).max())


def test_the_bar_has_the_length_of_its_label():
    overlay = draw(scale_bar=0.4, nanometres_per_unit=1000.0)
    assert longest_line(overlay.strokes) == 100, "10 um at 100 nm a pixel"


def test_without_a_scale_the_bar_counts_pixels():
    assert longest_line(draw(scale_bar=0.4).strokes) == 100


@pytest.mark.parametrize("seed", range(6))
def test_the_text_above_the_bar_has_the_requested_height(seed):
    def rows(capitals: float) -> int:
        strokes = draw(seed, scale_bar=0.8, scale_bar_text=capitals, nanometres_per_unit=100.0).strokes
        bar = int(np.flatnonzero((strokes == 1.0).sum(axis=1) == longest_line(strokes))[0])
        return int(strokes[:bar].any(axis=1).sum())

    assert rows(0.12) == pytest.approx(2 * rows(0.06), abs=3)
    assert rows(0.12) == pytest.approx(0.12 * 240 * 1.2, rel=0.15), "strokes are as wide as they are bold"


def rows_and_columns(strokes) -> tuple[int, int, int, int]:
    """First and last row and column under strokes."""
    rows, columns = np.flatnonzero(strokes.any(axis=1)), np.flatnonzero(strokes.any(axis=0))
    return int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])


@pytest.mark.parametrize(("form", "pieces"), [("solid", 1), ("ends", 2), ("ticks", 11)])
@pytest.mark.parametrize("seed", range(3))
def test_a_bar_of_any_form_has_the_length_of_its_label(form, pieces, seed):
    strokes = draw(seed, scale_bar=0.4, scale_bar_form=form, nanometres_per_unit=1000.0).strokes
    bar = strokes[rows_and_columns(strokes)[1]] == 1.0
    columns = np.flatnonzero(bar)
    assert columns[-1] - columns[0] == 99
    assert (np.diff(columns) > 1).sum() + 1 == pieces


@pytest.mark.parametrize("seed", range(4))
def test_the_text_is_where_it_is_asked_for(seed):
    def bar_and_all(label: str) -> tuple[NDArray[np.int64], tuple[int, int, int, int]]:
        strokes = draw(seed, scale_bar=0.6, scale_bar_text=0.03, scale_bar_label=label).strokes
        return np.flatnonzero((strokes == 1.0).sum(axis=1) > 50), rows_and_columns(strokes)

    bar, (top, bottom, left, right) = bar_and_all("above")
    assert (top < bar[0] - 5, bottom, right - left) == (True, bar[-1], 99)
    bar, (top, bottom, left, right) = bar_and_all("below")
    assert (top, bottom > bar[-1] + 5, right - left) == (bar[0], True, 99)
    bar, (top, bottom, left, right) = bar_and_all("beside")
    assert (top < bar[0], bottom > bar[-1], right - left > 120, bottom - top < 20) == (True, True, True, True)
    bar, (top, bottom, left, right) = bar_and_all("inside")
    assert (top < bar[0], bottom > bar[-1], right - left, bottom - top < 20) == (True, True, 99, True)


def test_a_text_that_does_not_fit_inside_stands_above():
    short = {"scale_bar": 0.1, "scale_bar_text": 0.1}
    assert (draw(scale_bar_label="inside", **short).strokes == draw(**short).strokes).all()


@pytest.mark.parametrize("seed", range(4))
def test_an_info_bar_may_have_two_rows_of_text(seed):
    def gaps(rows: int) -> int:
        inked = draw(seed, shape=(480, 640), info_bar=0.12, info_bar_rows=rows).strokes.any(axis=1)
        return int((np.diff(np.flatnonzero(inked)) > 1).sum())

    assert (gaps(1), gaps(2)) == (0, 1)


@pytest.mark.parametrize("label", ["above", "below", "beside", "inside"])
@pytest.mark.parametrize("seed", range(4))
def test_a_box_covers_bar_and_text(seed, label):
    overlay = draw(seed, scale_bar=0.5, scale_bar_label=label, scale_bar_form="ends", overlay_box=True)
    assert overlay.find_covered_pixels()[overlay.strokes > 0].all()


@pytest.mark.parametrize("seed", range(6))
def test_thin_strokes_cover_nothing_and_boxes_do(seed):
    thin = draw(seed, scale_bar=0.3, panel_letter=0.1)
    boxed = draw(seed, scale_bar=0.3, panel_letter=0.1, overlay_box=True)
    assert thin.strokes.any()
    assert not thin.find_covered_pixels().any()
    assert (thin.strokes == boxed.strokes).all()
    assert boxed.find_covered_pixels()[boxed.strokes > 0].all()
    assert boxed.find_covered_pixels().mean() < 0.25


def test_the_info_bar_covers_its_rows_and_holds_the_scale_bar():
    overlay = draw(info_bar=0.1, scale_bar=0.3)
    assert overlay.find_covered_pixels()[-24:].all()
    assert not overlay.find_covered_pixels()[:-24].any()
    assert not overlay.strokes[:-24].any()
    assert overlay.strokes[-24:].any()


def test_one_feature_switches_all_overlays_off():
    assert draw(info_bar=0.1, scale_bar=0.3, panel_letter=0.1, overlays=False) is None
    assert draw() is None


def test_strokes_have_their_shade_and_boxes_the_opposite():
    grey = np.full((240, 320), 0.5, dtype=np.float32)
    overlay = draw(info_bar=0.1, scale_bar=0.3, overlay_shade=0.9)
    overlay.draw_on(grey)
    assert grey[overlay.strokes == 1.0] == pytest.approx(0.9)
    assert grey[overlay.find_covered_pixels() & (overlay.strokes == 0)] == pytest.approx(0.1)
    assert (grey[~overlay.find_covered_pixels() & (overlay.strokes == 0)] == 0.5).all()


FRAMED = {"inset_frame": 0.2, "inset": 0.35}


def find_rectangle(strokes) -> tuple[slice, slice]:
    top, bottom, left, right = rows_and_columns(strokes)
    return slice(top, bottom + 1), slice(left, right + 1)


@pytest.mark.parametrize("seed", range(6))
def test_a_frame_is_a_thin_rectangle_of_the_requested_size_and_covers_nothing(seed):
    overlay = draw(seed, inset_frame=0.25)
    frame = overlay.strokes[find_rectangle(overlay.strokes)]
    assert max(frame.shape) == 60, "0.25 of the shorter side"
    assert min(frame.shape) >= 36
    assert (frame[[0, -1]] == 1).all()
    assert (frame[:, [0, -1]] == 1).all()
    assert not frame[2:-2, 2:-2].any()
    assert not overlay.find_covered_pixels().any()


@pytest.mark.parametrize("seed", range(3))
def test_a_dashed_frame_has_the_place_of_a_solid_one_and_gaps(seed):
    solid, dashed = (draw(seed, inset_frame=0.3, inset_frame_form=form).strokes for form in ("solid", "dashed"))
    assert not dashed[solid == 0].any()
    assert 0.4 < dashed.sum() / solid.sum() < 0.7
    frame = dashed[find_rectangle(solid)]
    assert all((np.abs(np.diff(side)) == 1).sum() >= 4 for side in (frame[0], frame[-1], frame[:, 0], frame[:, -1]))


@pytest.mark.parametrize("shape", [(240, 320), (320, 160)])
@pytest.mark.parametrize("seed", range(8))
def test_an_inset_lies_in_an_upper_corner_beside_its_frame_and_covers_its_box(seed, shape):
    overlay = draw(seed, shape=shape, inset_frame=0.3, inset=0.35)
    rows, columns = overlay.inset.place
    frame_columns = overlay.inset.region[1]
    assert rows.start == 0
    assert columns.start == 0 or columns.stop == shape[1]
    assert columns.stop <= frame_columns.start + 1 or columns.start >= frame_columns.stop - 1
    assert max(rows.stop, columns.stop - columns.start) == round(0.35 * min(shape))
    assert overlay.find_covered_pixels()[rows, columns].all()
    assert overlay.find_covered_pixels().sum() == rows.stop * (columns.stop - columns.start)


def test_an_inset_is_an_enlarged_copy_of_what_the_frame_encloses():
    overlay = draw(inset_frame=0.2, inset=0.35)
    rows, columns = np.indices((240, 320), dtype=np.float32) / 320
    plane = rows + 0.5 * columns
    grey = plane.copy()
    overlay.inset.draw_on(grey)
    region, copy = plane[overlay.inset.region], grey[overlay.inset.place]
    assert (copy.min(), copy.max()) == (region.min(), region.max())
    inner = copy[5:-5, 5:-5]
    scale = copy.shape[0] / region.shape[0]
    assert np.diff(inner, axis=0) == pytest.approx(1 / 320 / scale, rel=0.05)
    assert np.diff(inner, axis=1) == pytest.approx(0.5 / 320 / scale, rel=0.05)
    outside = np.ones_like(grey, dtype=bool)
    outside[overlay.inset.place] = False
    assert (grey[outside] == plane[outside]).all()


def test_without_a_frame_there_is_no_inset():
    assert draw(inset=0.3) is None
    assert draw(inset_frame=0.2, inset=0.3, overlays=False) is None


@pytest.mark.parametrize("seed", range(8))
def test_a_frame_lies_on_no_lettering(seed):
    others = {"panel_letter": 0.2, "info_bar": 0.2, "overlay_box": True}
    alone, overlay = draw(seed, **others), draw(seed, inset_frame=0.3, **others)
    added = overlay.strokes - alone.strokes
    assert (added >= 0).all()
    frame = find_rectangle(added)
    assert not alone.find_covered_pixels()[frame].any()
    assert not alone.strokes[frame].any()


def test_a_frame_without_room_is_left_out():
    full = {"scale_bar": 0.9, "scale_bar_text": 0.3, "overlay_box": True, "panel_letter": 0.3, "info_bar": 0.0}
    bare = [draw(seed, shape=(64, 64), inset_frame=0.3, inset=0.3, **full).inset is None for seed in range(20)]
    assert any(bare)
    assert not all(bare)


@pytest.mark.parametrize("seed", range(4))
def test_a_letter_stands_on_its_box_where_the_inset_is(seed):
    overlay = draw(seed, inset_frame=0.3, inset=0.35, panel_letter=0.1, overlay_box=True, overlay_shade=1.0)
    grey = np.full((240, 320), 0.5, dtype=np.float32)
    overlay.draw_on(grey)
    assert (grey[overlay.boxes & (overlay.strokes == 0)] == 0).all()
    assert overlay.find_covered_pixels()[overlay.boxes].all()


@pytest.mark.parametrize("seed", range(4))
def test_a_frame_changes_no_draw_of_the_others(seed):
    others = {"scale_bar": 0.3, "panel_letter": 0.1}
    alone, framed = draw(seed, **others), draw(seed, **FRAMED, **others)
    assert (framed.strokes >= alone.strokes).all()
