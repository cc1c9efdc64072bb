"""Patterns of skins and grounds: each does what its name says, fixed to its particle, and no label shows it."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synth_api.prototypes.materials import PATTERNS
from synth_renderer.geometry.shapes import Shape, build_shape_mesh
from synth_renderer.techniques.sem_signal import patterns
from synth_renderer.techniques.sem_signal.ground_relief import add_pattern

KEY = np.uint64(4711)
LONE = np.array([[0.0, 0.0, 2.0, 8.0]])
QUIET = {"electrons": 0.0, "particle_variation": 0.0, "detector_asymmetry": 0.0}
BARE = QUIET | {"edge_strength": 0.0, "shadowing": 0.0, "crevice_shadowing": 0.0, "beam_blur": 0.0}
GREYS = ("facets", "bands", "stains")
RISING = ("dents", "dust", "flakes")
GOLDEN = "2371d9922c47f9cf508d2ec090311357ca6802e7e7f032e15fec059a3edd966e"
"""Digest of all patterns in a plane. When this fails: raise ENGINE_VERSION, then renew it."""


def evaluate(word: str, strength: float = 1.0, side: int = 60, key: np.uint64 = KEY) -> np.ndarray:
    """Height and grey (2, side, side) of a pattern in a plane, x in columns and z in rows, 12 units along each side."""
    places = np.arange(side) * (12.0 / side)
    kind = PATTERNS.index(word)
    seen = [[patterns.evaluate_pattern(kind, key, x, 0.4, z, strength) for x in places] for z in places]
    return np.moveaxis(np.array(seen), -1, 0)


def make_digest() -> str:
    return hashlib.sha256(np.array([evaluate(word) for word in PATTERNS]).astype("<f8").tobytes()).hexdigest()


@pytest.mark.slow
def test_patterns_are_the_same_on_any_processor(generic_processor):
    command = [sys.executable, "-c", "import test_patterns; print(test_patterns.make_digest())"]
    environment = os.environ | generic_processor | {"PYTHONPATH": str(Path(__file__).parent)}
    elsewhere = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert elsewhere.stdout.strip() == make_digest() == GOLDEN


@pytest.mark.parametrize("word", PATTERNS[1:])
def test_every_pattern_changes_from_place_to_place_and_with_its_key(word):
    height, grey = evaluate(word, side=120)
    other = evaluate(word, side=120, key=np.uint64(12))
    assert np.ptp(height) > 0.02 or np.ptp(grey) > 0.2
    assert (height != other[0]).any() or (grey != other[1]).any()
    assert np.abs(height).max() < 2.0
    assert 0.0 <= grey.min() <= grey.max() < 3.0


@pytest.mark.parametrize("word", PATTERNS[1:])
def test_strength_0_is_a_level_surface(word):
    height, grey = evaluate(word, 0.0)
    assert np.abs(height).max() == 0.0
    if word in GREYS:
        assert (grey == 1.0).all()


@pytest.mark.parametrize("word", sorted(set(PATTERNS[1:]) - set(GREYS) - set(RISING)))
def test_depths_lie_below_the_surface_and_grow_with_the_strength(word):
    shallow, deep = evaluate(word, 0.5)[0], evaluate(word, 1.0)[0]
    assert shallow.max() <= 0.0
    assert np.allclose(deep, 2.0 * shallow)


@pytest.mark.parametrize("word", GREYS)
def test_greys_have_no_height(word):
    assert (evaluate(word)[0] == 0.0).all()


@pytest.mark.parametrize(("word", "deep"), [("honeycomb", 0.6), ("pores", 0.5), ("cracks", 0.3), ("wrinkles", 0.3)])
def test_floors_are_darker_than_walls(word, deep):
    height, grey = evaluate(word)
    floor, top = height < -deep, height > -0.02
    assert floor.mean() > 0.003
    assert grey[floor].max() < 0.6 * grey[top].mean()


def test_pores_are_as_deep_as_wide_and_shadowed_by_the_configuration_factor():
    height, grey = evaluate("pores", side=240)
    assert height.min() < -0.75, "the widest are nearly 1 wide"
    level_floor = grey[height < -0.75]
    assert np.isclose(level_floor.min(), 0.2, atol=1e-6), "R^2 / (R^2 + (2 R)^2) on the floor of every pore"


def test_honeycombs_have_pores_about_as_deep_as_their_distance():
    height, _ = evaluate("honeycomb", side=120)
    assert 1.0 < -height.min() <= 1.3
    assert 0.1 < (height > -0.02).mean() < 0.5, "walls of one height"


def test_furrows_are_parallel_to_the_long_side():
    height, _ = evaluate("furrows", side=120)
    across, along = np.abs(np.diff(height, axis=1)).mean(), np.abs(np.diff(height, axis=0)).mean()
    assert across > 4.0 * along


def test_facets_are_cells_of_one_grey_each_and_bands_lines_of_one():
    assert 20 < len(np.unique(evaluate("facets")[1])) < 400
    bands = evaluate("bands")[1]
    assert (bands == bands[:1]).all()
    assert 8 <= len(np.unique(bands[0])) <= 14


def stage_skin(stage_beads, word, scale=0.15, strength=1.0, **more):
    return stage_beads(LONE, **BARE | more, particles={
        "skin_pattern": word, "skin_scale": scale, "skin_strength": strength, "skin_stretch": 1.0
    })  # fmt: skip


@pytest.mark.parametrize("word", PATTERNS[1:])
def test_a_skin_changes_its_particle_up_to_the_edge_and_nothing_else(stage_beads, take_picture, word):
    plain = take_picture(stage_beads(LONE, **BARE)).astype(int)
    seen = take_picture(stage_skin(stage_beads, word)).astype(int)
    y, x = np.mgrid[:128, :128] - 63.5
    inside, outside = np.hypot(x, y) < 39, np.hypot(x, y) > 41
    assert (seen != plain)[inside].any()
    assert (seen == plain)[outside].all()


def test_the_particle_without_a_skin_beside_one_with_stays(stage_beads, take_picture):
    pair = np.array([[-3.0, 0.0, 1.5, 3.0], [3.0, 0.0, 1.5, 3.0]])
    scene = stage_beads(pair, **BARE, particles={"skin_pattern": "honeycomb"})
    scene.features["skin_pattern"].values[1] = "none"
    seen, plain = take_picture(scene), take_picture(stage_beads(pair, **BARE))
    assert (seen[:, 64:] == plain[:, 64:]).all()
    assert (seen[:, :64] != plain[:, :64]).any()


def test_honeycombs_turn_with_their_particle(stage_beads, take_picture):
    scene = stage_skin(stage_beads, "honeycomb")
    half = np.array([[0.0, 0.0, 0.0, 1.0]])
    turned = replace(scene, bodies=replace(scene.bodies, quaternions=half))
    before, after = take_picture(scene).astype(int), take_picture(turned).astype(int)
    assert np.mean(np.abs(before[::-1, ::-1] - after)) < 0.3
    assert np.abs(before - after).mean() > 5


def test_charging_bands_follow_the_scan_lines_whatever_the_particle_s_pose(stage_beads, take_picture):
    scene = stage_skin(stage_beads, "bands", strength=0.3)
    turned = replace(scene, bodies=replace(scene.bodies, quaternions=np.array([[0.6, 0.48, 0.0, 0.64]])))
    for seen in (take_picture(scene), take_picture(turned)):
        middle = seen[:, 52:76]
        rows = (middle == middle[:, :1]).all(axis=1)
        assert rows.mean() > 0.9
        assert len(np.unique(middle[rows][:, 0])) > 5
    assert len(np.unique(take_picture(scene)[:, :20])) == 1, "they end at the particle's edge"


def test_slopes_of_a_skin_shine_by_the_tilt_yield(stage_beads, take_picture):
    level, bright = (
        take_picture(stage_skin(stage_beads, "steps", edge_strength=strength)).astype(int) for strength in (0.0, 1.5)
    )
    middle = (slice(48, 80), slice(48, 80))
    assert (bright - level)[middle].max() > 60, "risers"
    assert np.median((bright - level)[middle]) < 10, "terraces"


def test_a_skin_too_fine_to_be_seen_is_left_out(stage_beads, take_picture):
    plain = take_picture(stage_beads(LONE, **BARE))
    assert (take_picture(stage_skin(stage_beads, "honeycomb", scale=0.02)) == plain).all()


def test_furrows_follow_the_longest_axis_of_a_rod(stage_beads, take_picture):
    features = dict.fromkeys(("irregularity", "wrinkle_depth", "pore_depth", "step_depth", "flute_depth"), 0.0)
    rod = build_shape_mesh(Shape("rod", (0.55, 0.55, 3.3), 24, tuple(sorted((features | {
        "shape_seed": 0, "edge_rounding": 0.0, "flute_number": 12, "wrinkle_scale": 0.3, "pore_scale": 0.2,
        "step_number": 8.0}).items()))))  # fmt: skip
    scene = stage_skin(stage_beads, "furrows", scale=0.1)
    along_x = np.array([[np.sqrt(0.5), 0.0, np.sqrt(0.5), 0.0]])
    bodies = replace(scene.bodies, meshes=(rod,), quaternions=along_x, scales=np.full((1, 3), 3.5),
                     is_sphere=np.zeros(1, dtype=bool))  # fmt: skip
    middle = take_picture(replace(scene, bodies=bodies))[57:71, 40:88].astype(int)
    assert np.abs(np.diff(middle, axis=0)).mean() > 2.5 * np.abs(np.diff(middle, axis=1)).mean() > 0


@pytest.mark.parametrize("word", PATTERNS[1:])
def test_a_ground_has_its_pattern_and_no_particle_changes(stage_beads, take_picture, word):
    plain = take_picture(stage_beads(LONE, **BARE))
    seen = take_picture(stage_beads(LONE, **BARE, ground_pattern=word, ground_pattern_scale=0.1))
    y, x = np.mgrid[:128, :128] - 63.5
    inside, outside = np.hypot(x, y) < 39, np.hypot(x, y) > 41
    assert (seen == plain)[inside].all()
    assert (seen != plain)[outside].mean() > 0.02


def test_the_pattern_of_a_ground_is_the_same_view_at_any_percentage(stage_beads, take_picture):
    views = [
        take_picture(stage_beads(np.zeros((0, 4)), **BARE, ground_pattern="stains", resolution_percentage=percentage))
        for percentage in (100, 50)
    ]
    assert np.abs(views[0].reshape(64, 2, 64, 2).mean(axis=(1, 3)) - views[1]).mean() < 1.5


def test_elements_of_a_ground_are_long_across_its_azimuth():
    level, height = np.ones((200, 200), dtype=np.float32), np.zeros((200, 200), dtype=np.float32)
    add_pattern(level, height, KEY, PATTERNS.index("grains"), 0.5, 15.0, 8.0, (1.0, 0.0))
    assert np.abs(np.diff(height, axis=1)).mean() > 3.0 * np.abs(np.diff(height, axis=0)).mean()
