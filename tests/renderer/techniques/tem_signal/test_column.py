"""The whole signal of the transmission electron microscope, on beads."""

import math
from dataclasses import replace

import numpy as np
import pytest

from synth_renderer.geometry.meta_balls import FUSED_GEOMETRY
from synth_renderer.techniques.tem_signal.substance import build_substance

BEAD = [[0.0, 0.0, 4.0, 8.0]]
SHARP = {"lens_radius": 0.0}
MIDDLE = (64, 64)


def test_white_where_nothing_is(stage_beads, take_picture):
    assert (take_picture(stage_beads([])) == 255).all()
    picture = take_picture(stage_beads(BEAD))
    assert picture[:20].min() == 255
    assert picture[MIDDLE] < 100


@pytest.mark.parametrize(("density", "exponent"), [(0.0, 0.0), (0.2, 0.8), (1.0, 4.0)])
def test_the_predecessors_material_absorbs_half_its_density_per_unit(stage_beads, take_picture, density, exponent):
    picture = take_picture(stage_beads(BEAD, {"density": density}, material="tem_amorphous", **SHARP))
    assert picture[MIDDLE] == pytest.approx(255 * math.exp(-exponent), abs=1.5)


def test_absorption_is_the_exponent_across_the_particle_whatever_its_size(stage_beads, take_picture):
    for size in (2.0, 8.0):
        picture = take_picture(stage_beads([[0.0, 0.0, 5.0, size]], {"absorption": 0.7}, **SHARP))
        assert picture[MIDDLE] == pytest.approx(255 * math.exp(-0.7), abs=2)


def test_bodies_that_overlap_absorb_together_in_any_order(stage_beads, take_picture):
    over = [*BEAD, [2.0, 0.0, 20.0, 8.0]]
    one, two, both = (take_picture(stage_beads(beads, **SHARP)).astype(float) / 255 for beads in (BEAD, over[1:], over))
    assert both == pytest.approx(one * two, abs=0.01)
    assert np.abs(take_picture(stage_beads(over[::-1], **SHARP)).astype(int) - 255 * both).max() <= 1


def test_bodies_that_are_only_present_change_nothing(stage_beads, take_picture):
    scene = stage_beads([*BEAD, [3.0, 0.0, 4.0, 8.0]])
    picture = take_picture(scene, in_camera=np.array([True, False]))
    assert (picture == take_picture(stage_beads(BEAD))).all()


def test_a_core_replaces_the_shell(stage_beads, take_picture):
    shell = {"absorption": 0.8, "core_size": 0.5}
    same, cavity, dense = (
        take_picture(stage_beads(BEAD, shell | {"core_absorption": factor}, **SHARP))[MIDDLE] for factor in (1, 0, 3)
    )
    assert same == pytest.approx(255 * math.exp(-0.8), abs=1.5)
    assert cavity == pytest.approx(255 * math.exp(-0.4), abs=1.5)
    assert dense == pytest.approx(255 * math.exp(-1.6), abs=1.5)


def test_what_lies_off_the_focal_plane_is_blurred(stage_beads, take_picture):
    def measure_steepness(**features):
        return int(np.diff(take_picture(stage_beads(BEAD, **features))[64].astype(int)).min())

    sharp, focused, blurred = (
        measure_steepness(**SHARP),
        measure_steepness(defocus=4.0 / 51.2),
        measure_steepness(defocus=0.7),
    )
    assert abs(sharp - focused) <= 4
    assert blurred > 0.6 * sharp


def test_drift_smears_along_its_direction_alone(stage_beads, take_picture):
    still, moved = (take_picture(stage_beads(BEAD, drift=length, **SHARP)).astype(int) for length in (0.0, 12.0))
    assert (moved < 250).any(axis=0).sum() >= (still < 250).any(axis=0).sum() + 8
    assert (moved < 250).any(axis=1).sum() <= (still < 250).any(axis=1).sum()
    turned = take_picture(stage_beads(BEAD, drift=12.0, drift_azimuth=90.0, **SHARP)).astype(int)
    assert np.abs(turned - moved.T).max() <= 2


def test_dark_field_shows_what_is_scattered_and_the_aperture_passes_a_share_of_it(stage_beads, take_picture):
    bright, dark = (take_picture(stage_beads(BEAD, dark_field=field, **SHARP)).astype(int) for field in (False, True))
    assert np.abs(255 - dark - bright).max() <= 1
    passing = take_picture(stage_beads(BEAD, scattered_share=0.5, **SHARP))
    assert passing == pytest.approx(255 - 0.5 * dark, abs=1)


