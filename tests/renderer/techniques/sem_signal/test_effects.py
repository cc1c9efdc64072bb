"""Each effect against its formula; strength 0 is off."""

import numpy as np
import pytest

from synth_renderer.techniques.imaging import counting, display, scan
from synth_renderer.techniques.imaging.blur import blur_plane
from synth_renderer.techniques.sem_signal import charging, escape, ground_relief, shadowing
from synth_renderer.techniques.sem_signal.emission import Emission, compute_emission
from synth_renderer.techniques.sem_signal.ground import build_gradient, build_patchy_ground

KEY = np.uint64(4711)


def tilt_normals(cosines) -> np.ndarray:
    """Normals (1, n, 3) tilted towards +x."""
    z = np.asarray(cosines, dtype=float)
    return np.stack([np.sqrt(1 - z * z), 0 * z, z], axis=-1)[None].astype(np.float32)


def test_the_tilt_yield_is_its_formula():
    z = np.linspace(0.0, 1.0, 101)
    grey = compute_emission(tilt_normals(z), Emission(0.7, 0.2, 1.3, 0.0, 0.0))[0]
    expected = 1 + 0.7 * (np.maximum(z, 0.2) ** -1.3 - 1) / (0.2**-1.3 - 1)
    assert np.abs(grey - expected).max() < 3e-4
    assert grey[-1] == 1.0
    assert grey[0] == pytest.approx(1.7)


@pytest.mark.parametrize(("azimuth", "expected"), [(0.0, 1.3), (180.0, 0.7), (90.0, 1.0)])
def test_facets_towards_the_detector_are_brighter(azimuth, expected):
    assert compute_emission(tilt_normals([0.0]), Emission(0.0, 0.2, 1.0, azimuth, 0.3))[0, 0] == pytest.approx(
        expected, abs=1e-6
    )


def test_strength_0_makes_every_facet_alike():
    assert (compute_emission(tilt_normals(np.linspace(0, 1, 20)), Emission(0.0, 0.2, 1.0, 30.0, 0.0)) == 1.0).all()


def step_of_height() -> np.ndarray:
    height = np.zeros((64, 64), dtype=np.float32)
    height[:, 32:] = 10.0
    return height


def test_the_foot_of_a_wall_is_obstructed_and_its_top_prominent():
    height, width = step_of_height(), 4.0
    lost, proud = shadowing.compute_obstruction(height, height, [width]), shadowing.compute_prominence(height, [width])
    expected = np.maximum(blur_plane(height, width) - height, 0) / (2.5 * width)
    assert np.abs(lost - expected).max() < 1e-6
    assert lost[30, 31] > 0.3 > lost[30, 20] >= 0.0
    assert (lost[:, 33:] == 0).all()
    assert proud[30, 32] > 0.3
    assert proud.max() <= np.float32(0.4)
    assert (proud[:, :31] == 0).all()


def test_shadows_follow_the_exponential_law():
    height, signal = step_of_height(), np.full((64, 64), 0.5, dtype=np.float32)
    shaded = shadowing.shade_signal(signal, height, height, [4.0], 1.5)
    obstruction = shadowing.compute_obstruction(height, height, [4.0])
    assert obstruction.max() > 0.3
    np.testing.assert_allclose(shaded, 0.5 * np.exp(-1.5 * obstruction), rtol=1e-6)


def test_the_ground_is_darker_than_the_top_by_the_height_contrast():
    height = np.array([[0.0, 5.0, 10.0]], dtype=np.float32)
    signal = shadowing.darken_with_depth(np.ones_like(height), height, 0.35)
    assert signal[0] == pytest.approx([0.65, 0.825, 1.0])


EVERYWHERE = np.ones((120, 120), dtype=bool)
LEVEL = np.array([0.0, 0.0, 1.0], dtype=np.float32)


