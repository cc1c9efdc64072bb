"""The instrument with all its effects over staged beads."""

import numpy as np
import pytest

LONE = np.array([[0.0, 0.0, 2.0, 4.0]])
ROW = np.array([[-3.0, 0.0, 1.5, 3.0], [0.5, 0.0, 1.5, 3.0], [4.0, 2.0, 1.5, 3.0]])
QUIET = {"electrons": 0.0, "particle_variation": 0.0, "detector_asymmetry": 0.0}
BARE = QUIET | {"edge_strength": 0.0, "shadowing": 0.0, "crevice_shadowing": 0.0, "beam_blur": 0.0}


def test_levels_are_those_of_the_recipe(stage_beads, take_picture):
    seen = take_picture(stage_beads(LONE, **BARE, ground_level=0.2, particle_contrast=0.4))
    assert seen[64, 64] == round(255 * 0.6)
    assert seen[2, 2] == round(255 * 0.2)


def test_a_bead_as_bright_as_the_ground_shows_by_rim_and_shadow(stage_beads, take_picture):
    assert len(np.unique(take_picture(stage_beads(LONE, **BARE, particle_contrast=0.0)))) == 1
    seen = take_picture(
        stage_beads(LONE, **BARE | {"edge_strength": 0.5, "shadowing": 1.5}, particle_contrast=0.0)
    ).astype(int)
    assert seen[64, 82] > seen[64, 64] + 5, "the rim"
    assert seen[64, 87] < seen[64, 2] - 10, "the contact shadow"


@pytest.mark.parametrize(("dark", "grey"), [(0.1, 0.0), (0.0, 0.15)])
def test_the_black_point_is_subtracted(stage_beads, take_picture, dark, grey):
    seen = take_picture(
        stage_beads(LONE, **BARE, ground_level=0.1 + 0.15 * (grey > 0) - 0.1 * (grey > 0), black_point=dark)
    )
    assert seen[2, 2] == pytest.approx(255 * grey, abs=1)


def test_bodies_outside_the_selection_only_cast_shadows(stage_beads, take_picture):
    scene = stage_beads(ROW, **QUIET | {"shadowing": 2.0})
    first = np.array([True, False, False])
    alone, shadowed = take_picture(scene, first, first), take_picture(scene, None, first)
    whole = take_picture(scene)
    assert whole[64, 69] > 100 > alone[64, 69]
    assert shadowed[64, 69] < alone[64, 69], "the second bead is not seen, but darkens its place"


def test_a_skin_roughens_the_particle_and_not_the_ground(stage_beads, take_picture):
    smooth = take_picture(stage_beads(LONE, **QUIET)).astype(int)
    rough = take_picture(stage_beads(LONE, **QUIET, particles={"roughness_slope": 0.3})).astype(int)
    y, x = np.mgrid[:128, :128] - 63.5
    inside, outside = np.hypot(x, y) < 15, np.hypot(x, y) > 24
    assert (rough - smooth)[inside].std() > 2
    assert (rough == smooth)[outside].all()


def test_a_skin_turns_with_its_particle(stage_beads, take_picture):
    from dataclasses import replace

    scene = stage_beads(LONE, **QUIET, particles={"roughness_slope": 0.3})
    half = np.array([[0.0, 0.0, 0.0, 1.0]])
    turned = replace(scene, bodies=replace(scene.bodies, quaternions=half))
    before, after = take_picture(scene).astype(int), take_picture(turned).astype(int)
    assert np.abs(before[::-1, ::-1] - after).max() <= 3
    assert np.abs(before - after).max() > 10


def test_a_core_shines_through_the_middle(stage_beads, take_picture):
    shell = take_picture(stage_beads(LONE, **BARE)).astype(int)
    core = take_picture(stage_beads(LONE, **BARE, particles={"core_size": 0.5, "core_brightness": 0.8})).astype(int)
    assert core[64, 64] == pytest.approx(1.8 * shell[64, 64], abs=2)
    assert core[64, 80] == pytest.approx(shell[64, 80], abs=1)


def test_a_transparent_particle_shows_the_ground_within_its_rim(stage_beads, take_picture):
    clear = BARE | {"edge_strength": 1.0, "transparency": 1.0, "ground_level": 0.2, "ground_gradient": 0.2}
    seen = take_picture(stage_beads(LONE, **clear)).astype(int)
    ground = take_picture(stage_beads(np.zeros((0, 4)), **clear)).astype(int)
    assert np.abs(seen - ground)[60:68, 60:68].max() <= 2
    assert (seen - ground)[64, 82] > 50, "the rim"