def test_noise_is_in_proportion_to_the_threshold_and_off_without_electrons(stage_beads, take_picture):
    def measure_noise(**features):
        return float(take_picture(stage_beads([], gain=0.5, **features)).std())

    assert measure_noise(noise_threshold=0.1) == 0.0
    assert measure_noise(electrons=1000.0, noise_threshold=0.0) == 0.0
    nominal = measure_noise(electrons=1000.0)
    assert nominal == pytest.approx(255 * math.sqrt(0.5 / 1000), rel=0.1)
    assert measure_noise(electrons=1000.0, noise_threshold=0.1) == pytest.approx(2 * nominal, rel=0.1)


def test_particles_differ_by_their_own_draws(stage_beads, take_picture):
    beads = [[x, 0.0, 2.0, 3.0] for x in (-4.5, 0.0, 4.5)]
    places = [(64, 19), (64, 64), (64, 109)]
    varied = take_picture(stage_beads(beads, particle_variation=0.3, **SHARP))
    first, second, third = (int(varied[place]) for place in places)
    assert len({first, second, third}) == 3
    other = take_picture(stage_beads(beads, particle_variation=0.3, seed=1, **SHARP))
    assert int(other[places[0]]) != first
    fewer = take_picture(stage_beads(beads[:2], particle_variation=0.3, **SHARP))
    assert int(fewer[places[0]]) == first, "a draw depends on the particle alone"


def test_balls_that_fuse_share_their_draw(stage_beads):
    scene = stage_beads([[-4.5, 0.0, 2.0, 3.0], [4.5, 0.0, 2.0, 3.0]], particle_variation=0.3)
    assert len(set(build_substance(scene).absorptions)) == 2
    fused = replace(scene, geometries=(FUSED_GEOMETRY,) * 2)
    assert len(set(build_substance(fused).absorptions)) == 1


def test_texture_and_crystals_are_the_same_for_the_same_seed_and_off_at_zero(stage_beads, take_picture):
    plain = take_picture(stage_beads(BEAD, **SHARP))
    for on in ({"texture": 0.3}, {"crystal_contrast": 0.8}):
        picture = take_picture(stage_beads(BEAD, on, **SHARP))
        assert (picture != plain).any()
        assert (picture == take_picture(stage_beads(BEAD, on, **SHARP))).all()
        assert (picture != take_picture(stage_beads(BEAD, on, seed=1, **SHARP))).any()
        assert (picture[plain == 255] == 255).all(), "outlines stay"
    for off in ({"texture_scale": 0.1}, {"crystal_grains": 9, "twin_planes": 3, "bend_contours": 5.0}):
        assert (take_picture(stage_beads(BEAD, off, **SHARP)) == plain).all()


def test_the_film_absorbs_where_it_is(stage_beads, take_picture):
    def measure(**features):
        return take_picture(stage_beads([], background="tem_film", **SHARP, **features))

    assert measure(film_absorption=0.5) == pytest.approx(255 * math.exp(-0.5), abs=1)
    holes = measure(film_absorption=0.5, film_form="holey", film_hole_share=0.4)
    assert (holes == 255).mean() == pytest.approx(0.4, abs=0.08)
    assert (holes < 160).mean() == pytest.approx(0.6, abs=0.08)


def test_phase_shows_only_out_of_focus(stage_beads, take_picture):
    phase = {"absorption": 0.0, "phase_shift": 1.0}
    assert (take_picture(stage_beads(BEAD, phase, **SHARP)) == 255).all()
    under, over = (
        take_picture(stage_beads(BEAD, phase, underfocus=defocus, gain=0.5, **SHARP)).astype(int)
        for defocus in (1500.0, -1500.0)
    )
    edge = slice(98, 110)
    assert under[64, edge].max() > 134, "a bright fringe outside the edge"
    assert over[64, edge].min() < 120, "a dark one"


def test_a_dark_field_picture_has_no_phase(stage_beads, take_picture):
    shift = {"phase_shift": 3.0, "absorption": 0.5}
    first, second = (
        take_picture(stage_beads(BEAD, shift | {"phase_shift": phase}, dark_field=True, underfocus=800.0, **SHARP))
        for phase in (0.0, 3.0)
    )
    assert (first == second).all()


@pytest.mark.parametrize(
    "features",
    [
        {"phase_speckle": 0.3, "underfocus": 800.0},
        {"beam_falloff": 0.4},
        {"camera": "ccd"},
        {"electrons": 300.0, "read_noise": 5.0},
        {"gain_variation": 0.02},
    ],
)
def test_each_effect_of_the_column_changes_the_picture_and_repeats(stage_beads, take_picture, features):
    plain = take_picture(stage_beads(BEAD, gain=0.9))
    picture = take_picture(stage_beads(BEAD, gain=0.9, **features))
    assert (picture != plain).any()
    scene = stage_beads(BEAD, gain=0.9, **features)
    assert (take_picture(scene) == picture).all()
