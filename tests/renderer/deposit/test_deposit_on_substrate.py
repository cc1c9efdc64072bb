"""Particles on a substrate: the requested coverage, the layout's places, little overlap."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from synth_renderer.model.deposit_report import DepositReport
from synth_renderer.model.errors import RenderError
from synth_renderer.model.transforms import compute_world_vertices
from synth_renderer.scene.staging import build_bodies
from synth_renderer.scene.world import World

TO_A_CELL = 20 / 512


def read_report(world: World) -> DepositReport:
    (entry,) = world.physics
    assert isinstance(entry, DepositReport)
    return entry


def places(world: World) -> NDArray[np.float64]:
    return np.array(world.particles.features.read_column("location").values)


def diameters(world: World) -> NDArray[np.float64]:
    return np.array(world.particles.features.read_column("dimensions").values)[:, 0]


def vertices(world: World) -> list[NDArray[np.float64]]:
    bodies = build_bodies(world.particles, np.ones(len(world.particles), dtype=bool), 0.1)
    return [compute_world_vertices(bodies, body) for body in range(len(bodies))]


def gaps(world: World) -> NDArray[np.float64]:
    """Distance from each sphere to the nearest other, in smaller radii."""
    location, radius = places(world), diameters(world) / 2
    result = []
    for i in range(len(location)):
        apart = np.linalg.norm(location - location[i], axis=1) - radius - radius[i]
        result.append((apart / np.minimum(radius, radius[i]))[np.arange(len(location)) != i].min())
    return np.array(result)


@pytest.mark.parametrize(
    ("layout", "coverage"), [("sparse", 0.05), ("sparse", 0.4), ("clusters", 0.5), ("heap", 0.9), ("lattice", 0.7)]
)
@pytest.mark.parametrize("spread", [1.0, 1.3])
def test_a_deposit_stops_at_the_requested_coverage(deposit, layout: str, coverage: float, spread: float) -> None:
    world = deposit(layout, coverage, spread=spread, number=1200, minimum_coverage=0.03)
    report = read_report(world)
    assert report.target == pytest.approx(coverage)
    assert report.coverage < coverage + 0.02
    assert report.coverage > coverage - 0.006 or (layout, spread) == ("lattice", 1.3)
    assert len(world.particles) == report.placed < report.offered == 1200


@pytest.mark.parametrize("layout", ["sparse", "clusters", "heap", "lattice"])
def test_spheres_overlap_by_a_hundredth_of_the_smaller_radius_at_most(deposit, layout: str) -> None:
    world = deposit(layout, 0.6, spread=1.25, number=900, minimum_coverage=0.03, pitch=1.0)
    assert read_report(world).sphere_overlap <= 0.01
    assert gaps(world).min() > -0.01
    assert (places(world)[:, 2] >= diameters(world) / 2 * 0.99).all()


def test_sparse_particles_lie_on_the_ground(deposit) -> None:
    world = deposit("sparse", 0.3)
    np.testing.assert_allclose(places(world)[:, 2], diameters(world) / 2, rtol=1e-3)


def test_particles_of_clusters_touch(deposit) -> None:
    world = deposit("clusters", 0.25, new_cluster_share=0.1)
    alone = (gaps(world) > 4 * TO_A_CELL).mean()
    assert 0 < alone < 0.15
    assert (gaps(deposit("sparse", 0.25)) > 4 * TO_A_CELL).mean() > 0.5


def test_a_larger_new_cluster_share_gives_more_clusters(deposit) -> None:
    def lonely(share: float) -> float:
        return float((gaps(deposit("clusters", 0.15, new_cluster_share=share)) > 4 * TO_A_CELL).mean())

    assert lonely(0.02) < lonely(0.5)


def test_a_heap_is_higher_in_the_middle_of_a_pile_and_flatter_when_it_rolls(deposit) -> None:
    pile = deposit("heap", 0.15, number=1500, piles=1, pile_width=0.1, rolling=0.0)
    flat = deposit("heap", 0.15, number=1500, piles=0, rolling=1.0)
    assert places(pile)[:, 2].max() > 2 * places(flat)[:, 2].max()
    assert len(pile.particles) > len(flat.particles)


@pytest.mark.parametrize(("lattice", "neighbours"), [("hexagonal", 6), ("square", 4)])
def test_lattice_sites_have_their_neighbours_at_the_pitch(deposit, lattice: str, neighbours: int) -> None:
    world = deposit("lattice", 0.5, lattice=lattice, pitch=1.1)
    tree = cKDTree(places(world)[:, :2])
    counts = [len(near) - 1 for near in tree.query_ball_point(places(world)[:, :2], 1.1 * 1.02)]
    assert np.median(counts) == neighbours
    nearest = tree.query(places(world)[:, :2], k=2)[0][:, 1]
    np.testing.assert_allclose(nearest, 1.1, rtol=1e-2)


def test_vacancies_leave_sites_empty(deposit) -> None:
    def all_of(share: float) -> float:
        return read_report(deposit("lattice", 1.0, number=900, minimum_coverage=0.1, vacancies=share)).coverage

    assert all_of(0.4) == pytest.approx(0.6 * all_of(0.0), rel=0.15)


@pytest.mark.parametrize("geometry", ["cube", "octahedron", "prism", "polyhedron", "rod", "rough_ellipsoid"])
def test_flat_bodies_are_lower_than_freely_oriented_ones(deposit, geometry: str) -> None:
    height = {"rod": 4.0, "rough_ellipsoid": 0.4}.get(geometry, 1.0)

    def heights(orientation: str) -> float:
        world = deposit("sparse", 0.2, geometry, height=height, orientation=orientation)
        return float(np.mean([np.ptp(body[:, 2]) for body in vertices(world)]))

    assert heights("flat") < 0.95 * heights("free")


def test_flat_cubes_lie_on_a_face(deposit) -> None:
    for body in vertices(deposit("sparse", 0.2, "cube", orientation="flat")):
        assert np.ptp(body[:, 2]) == pytest.approx(1, rel=1e-5)
        assert (body[:, 2] < 1e-4).sum() > 40


def test_particles_rest_on_the_ground_whatever_their_shape(deposit) -> None:
    for geometry in ("polyhedron", "raspberry", "bent_rod"):
        lowest = [body[:, 2].min() for body in vertices(deposit("sparse", 0.2, geometry))]
        assert np.abs(lowest).max() < 1e-5


def test_other_shapes_overlap_little_and_the_report_has_the_overlap(deposit) -> None:
    world = deposit("heap", 0.7, "cube", number=900)
    assert 0 <= read_report(world).largest_overlap < 0.1


def test_bodies_on_a_lattice_share_little_volume(deposit) -> None:
    for geometry in ("cube", "polyhedron"):
        world = deposit("lattice", 0.9, geometry, spread=1.5, number=900, minimum_coverage=0.1, pitch=1.0, jitter=0.1)
        assert read_report(world).largest_overlap < 0.15


def test_a_heap_stays_below_the_camera(deposit) -> None:
    world = deposit("heap", 1.0, size=4.0, piles=1, pile_width=0.03, rolling=0.0, minimum_coverage=0.0)
    assert 0 < read_report(world).placed < read_report(world).offered
    height, camera = max(points[:, 2].max() for points in vertices(world)), world.require_technique().build_camera()
    assert 0.5 * camera.location[2] < height < 0.95 * camera.location[2]


@pytest.mark.parametrize("cut", [True, False])
def test_the_frame_cuts_particles_by_default(deposit, cut: bool) -> None:
    world = deposit("sparse", 0.3, size=2.0, cut_by_frame=cut, minimum_coverage=0.1)
    outside = (np.abs(places(world)[:, :2]) + diameters(world)[:, None] / 2 > 10 + 1e-3).any()
    assert outside == cut


def test_an_unreachable_coverage_fails_with_the_coverage_reached(deposit) -> None:
    with pytest.raises(
        RenderError, match=r"layout 'sparse' finds no place for another particle of 'AllParticles' at a"
    ):
        deposit("sparse", 0.95, number=2000)


def test_a_particle_far_longer_than_the_picture_is_refused_before_any_is_put_down(deposit) -> None:
    message = r"^particle fibreP is 2000 scene units long, more than 16 times the picture's 20; make it smaller or"
    with pytest.raises(RenderError, match=message):
        deposit("sparse", 0.1, geometry="fibre", number=2, height=2000.0)


def test_too_few_particles_fail_with_the_coverage_reached(deposit) -> None:
    with pytest.raises(
        RenderError, match=r"all 20 particles .* cover [34]\.\d% of the picture, and 50.0% are asked for"
    ):
        deposit("sparse", 0.5, number=20)


def test_a_minimum_coverage_allows_less(deposit) -> None:
    assert read_report(deposit("sparse", 0.5, number=20, minimum_coverage=0.0)).placed == 20


def test_ids_are_renumbered_and_names_stay(deposit) -> None:
    names = deposit("sparse", 0.2).particles.names
    assert len(names) < 400
    assert names == [name for name in [f"rough_sphereP{f'.{i}' if i else ''}" for i in range(400)] if name in names]


def test_parameters_are_drawn_once_in_a_run(deposit) -> None:
    coverage = {"_target_": "$builtins.UniformDistributionNdHomogeneous", "location": 0.1, "scale": 0.3}
    choice = {"_target_": "$builtins.Choice", "values": ["sparse", "clusters", "heap"]}
    seen = {
        (report.layout, report.target)
        for report in (read_report(deposit(choice, coverage, seed=seed, number=600)) for seed in range(8))
    }
    assert len({target for _, target in seen}) == 8
    assert len({layout for layout, _ in seen}) > 1


def test_orientations_do_not_depend_on_the_layout(deposit) -> None:
    one, other = deposit("sparse", 0.2, "cube"), deposit("clusters", 0.2, "cube")
    shared = sorted(set(one.particles.names) & set(other.particles.names))
    assert len(shared) > 20
    for name in shared:
        first, second = (world.particles.quaternions[world.particles.names.index(name)] for world in (one, other))
        assert (first == second).all()
