"""Particles that touch: rafts, chains, rings, second layers, crystals, satellites."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from synth_api.recipe.canonical_tree import build_canonical_tree
from synth_renderer.deposit.clusters import GrowingCluster
from synth_renderer.deposit.landscape import create_landscape
from synth_renderer.deposit.overlap import measure_largest_shared_volume
from synth_renderer.deposit.profile import build_profile
from synth_renderer.model.deposit_report import DepositReport
from synth_renderer.model.transforms import compute_world_vertices, rotation_matrix
from synth_renderer.scene.staging import build_bodies
from synth_renderer.scene.world import World

CELL = 20 / 512
TIMES_FINER = 5
"""The map on which the tests measure overlaps, compared with that of the deposit."""


def places(world: World) -> NDArray[np.float64]:
    return np.array(world.particles.features.read_column("location").values)


def diameters(world: World) -> NDArray[np.float64]:
    return np.array(world.particles.features.read_column("dimensions").values)[:, 0]


def count_contacts(world: World) -> NDArray[np.int64]:
    """Other spheres within two cells of each."""
    location, radius = places(world), diameters(world) / 2
    apart = np.linalg.norm(location[:, None] - location, axis=2) - radius[:, None] - radius
    return np.asarray((apart < 2 * CELL).sum(axis=1) - 1)


def headings(world: World) -> NDArray[np.float64]:
    """Direction of each body's axes in the plane, degrees, modulo a right angle."""
    result = []
    for quaternion in world.particles.quaternions:
        axes = rotation_matrix(quaternion)
        level = axes[:, np.argmin(np.abs(axes[2]))]
        result.append(np.degrees(np.arctan2(level[1], level[0])) % 90)
    return np.round(result, 4) % 90


def measure_overlap(world: World) -> float:
    """Largest share of a body's volume within another one, on a finer map and from the meshes of the picture."""
    bodies = build_bodies(world.particles, np.ones(len(world.particles), dtype=bool), 0.1)
    land = create_landscape((20.0, 20.0), 1.0)
    land = land._replace(cell=land.cell / TIMES_FINER)
    profiles, middles = [], []
    for body in range(len(bodies)):
        points = compute_world_vertices(bodies, body)
        middle = points.mean(axis=0)
        middle[:2] = (np.floor(middle[:2] / land.cell) + 0.5) * land.cell
        profiles.append(build_profile(points - middle, bodies.meshes[bodies.mesh_index[body]].triangles, land.cell))
        middles.append(middle)
    return measure_largest_shared_volume(land, profiles, np.array(middles))


def test_spheres_of_a_raft_lie_in_the_pockets_between_others(deposit) -> None:
    rafts = count_contacts(deposit("rafts", 0.3, cluster_size=40, spread=1.1))
    clusters = count_contacts(deposit("clusters", 0.3, spread=1.1))
    assert np.mean(rafts) > 3
    assert np.mean(rafts) > 1.5 * np.mean(clusters)


def test_a_small_sphere_lies_below_the_overhang_of_a_large_one(deposit) -> None:
    world = deposit("rafts", 0.4, cluster_size=20, spread=1.6)
    location, radius = places(world), diameters(world) / 2
    level = np.linalg.norm(location[:, None, :2] - location[:, :2], axis=2) - radius[:, None] - radius
    assert (level[~np.eye(len(level), dtype=bool)] < -2 * CELL).any()
    (report,) = world.physics
    assert isinstance(report, DepositReport)
    assert report.sphere_overlap < 0.01


@pytest.mark.parametrize("size", [1, 2, 5])
def test_clusters_grow_with_the_size_allowed(deposit, size: int) -> None:
    world = deposit("rafts", 0.1, size=0.7, cluster_size=size)
    tree = cKDTree(places(world)[:, :2])
    near = np.array([len(found) for found in tree.query_ball_point(places(world)[:, :2], 0.7 + 2 * CELL)])
    assert size * 0.55 < np.mean(near) < 1.1 * size


def test_spheres_of_chains_touch_two_others_at_most_where_chains_do_not_meet(deposit) -> None:
    contacts = count_contacts(deposit("chains", 0.15, size=0.8, cluster_size=30))
    assert (contacts == 2).mean() > 0.4
    assert (contacts > 2).mean() < 0.1


