"""Effect of the electron microscope's features on the take_picture, traced at a quarter of the resolution."""

import numpy as np
import pytest
from scipy import ndimage

from synth_renderer.techniques.registry import TECHNIQUES

LONE_BEAD = np.array([[0.0, 0.0, 10.0, 20.0]])
GRID = np.array([[x, y, 3.0, 6.0] for x in range(-36, 37, 12) for y in range(-36, 37, 12)], dtype=float)
QUARTER = {"resolution_percentage": 25, "cycles_samples": 4}
QUIET = QUARTER | {"noise_threshold": 0.0, "line_noise": 0.0}


def disc(size, column, row, radius):
    y, x = np.mgrid[:size, :size] + 0.5
    return np.hypot(x - column, y - row) < radius


def test_the_view_is_the_same_at_any_percentage(stage_beads):
    whole, quarter = stage_beads(GRID).technique, stage_beads(GRID, **QUARTER).technique
    assert (whole.camera.width, quarter.camera.width) == (960, 240)
    assert whole.camera.ortho_scale == quarter.camera.ortho_scale == 96.0
    assert whole.volume == quarter.volume
    assert whole.volume.upper == (60.0, 60.0, 51.2)


def test_outlines_in_the_picture_are_those_of_the_labels(stage_beads, take_picture, surface_of):
    beads = GRID.copy()
    beads[:, :2] += np.random.default_rng(3).uniform(-2.5, 2.5, (len(GRID), 2))
    features = QUIET | {"resolution_percentage": 50, "illumination_strength": 10.0, "detector_asymmetry": 0.0}
    scene = stage_beads(beads, patch_scale=0.0, defocus=3.0 / 51.2, **features)
    seen, ids = take_picture(scene) > 100, surface_of(scene).ids
    assert (seen != (ids > 0)).mean() < 0.012
    shifts = [_centre(seen & _around(ids == number)) - _centre(ids == number) for number in range(1, len(beads) + 1)]
    assert np.abs(np.mean(shifts, axis=0)).max() < 0.05


def _centre(where):
    return np.array([indices.mean() for indices in where.nonzero()])


def _around(where):
    return ndimage.binary_dilation(where, iterations=2)


def test_equal_seeds_give_equal_pixels_and_another_seed_other_noise(stage_beads, take_picture):
    first, again, other = (take_picture(stage_beads(GRID, seed, **QUARTER)) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).mean() > 0.3


def test_noise_rises_with_the_noise_threshold(stage_beads, take_picture):
    quiet = take_picture(stage_beads(GRID, **QUIET)).astype(float)
    sigmas = [
        (take_picture(stage_beads(GRID, **QUARTER | {"noise_threshold": threshold})) - quiet).std()
        for threshold in (0.02, 0.05, 0.1)
    ]
    assert sigmas == sorted(sigmas)
    assert sigmas[2] > 3 * sigmas[0]


def test_illumination_scales_brightness(stage_beads, take_picture):
    dim, bright = (take_picture(stage_beads(GRID, **QUIET | {"illumination_strength": s})).mean() for s in (0.5, 1.0))
    assert bright == pytest.approx(2 * dim, rel=0.03)


@pytest.mark.parametrize(("azimuth", "x", "y"), [(0, 1, 0), (90, 0, 1), (180, -1, 0), (270, 0, -1)])
def test_the_side_towards_the_detector_is_the_bright_one(stage_beads, take_picture, azimuth, x, y):
    grey = take_picture(stage_beads(LONE_BEAD, detector_azimuth=float(azimuth), detector_asymmetry=0.8, **QUIET))
    towards = grey[disc(240, 120 + 15 * x, 120 - 15 * y, 5)].mean()
    away = grey[disc(240, 120 - 15 * x, 120 + 15 * y, 5)].mean()
    assert towards > 1.2 * away


def test_the_edge_factor_brightens_the_rim(stage_beads, take_picture):
    def rim_over_centre(factor):
        grey = take_picture(stage_beads(LONE_BEAD, edge_factor=factor, detector_asymmetry=0.0, **QUIET))
        rim = disc(240, 120, 120, 24) & ~disc(240, 120, 120, 21)
        return grey[rim].mean() / grey[disc(240, 120, 120, 6)].mean()

    assert rim_over_centre(2.0) > 1.3 * rim_over_centre(0.0)


def test_particles_shadow_the_ground_between_them(stage_beads, take_picture):
    ring = [[7 * np.cos(t), 7 * np.sin(t), 6.0, 6.5] for t in np.arange(6) * np.pi / 3]
    centre = [[0.0, 0.0, 3.0, 6.0]]
    alone, crowded = (take_picture(stage_beads(np.array(beads), **QUIET)) for beads in (centre, centre + ring))
    where = disc(240, 120, 120, 4)
    assert crowded[where].mean() < 0.5 * alone[where].mean()


def test_defocus_blurs_points_off_the_focal_plane(stage_beads, take_picture, surface_of):
    def sharpness(defocus):
        grey = take_picture(stage_beads(GRID, defocus=defocus, **QUIET | {"resolution_percentage": 50})).astype(float)
        return np.abs(np.diff(grey, axis=1)).max(axis=1).mean()

    focused = 1 - (51.2 - 3.0) / 51.2
    assert sharpness(focused) > 1.2 * sharpness(0.6)


def test_a_negative_defocus_blurs_the_ground(stage_beads, take_picture):
    def sharpness(defocus):
        grey = take_picture(stage_beads(np.zeros((0, 4)), patch_scale=40.0, defocus=defocus, **QUIET)).astype(float)
        return np.abs(np.diff(grey, axis=1)).mean()

    assert sharpness(-10.0) < 0.9 * sharpness(0.0)


@pytest.mark.parametrize(("one", "other"), [(1, 2), (1.0, 1.4)])
def test_the_patch_seed_changes_the_ground_only(stage_beads, take_picture, surface_of, one, other):
    scenes = [stage_beads(GRID, patch_seed=seed, patch_scale=40.0, defocus=0.06, **QUIET) for seed in (one, other)]
    first, second = (take_picture(scene).astype(int) for scene in scenes)
    inside = np.logical_and.reduce([disc(240, 120 + 2.5 * x, 120 - 2.5 * y, 5) ^ True for x, y, _, _ in GRID])
    assert np.abs(first - second)[~inside].max() <= 1
    assert np.abs(first - second)[surface_of(scenes[0]).ids == 0].mean() > 3


def test_the_ground_is_mostly_dark_with_grey_patches(stage_beads, take_picture):
    grey = take_picture(stage_beads(np.zeros((0, 4)), patch_scale=48.0, **QUIET))
    assert np.median(grey) < 15
    assert np.percentile(grey, 99) > 30


def test_bodies_outside_the_selection_are_invisible_and_cast_shadows(stage_beads, take_picture):
    beads = np.array([[0.0, 0.0, 3.0, 6.0], [-6.0, 0.0, 6.0, 10.0]])
    scene = stage_beads(beads, patch_scale=0.0, **QUIET)
    both, first = np.array([True, True]), np.array([True, False])
    alone, shadowed = take_picture(scene, present=first), take_picture(scene, in_camera=first)
    assert shadowed[disc(240, 105, 120, 8)].max() < 40
    assert shadowed[disc(240, 120, 120, 5)].mean() < 0.8 * alone[disc(240, 120, 120, 5)].mean()
    assert take_picture(scene, present=both)[disc(240, 105, 120, 8)].min() > 40


def test_every_declared_technique_is_registered():
    from synth_api.prototypes.techniques import TECHNIQUES as DECLARED

    assert TECHNIQUES.keys() == DECLARED.keys()