def stage_spheres(*spheres: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Height (120, 120) and normals of spheres (column, row, radius) on level ground, all px."""
    y, x = np.mgrid[:120, :120].astype(float)
    height, normal = np.zeros((120, 120)), np.tile(LEVEL, (120, 120, 1))
    for column, row, radius in spheres:
        across, down = (x - column) / radius, (y - row) / radius
        inside = across**2 + down**2 < 1
        up = np.sqrt(np.maximum(1 - across**2 - down**2, 0))
        height[inside] = (radius * (1 + up))[inside]
        normal[inside] = np.stack([across, -down, up], axis=-1)[inside]
    return height.astype(np.float32), normal.astype(np.float32)


@pytest.mark.parametrize("reach", [20.0, 80.0])
def test_a_wall_stops_the_electrons_of_the_ground_before_it_as_far_as_the_parabola_reaches(reach):
    """One row: of the sixteen sections only the one towards the wall meets it."""
    height = np.zeros((1, 60), dtype=np.float32)
    height[0, 50:] = 5.0
    free = escape.compute_escape(height, height, np.tile(LEVEL, (1, 60, 1)), EVERYWHERE[:1, :60], reach)[0]
    distance = np.arange(50, 0, -1)
    slope = np.maximum(5.0 / distance - distance / reach, 0)
    assert free[:50] == pytest.approx((15 + 1 / np.sqrt(1 + slope**2)) / 16, abs=1e-6)
    assert (free[50:] == 1).all()


def test_a_lone_sphere_does_not_shade_itself():
    height, normal = stage_spheres((60, 60, 30))
    free = escape.compute_escape(height, height, normal, EVERYWHERE, 60.0)
    assert free[height > 0].min() > 0.999
    assert 0.5 < free[60, 91] < 0.65, "the ground beside it sees half of the sky"
    assert free[60, 118] > 0.95


def test_where_spheres_meet_few_electrons_escape_and_their_other_rims_stay_bright():
    height, normal = stage_spheres((35, 60, 25), (85, 60, 25))
    free = escape.compute_escape(height, height, normal, EVERYWHERE, 50.0)
    assert free[60, 60] < 0.3
    assert (free[60, 57:64] < 0.95).all()
    assert free[60, 35] > 0.97, "the top of a sphere"
    assert free[60, 12] > 0.999, "the rim that faces away"


def test_bodies_that_are_not_seen_stop_electrons_too():
    ground, normal = np.zeros((120, 120), dtype=np.float32), np.tile(LEVEL, (120, 120, 1))
    hidden, _ = stage_spheres((60, 60, 20))
    free = escape.compute_escape(ground, hidden, normal, EVERYWHERE, 40.0)
    assert free[60, 82] < 0.7
    assert (escape.compute_escape(ground, ground, normal, EVERYWHERE, 40.0) == 1).all()


def test_the_field_collects_what_does_not_fly_straight():
    free, coverage = np.float32([[0.2, 0.2, 0.6, 1.0]]), np.float32([[0, 1, 0.5, 1]])
    straight = escape.mix_strength(coverage, 0.75, 0.25)
    signal = escape.shade_by_escape(np.full_like(free, 0.5), free, straight)
    assert signal[0] == pytest.approx([0.5 * 0.8, 0.5 * 0.4, 0.5 * 0.8, 0.5])


def test_escape_is_computed_where_it_is_wanted_alone():
    height, normal = stage_spheres((60, 60, 30))
    half = EVERYWHERE.copy()
    half[:, :60] = False
    free = escape.compute_escape(height, height, normal, half, 60.0)
    assert (free[:, :60] == 1).all()
    assert (free == escape.compute_escape(height, height, normal, EVERYWHERE, 60.0))[:, 60:].all()


def test_automatic_levels_give_the_tails_their_greys():
    signal = np.random.default_rng(5).normal(3.0, 2.0, (300, 300)).astype(np.float32)
    grey = display.set_levels(signal, 0.2, 0.7)
    assert (grey < 0.2).mean() == pytest.approx(0.003, abs=1e-4)
    assert (grey > 0.7).mean() == pytest.approx(0.003, abs=1e-4)
    assert np.corrcoef(grey.ravel(), signal.ravel())[0, 1] > 0.99999
    flat = display.set_levels(np.full((9, 9), 0.4, dtype=np.float32), 0.2, 0.7)
    assert flat == pytest.approx(np.full((9, 9), 0.2))


def test_the_response_is_its_formula():
    grey = np.linspace(0, 1, 257, dtype=np.float32)
    power = grey.astype(float) ** 1.6
    expected = power + 0.4 * (3 * power**2 - 2 * power**3 - power)
    assert display.bend_response(grey, 1.6, 0.4) == pytest.approx(expected, abs=1e-5)
    assert (display.bend_response(grey, 1.0, 0.0) == grey).all()


def test_the_black_point_is_subtracted_and_the_range_cut_off():
    signal = np.float32([-0.1, 0.2, 0.6, 1.0, 1.4])
    assert display.limit_range(display.subtract_black(signal, 0.2)) == pytest.approx([0, 0, 0.5, 1, 1])


def test_inverted_contrast_is_the_negative():
    assert display.invert_contrast(np.float32([0, 0.25, 1])) == pytest.approx([1, 0.75, 0])


def test_a_halo_surrounds_particles_without_covering_them():
    coverage = np.zeros((41, 41), dtype=np.float32)
    coverage[15:26, 15:26] = 1.0
    signal = charging.add_halo(np.zeros_like(coverage), coverage, 0.09, 4.0)
    assert (signal[coverage == 1] == 0).all()
    assert 0.05 < signal[20, 26] <= 0.18
    assert signal[20, 26] > signal[20, 32] > signal[20, 40] >= 0


def test_streaks_fade_to_the_right_of_particles_alone():
    coverage = np.zeros((3, 100), dtype=np.float32)
    coverage[:, 30:40] = 1.0
    lines = np.array([0.0, 1.0, -1.5], dtype=np.float32)
    signal = charging.add_streaks(np.zeros_like(coverage), coverage, lines, 0.2, 8.0)
    assert (signal[:, :40] == 0).all()
    assert signal[0, 40] > signal[0, 60] > 0
    assert signal[1] == pytest.approx(signal[0] / 0.6)
    assert np.abs(signal[2]).max() < 1e-6


def test_clipping_drives_its_share_of_the_particles_to_white():
    rng = np.random.default_rng(1)
    signal, coverage = rng.random((100, 100), dtype=np.float32), np.zeros((100, 100), dtype=np.float32)
    coverage[:50] = 1.0
    signal[50:] *= 5
    gain = charging.compute_clipping_gain(signal, coverage, 0.1)
    assert (signal[:50] * gain >= 1).mean() == pytest.approx(0.1, abs=0.002)


def test_focus_blurs_points_off_the_focal_plane():
    noise = np.random.default_rng(2).standard_normal((80, 80)).astype(np.float32)
    off = np.zeros_like(noise)
    off[:, 40:] = 2.0
    seen = scan.focus_beam(noise, off, 0.5, 1.5)
    assert np.abs(seen[:, :38] - blur_plane(noise, 0.5)[:, :38]).max() < 1e-6
    assert np.abs(seen[:, 42:] - blur_plane(noise, np.sqrt(0.25 + 2.25))[:, 42:]).max() < 1e-5
    assert (scan.focus_beam(noise, off, 0.5, 0.0) == blur_plane(noise, 0.5)).all()


def test_drift_moves_whole_lines_slowly():
    ramp = np.tile(np.arange(400, dtype=np.float32), (2000, 1))
    moved = scan.drift_lines(ramp, KEY, 1.0)[:, 10:-10] - ramp[:, 10:-10]
    assert np.ptp(moved, axis=1).max() < 1e-3
    shifts = moved[:, 0]
    assert shifts.std() == pytest.approx(1.0, rel=0.35)
    assert np.abs(np.diff(shifts)).max() < 0.2


@pytest.mark.parametrize("electrons", [60.0, 5000.0])
def test_shot_noise_has_the_variance_of_counts(electrons):
    grey = np.linspace(0.1, 0.9, 400, dtype=np.float32)[:, None].repeat(2000, axis=1)
    variance = (counting.add_shot_noise(grey, KEY, electrons, 0.0) - grey).var(axis=1)
    assert (variance * electrons / grey[:, 0]).mean() == pytest.approx(1.0, abs=0.01)


def test_correlated_noise_is_similar_at_neighbouring_pixels():
    grey = np.full((300, 300), 0.5, dtype=np.float32)
    noise = counting.add_shot_noise(grey, KEY, 100.0, 0.8) - grey
    assert (noise[:, 1:] * noise[:, :-1]).mean() / noise.var() > 0.5


def test_line_noise_is_one_offset_a_line():
    signal = counting.add_line_noise(np.zeros((4000, 3), dtype=np.float32), KEY, 0.01)
    assert (signal == signal[:, :1]).all()
    assert signal[:, 0].std() == pytest.approx(0.01, rel=0.05)


HEIGHT = np.random.default_rng(3).random((24, 24), dtype=np.float32)
LINES = np.linspace(-1, 1, 24, dtype=np.float32)
EFFECTS = {
    "height": lambda grey, strength: shadowing.darken_with_depth(grey, HEIGHT, strength),
    "shadows": lambda grey, strength: shadowing.shade_signal(grey, HEIGHT, HEIGHT, [2.0], strength),
    "ridges": lambda grey, strength: shadowing.brighten_ridges(grey, HEIGHT, [2.0], strength),
    "escape": lambda grey, strength: escape.shade_by_escape(grey, HEIGHT, strength * HEIGHT),
    "levels": lambda grey, strength: display.set_levels(grey, -strength, strength),
    "response": lambda grey, strength: display.bend_response(grey, 1.0, strength),
    "halo": lambda grey, strength: charging.add_halo(grey, HEIGHT, strength, 3.0),
    "streaks": lambda grey, strength: charging.add_streaks(grey, HEIGHT, LINES, strength, 5.0),
    "focus": lambda grey, strength: scan.focus_beam(grey, HEIGHT, strength, strength),
    "drift": lambda grey, strength: scan.drift_lines(grey, KEY, strength),
    "shot noise": lambda grey, strength: counting.add_shot_noise(grey, KEY, 100.0 * strength, 0.5),
    "line noise": lambda grey, strength: counting.add_line_noise(grey, KEY, strength),
}


@pytest.mark.parametrize("effect", EFFECTS.values(), ids=EFFECTS)
def test_an_effect_changes_a_copy_and_nothing_at_strength_0(effect):
    grey = np.random.default_rng(4).random((24, 24), dtype=np.float32)
    before = grey.copy()
    assert (effect(grey, 0.0) == before).all()
    changed = effect(grey, 0.8)
    assert changed.dtype == np.float32
    assert (changed != before).mean() > 0.3
    assert (grey == before).all()


def test_a_gradient_rises_along_its_azimuth():
    right, up = build_gradient(60, 80, 0.2, 0.1, 0.0), build_gradient(80, 60, 0.2, 0.1, 90.0)
    assert right[0, -1] - right[0, 0] == pytest.approx(0.1, rel=0.02)
    assert up[0, 0] - up[-1, 0] == pytest.approx(0.1, rel=0.02)
    assert right.mean() == pytest.approx(0.2, abs=1e-6)


def grounds() -> tuple[np.ndarray, np.ndarray]:
    return np.full((400, 400), 0.3, dtype=np.float32), np.zeros((400, 400), dtype=np.float32)


@pytest.mark.parametrize("share", [0.05, 0.2, 0.4])
@pytest.mark.parametrize("spot", [ground_relief.PORE, ground_relief.CRUMB])
def test_pores_and_crumbs_cover_their_share(share, spot):
    level, height = grounds()
    ground_relief.add_spots(level, height, KEY, share, 12.0, spot)
    assert (height != 0).mean() == pytest.approx(share, abs=0.03 + 0.1 * share)
    assert (np.sign(height[height != 0]) == np.sign(spot.rise)).all()
    assert (level[height == 0] == np.float32(0.3)).all()


def test_terraces_step_and_stay_level_on_the_whole():
    level, height = grounds()
    ground_relief.add_terraces(level, height, KEY, 8.0, 1.0, 0.0)
    assert 5 <= len(np.unique(level[200])) <= 12
    assert abs(height[:, :200].mean() - height[:, 200:].mean()) < 0.6


def test_scratches_are_as_many_thin_lines():
    level, height = grounds()
    ground_relief.add_scratches(level, height, KEY, 5.0, 0.0)
    assert 0.001 < (height < 0).mean() < 0.06
    assert (height <= 0).all()


def test_every_patch_seed_has_a_different_ground():
    seeds = (0.0, 0.5, 1.0, 1.5, -0.5, -1.0)
    grounds = [build_patchy_ground({"patch_scale": 8.0, "patch_seed": seed}, 24, 24).level for seed in seeds]
    assert len({ground.tobytes() for ground in grounds}) == len(seeds)