@pytest.mark.parametrize("key", range(20))
def test_a_ring_comes_round(key: int) -> None:
    ring = GrowingCluster.begin("rings", np.uint64(key), 24)
    ring.join(0.0, 0.0, 1.0)
    while not ring.is_complete:
        ((start, _),) = ring.list_paths(1.0, np.uint64(0))
        ring.join(*start, 1.0)
    x, y, _ = ring.members[-1]
    if ring.size > 2:
        assert np.hypot(x, y) == pytest.approx(2, abs=1e-4)


@pytest.mark.parametrize(
    "geometry", ["cube", "rod", "bent_rod", "polyhedron", "prism", "bipyramid", "flake", "star", "spiky_sphere"]
)
@pytest.mark.parametrize("orientation", ["aligned", "free"])
def test_bodies_of_rafts_do_not_interpenetrate(deposit, geometry: str, orientation: str) -> None:
    height = {"rod": 4.0, "bent_rod": 4.0, "flake": 0.1, "star": 0.3}.get(geometry, 1.0)
    step = {"cluster_size": 20, "orientation": orientation, "second_layer": 0.2, "minimum_coverage": 0.1}
    world = deposit("rafts", 0.3, geometry, 60, size=1.5, spread=1.1, height=height, **step)
    assert measure_overlap(world) < 0.01


def test_fibres_lie_over_each_other_and_bend_down_between(deposit) -> None:
    step = {"orientation": "flat", "minimum_coverage": 0.2}
    world = deposit("heap", 0.5, "fibre", 40, size=0.6, spread=1.2, height=25.0, **step)
    assert measure_overlap(world) < 0.01
    assert any(world.particles.supports)
    bodies = build_bodies(world.particles, np.ones(len(world.particles), dtype=bool), 0.1)
    tops = [compute_world_vertices(bodies, body)[:, 2].max() for body in range(len(bodies))]
    lows = [compute_world_vertices(bodies, body)[:, 2].min() for body in range(len(bodies))]
    assert np.mean(np.array(lows) < 0.1) > 0.8, "most reach the ground somewhere"
    assert max(tops) < 6, "they do not stand on each other like rigid rods"


def test_fibres_of_a_sparse_deposit_do_not_cross(deposit) -> None:
    world = deposit("sparse", 0.15, "fibre", 40, size=0.6, height=25.0, orientation="flat", minimum_coverage=0.05)
    assert not any(world.particles.supports)
    assert world.physics[0].largest_overlap == 0


def test_fibres_of_free_orientation_stay_as_they_are(deposit) -> None:
    world = deposit("heap", 0.2, "fibre", 10, size=0.6, height=25.0, orientation="free", minimum_coverage=0.0)
    assert not any(world.particles.supports)


def test_aligned_cubes_have_the_heading_of_their_raft_those_on_top_too(deposit) -> None:
    step = {"cluster_size": 400, "second_layer": 0.3, "minimum_coverage": 0.1}
    aligned = deposit("rafts", 0.4, "cube", size=1.5, orientation="aligned", **step)
    assert (places(aligned)[:, 2] > 1.5).any()
    assert len(set(headings(aligned))) < 4
    assert len(set(headings(deposit("rafts", 0.4, "cube", size=1.5, orientation="flat", **step)))) > 10


@pytest.mark.parametrize("layout", ["sparse", "clusters", "heap"])
def test_bodies_that_are_in_no_raft_have_headings_of_their_own(deposit, layout: str) -> None:
    assert len(set(headings(deposit(layout, 0.2, "cube", size=1.5, orientation="aligned")))) > 10


def test_aligned_rods_lie_side_by_side(deposit) -> None:
    world = deposit("rafts", 0.2, "rod", height=4.0, size=1.5, cluster_size=6, orientation="aligned")
    tree = cKDTree(places(world)[:, :2])
    nearest = tree.query(places(world)[:, :2], k=2)[0][:, 1]
    width = 1.5
    assert np.median(nearest) == pytest.approx(width, abs=3 * CELL)


