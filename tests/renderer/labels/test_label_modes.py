"""Each label picture follows the table of modes in docs/labels.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from synth_api.modes import MODES
from synth_renderer.labels import modes
from synth_renderer.labels.modes import LabelView
from synth_renderer.labels.rasterise import rasterise_bodies

if TYPE_CHECKING:
    from synth_renderer.labels.fragments import Fragments
    from synth_renderer.model.camera import Camera

ALL = np.array([True, True, True])
FIRST = np.array([True, False, False])
SECOND = np.array([False, True, False])


@pytest.fixture(scope="module")
def three(place_spheres: Any, from_above: Camera) -> Fragments:
    """Body 1 low in the middle, body 2 above it and half over it, body 3 alone."""
    return rasterise_bodies(place_spheres([(0, 0, 0), (3, 0, 10), (-8, 8, 0)], [6.0, 6.0, 2.0], level=2), from_above)


@pytest.fixture(scope="module")
def nothing(place_spheres: Any, from_above: Camera) -> LabelView:
    return LabelView.from_fragments(rasterise_bodies(place_spheres([], []), from_above))


def test_every_label_mode_has_a_picture_function() -> None:
    assert modes.PICTURES.keys() == {name for name, mode in MODES.items() if mode.is_label and mode.extension == "png"}


def test_palette_begins_like_the_predecessor_and_never_repeats() -> None:
    colors = ["#{:02x}{:02x}{:02x}".format(*color) for color in modes.build_palette(8)]
    assert colors == ["#7f0aad", "#c4aa30", "#16a676", "#21ccc1", "#4eb344", "#a252fc", "#7d76c4", "#e57d68"]
    many = modes.build_palette(65535)
    assert len(np.unique(many, axis=0)) == 65535
    assert many.any(axis=1).all()
    np.testing.assert_array_equal(many[:3000], modes.build_palette(3000))
    assert modes.build_palette(0).shape == (0, 3)


def test_the_first_repeated_colour_of_the_predecessor_is_left_out() -> None:
    numbers = modes.build_palette(3211).astype(int) @ [65536, 256, 1]
    assert numbers[2435] == 0xEA99A5
    assert numbers[3210] != 0xEA99A5


def test_the_instance_picture_holds_ids(three: Fragments) -> None:
    picture = modes.draw_instances(LabelView.from_fragments(three))
    assert picture.dtype == np.uint16
    assert [picture[120, 120], picture[120, 150], picture[40, 40], picture[0, 0]] == [2, 2, 3, 0]
    assert picture[120, 100] == 1 or picture[120, 95] == 1


def test_categorical_is_the_palette_on_black(three: Fragments) -> None:
    picture = modes.draw_categorical(LabelView.from_fragments(three))
    assert picture.shape == (240, 240, 3)
    colors = {tuple(color) for color in np.unique(picture.reshape(-1, 3), axis=0).tolist()}
    assert colors == {(0, 0, 0), (0x7F, 0x0A, 0xAD), (0xC4, 0xAA, 0x30), (0x16, 0xA6, 0x76)}
    assert tuple(picture[120, 150]) == (0xC4, 0xAA, 0x30)


def test_bodies_that_only_overlap_are_black_and_still_hide(three: Fragments) -> None:
    alone = modes.draw_categorical(LabelView.from_fragments(three, FIRST))
    hidden = modes.draw_categorical(LabelView.from_fragments(three, FIRST, SECOND))
    assert {tuple(c) for c in hidden.reshape(-1, 3).tolist()} == {(0, 0, 0), (0x7F, 0x0A, 0xAD)}
    assert 0 < hidden.any(axis=2).sum() < alone.any(axis=2).sum()


def test_bodies_that_only_overlap_hide_none_that_shines_through(three: Fragments) -> None:
    alone = modes.draw_depth_map(LabelView.from_fragments(three, FIRST))
    view = LabelView.from_fragments(three, FIRST, SECOND, bodies_overlap=True)
    both, second = modes.draw_depth_map(view), modes.draw_depth_map(LabelView.from_fragments(three, SECOND))
    np.testing.assert_array_equal(both, np.where(alone < 65535, alone, second))
    assert ((alone < 65535) & (second < 65535)).any()


def test_depth_map_spans_the_range_of_all_bodies(three: Fragments) -> None:
    view = LabelView.from_fragments(three)
    near, far = modes.find_depth_range(three) or (0, 0)
    assert near == pytest.approx(30 - 13, abs=5e-3)
    assert 29 < far <= 30
    picture = modes.draw_depth_map(view)
    assert picture.dtype == np.uint16
    assert picture[120, 150] < picture[120, 95] < picture[0, 0] == 65535
    shown = view.surface.ids > 0
    assert picture[shown].min() == 0
    depth = near + picture[shown] / 65534 * (far - near)
    np.testing.assert_allclose(depth, view.surface.depth[shown], atol=0.51 * (far - near) / 65534 + 1e-6)
    alone = modes.draw_depth_map(LabelView.from_fragments(three, FIRST))
    assert alone[120, 95] == picture[120, 95]


def test_normal_map_has_the_camera_frames_axes(three: Fragments) -> None:
    picture = modes.draw_normal_map(LabelView.from_fragments(three)).astype(int)
    assert picture[0, 0].tolist() == [32768] * 3
    middle, right, top = picture[120, 150], picture[120, 178], picture[92, 150]
    assert abs(middle - [32768, 32768, 65535]).max() < 2000
    assert right[0] > 60000
    assert top[1] > 60000
    vector = picture[picture[..., 2] != 32768] / 32767.5 - 1
    np.testing.assert_allclose((vector**2).sum(axis=1), 1, atol=1e-3)


def test_stylized_is_lit_from_the_upper_left_and_outlined(three: Fragments) -> None:
    view = LabelView.from_fragments(three)
    picture = modes.draw_stylized_picture(view)
    assert picture.dtype == np.uint8
    assert picture[0, 0] == 13
    assert picture[110, 140] > picture[120, 150] > picture[135, 165] > 0
    row = picture[120]
    rims = np.flatnonzero(row == 0)
    ids = view.surface.ids[120]
    assert ids[rims].tolist() == [1, 2, 2]
    assert picture.max() == 130


def test_xray_shows_hidden_bodies(three: Fragments) -> None:
    both, first, second = (
        modes.draw_stylized_xray(LabelView.from_fragments(three, chosen)) for chosen in (ALL, FIRST, SECOND)
    )
    assert both[0, 0] == 13
    assert first[120, 100] == both[120, 100] > 13
    assert both[120, 135] > second[120, 135] > 13
    solid = modes.draw_stylized_picture(LabelView.from_fragments(three, SECOND))[120, 150]
    assert abs(int(second[120, 150]) - (int(solid) + 13) / 2) <= 1
    hidden_rim = np.flatnonzero(modes.draw_stylized_picture(LabelView.from_fragments(three, FIRST))[120] == 0)[-1]
    assert both[120, hidden_rim] < both[120, hidden_rim - 1]


@pytest.mark.parametrize(
    ("mode", "value"),
    [("categorical", 0), ("depth_map", 65535), ("normal_map", 32768), ("stylized", 13), ("stylized_xray", 13)],
)
def test_a_scene_without_particles_is_background(nothing: LabelView, mode: str, value: int) -> None:
    assert set(np.unique(modes.PICTURES[mode](nothing))) == {value}
    assert modes.find_depth_range(nothing.fragments) is None
