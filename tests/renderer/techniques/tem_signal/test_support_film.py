"""The support film: share of holes, folds, dirt and edge; every structure at 0 is off."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from synth_renderer.techniques.tem_signal import support_film

KEY = np.uint64(4711)
FLAT = np.ones((300, 400), dtype=np.float32)
OFF = {
    "film_form": "continuous",
    "film_gradient": 0.0,
    "film_azimuth": 0.0,
    "film_texture": 0.0,
    "film_texture_scale": 0.1,
    "film_hole_share": 0.0,
    "film_hole_size": 0.2,
    "film_rim": 0.0,
    "film_edge": 0.0,
    "film_folds": 0.0,
    "film_fold_width": 0.02,
    "film_dirt": 0.0,
    "film_dirt_size": 0.03,
    "film_dirt_strength": 2.0,
}


@pytest.fixture
def build() -> Callable[..., np.ndarray]:
    """`build(height=300, width=400, **features)`: the thickness."""

    def make(height: int = 300, width: int = 400, **features: float | str) -> np.ndarray:
        keys = {name: np.uint64(100 + index) for index, name in enumerate(OFF)}
        return support_film.build_support_film(OFF | features, height, width, keys.__getitem__)

    return make


@pytest.mark.parametrize("form", ["continuous", "holey", "lacey"])
def test_a_film_without_structures_has_its_nominal_thickness(build, form):
    assert (build(film_form=form) == 1).all()


@pytest.mark.parametrize("form", ["holey", "lacey"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_holes_take_their_share_of_the_picture(build, form, share):
    thickness = build(film_form=form, film_hole_share=share)
    assert (thickness == 0).mean() == pytest.approx(share, abs=0.04)
    assert thickness.max() == pytest.approx(1.0)


def test_a_continuous_film_has_no_hole(build):
    assert (build(film_hole_share=0.5) == 1).all()


def count_holes(thickness: np.ndarray) -> int:
    areas = cv2.connectedComponentsWithStats((thickness == 0).astype(np.uint8))[2][1:, cv2.CC_STAT_AREA]
    return int((areas > 30).sum())


def test_a_lacey_film_has_one_hole_in_each_cell_of_its_size(build):
    wide, fine = (build(400, 400, film_form="lacey", film_hole_share=0.6, film_hole_size=s) for s in (0.25, 0.125))
    assert 16 <= count_holes(wide) <= 30
    assert 64 <= count_holes(fine) <= 90


def test_another_resolution_shows_the_same_film(build):
    features = {"film_form": "lacey", "film_hole_share": 0.5, "film_rim": 0.5, "film_dirt": 0.05, "film_edge": 0.1}
    coarse, fine = build(200, 200, **features), build(400, 400, **features)
    means = fine.reshape(200, 2, 200, 2).mean(axis=(1, 3))
    assert np.corrcoef(coarse.ravel(), means.ravel())[0, 1] > 0.9


def test_a_rim_is_thicker_and_thins_towards_the_film():
    plain = support_film.pierce_film(FLAT, KEY, 0.2, 100.0, 0.0, is_lacey=False)
    rimmed = support_film.pierce_film(FLAT, KEY, 0.2, 100.0, 0.8, is_lacey=False)
    assert ((plain == 0) == (rimmed == 0)).all()
    assert 1.6 < rimmed.max() <= 1.8
    assert np.median(rimmed[rimmed > 0]) < 1.1


@pytest.mark.parametrize(("azimuth", "torn"), [(0.0, np.s_[:, -20:]), (90.0, np.s_[:20]), (180.0, np.s_[:, :20])])
def test_beyond_a_torn_edge_there_is_no_film(azimuth, torn):
    film = support_film.tear_film(FLAT, KEY, 0.4, azimuth, 0.0)
    assert (film == 0).mean() == pytest.approx(0.4, abs=0.01)
    assert not film[torn].any()


def test_the_thickness_rises_by_the_gradient_towards_the_azimuth():
    rising = support_film.tilt_film(300, 400, 0.4, 0.0)
    assert rising[0, -1] - rising[0, 0] == pytest.approx(0.4, abs=0.002)
    assert rising.mean() == pytest.approx(1.0, abs=1e-4)
    up = support_film.tilt_film(300, 400, 0.4, 90.0)
    assert up[0, 0] - up[-1, 0] == pytest.approx(0.3, abs=0.002)
    assert support_film.tilt_film(10, 10, 9.0, 45.0).min() == 0


def test_the_texture_has_its_rms():
    rough = support_film.roughen_film(FLAT, KEY, 0.1, 40.0)
    assert rough.std() == pytest.approx(0.1, rel=0.2)
    assert support_film.roughen_film(FLAT, KEY, 0.0, 40.0) is FLAT


def test_a_fold_is_three_layers_as_wide_as_it_says():
    folded = support_film.fold_film(FLAT, KEY, 1.0, 20.0)
    assert folded.max() == pytest.approx(3.0)
    area, width = (folded > 2).sum(), 20.0
    assert 0.4 * width * 50 < area < 1.6 * width * 500
    assert support_film.fold_film(FLAT, KEY, 0.0, 20.0).min() == 1


def test_dirt_takes_its_share_and_lies_on_the_film():
    soiled = support_film.soil_film(FLAT, KEY, 0.07, 12.0, 2.0)
    assert (soiled > 1).mean() == pytest.approx(0.07, abs=0.001)
    assert soiled.min() == 1
    assert support_film.soil_film(FLAT, KEY, 0.0, 12.0, 2.0) is FLAT