@pytest.mark.parametrize("layout", ["rafts", "lattice"])
def test_a_second_layer_rests_on_the_first_which_it_leaves_as_it_was(deposit, layout: str) -> None:
    step = {"geometry": "polyhedron", "cluster_size": 40, "pitch": 1.0, "minimum_coverage": 0.1}
    one, two = deposit(layout, 0.4, **step), deposit(layout, 0.4, second_layer=0.25, **step)
    assert len(two.particles) == len(one.particles) + round(0.25 * len(one.particles))
    first = dict(zip(one.particles.names, places(one).tolist(), strict=True))
    for name, place in zip(two.particles.names, places(two).tolist(), strict=True):
        assert first.get(name, place) == place
        if name not in first:
            assert place[2] > places(one)[:, 2].max() * 0.9


@pytest.mark.parametrize("crystals", [1, 4])
def test_each_crystal_has_a_heading_of_its_own(deposit, crystals: int) -> None:
    step = {"lattice": "square", "orientation": "flat", "minimum_coverage": 0.1}
    world = deposit("lattice", 0.9, "cube", crystals=crystals, **step)
    assert len(set(headings(world))) == crystals


@pytest.mark.parametrize("layout", ["sparse", "clusters", "rafts", "heap"])
@pytest.mark.parametrize(("size", "away"), [(3.0, 20 / 6), (18.0, 1.0)])
def test_a_deposit_may_begin_in_the_middle(deposit, layout: str, size: float, away: float) -> None:
    world = deposit(layout, 0.1, size=size, begin_in_middle=True, cut_by_frame=False)
    assert np.abs(places(world)[0, :2]).max() < away


def test_satellites_sit_on_the_particles_that_lie_there(deposit_beside) -> None:
    world = deposit_beside("satellites", 0.1)
    is_large, location = diameters(world) == 5, places(world)
    assert 0 < is_large.sum() < 6
    assert (~is_large).sum() > 5
    apart = np.linalg.norm(location[~is_large, None] - location[is_large], axis=2) - 2.8
    assert (np.abs(apart).min(axis=1) < 2 * CELL).mean() > 0.7
    assert apart.min() > -2 * CELL
    (_, report) = world.physics
    assert isinstance(report, DepositReport)
    assert report.coverage == pytest.approx(0.1, abs=0.01)


def test_other_layouts_keep_off_the_particles_that_lie_there(deposit_beside) -> None:
    world = deposit_beside("sparse", 0.05)
    is_large, location = diameters(world) == 5, places(world)
    level = np.linalg.norm(location[~is_large, None, :2] - location[is_large, :2], axis=2)
    assert level.min() > 2.8 - 2 * CELL


def test_satellites_leave_the_particles_below_them_as_they_were(deposit_beside) -> None:
    few, many = deposit_beside("satellites", 0.02), deposit_beside("satellites", 0.2)
    for world in (few, many):
        assert (
            world.particles.names[: (diameters(few) == 5).sum()] == few.particles.names[: (diameters(few) == 5).sum()]
        )
    assert (places(few)[diameters(few) == 5] == places(many)[diameters(many) == 5]).all()
    assert len(many.particles) > len(few.particles)


PLACES = """
import hashlib, json, sys
from synth_api.recipe.parsing import parse_recipe
from synth_renderer.scene.world import World
from synth_renderer.steps.feature_generation import run_generation_steps
from synth_renderer.steps.stopwatch import Stopwatch
digest = hashlib.sha256()
for tree in json.load(sys.stdin):
    world = World(parse_recipe(tree))
    run_generation_steps(world, Stopwatch())
    digest.update(world.particles.quaternions.tobytes())
    digest.update(repr(world.particles.features.read_column("location").values).encode())
print(digest.hexdigest())
"""


@pytest.mark.slow
def test_arrangements_are_the_same_on_any_processor(deposit, generic_processor: dict[str, str]) -> None:
    step = {"minimum_coverage": 0.05, "second_layer": 0.2, "orientation": "aligned", "spread": 1.2}
    recipes = [
        deposit("rafts", 0.3, "polyhedron", **step).recipe,
        deposit("chains", 0.2, "cube", **step).recipe,
        deposit("rings", 0.2, "rough_sphere", **step).recipe,
        deposit("lattice", 0.5, "cube", crystals=3, **step).recipe,
    ]
    given = json.dumps([build_canonical_tree(recipe) for recipe in recipes])

    def digest(**environment: str) -> str:
        command, whole = [sys.executable, "-c", PLACES], {**os.environ, **environment}
        return subprocess.run(command, env=whole, input=given, text=True, check=True, capture_output=True).stdout

    assert digest(**generic_processor) == digest()