def test_a_share_of_the_particles_is_of_another_material(stage_beads, take_picture):
    beads = np.array([[2.5 * x - 5.0, 2.5 * y - 5.0, 1.0, 2.0] for x in range(5) for y in range(5)])
    other = BARE | {"composition_share": 0.4, "composition_contrast": 0.5}
    centres = (64 + 10 * beads[:, 0]).astype(int), (64 - 10 * beads[:, 1]).astype(int)
    greys = take_picture(stage_beads(beads, **other))[centres[1], centres[0]]
    assert set(greys) == {round(255 * 0.5), round(255 * 0.75)}
    assert 4 <= (greys > 130).sum() <= 16
    fewer = take_picture(stage_beads(beads[:9], **other))[centres[1][:9], centres[0][:9]]
    assert (fewer == greys[:9]).all(), "a particle keeps its material when others are left out"


def test_a_contact_is_dark_and_a_lone_rim_is_not(stage_beads, take_picture):
    pair, strict = np.array([[-2.0, 0.0, 2.0, 4.0], [2.0, 0.0, 2.0, 4.0]]), BARE | {"shadow_on_particles": 1.0}
    plain, shaded = (take_picture(stage_beads(pair, **f)).astype(int) for f in (BARE, strict))
    assert shaded[64, 63:65].max() < 0.6 * plain[64, 63]
    assert np.abs(shaded - plain)[64, :46].max() <= 1, "the other side of a bead, and the ground"


def test_the_automatic_levels_come_last_but_for_the_overlays(stage_beads, take_picture):
    features = {"auto_black": 0.2, "auto_white": 0.7, "electrons": 500.0, "panel_letter": 0.2}
    grey = take_picture(stage_beads(ROW, **features))
    bare = take_picture(stage_beads(ROW, **features | {"overlays": False}))
    assert np.percentile(bare, [0.3, 99.7]) == pytest.approx([255 * 0.2, 255 * 0.7], abs=2)
    assert grey.max() == 255, "the letter is white"


def test_inverted_contrast_turns_all_round_but_the_overlays(stage_beads, take_picture):
    seen, turned = (take_picture(stage_beads(ROW, panel_letter=0.2, inverted_contrast=on)) for on in (False, True))
    letter = seen == 255
    assert letter.any()
    assert (turned[letter] == 255).all()
    assert (np.abs(seen.astype(int) + turned - 255)[60:] <= 1).all()


def test_equal_seeds_give_equal_pixels_and_another_seed_other_noise(stage_beads, take_picture):
    first, again, other = (take_picture(stage_beads(ROW, seed)) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).mean() > 0.3


@pytest.mark.parametrize(
    ("feature", "value"),
    [
        ("line_noise", 0.05),
        ("streaks", 0.2),
        ("ground_texture", 0.1),
        ("drift", 1.0),
        ("panel_letter", 0.1),
        ("shadow_on_particles", 1.0),
        ("shadow_on_ground", 0.5),
    ],
)
def test_switching_one_effect_off_keeps_the_draws_of_the_others(stage_beads, take_picture, feature, value):
    """Shot noise stays the same: the difference from the picture without it does not change."""
    on, off = ({feature: strength} for strength in (value, 0.0))
    with_effect = take_picture(stage_beads(ROW, 3, **on, electrons=500.0)).astype(int)
    with_effect -= take_picture(stage_beads(ROW, 3, **on, electrons=0.0))
    without = take_picture(stage_beads(ROW, 3, **off, electrons=500.0)).astype(int)
    without -= take_picture(stage_beads(ROW, 3, **off, electrons=0.0))
    assert np.corrcoef(with_effect.ravel(), without.ravel())[0, 1] > 0.95


def test_a_particle_keeps_its_grey_when_another_is_added(stage_beads, take_picture):
    features = BARE | {"particle_variation": 0.2}
    assert (
        take_picture(stage_beads(ROW, **features))[64, 34] == take_picture(stage_beads(ROW[:1], **features))[64, 34]
    ).all()


def test_the_same_view_at_any_percentage(stage_beads, take_picture):
    scene, half = stage_beads(ROW, **BARE), stage_beads(ROW, **BARE, resolution_percentage=50)
    small = take_picture(scene).reshape(64, 2, 64, 2).mean(axis=(1, 3))
    assert np.abs(small - take_picture(half)).mean() < 1.5


def test_an_empty_scene_is_its_ground(stage_beads, take_picture):
    assert (take_picture(stage_beads(np.zeros((0, 4)), **BARE)) == round(255 * 0.15)).all()


@pytest.mark.parametrize(("ground", "grey"), [("vacuum", 0), ("plain", round(255 * 0.15))])
def test_other_grounds_are_flat(stage_beads, take_picture, ground, grey):
    assert (take_picture(stage_beads(LONE, **BARE, background=ground))[:5] == grey).all()


def test_patches_of_silicone_are_threads_on_dark(stage_beads, take_picture):
    seen = take_picture(stage_beads(np.zeros((0, 4)), **BARE, background="sem_patchy_silicone", patch_scale=12.0))
    assert 0.5 < (seen < 20).mean() < 0.95
    assert seen.max() > 80
