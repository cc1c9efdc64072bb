import math

import numpy as np
import pytest
from numpy.typing import NDArray

from synth_renderer.model.errors import PhysicsError
from synth_renderer.model.staged_scene import Box
from synth_renderer.physics.forces import Forces
from synth_renderer.physics.spheres import settle_spheres


def falling(gravity: float = -100.0, **others: float) -> Forces:
    return Forces(**{"num_frames": 250, "use_gravity": True, "gravity": (0.0, 0.0, gravity)} | others)  # type: ignore[arg-type]


def drop(forces: Forces, height: float = 40.0) -> tuple[float, bool]:
    room = Box((-50, -50, 0), (50, 50, 100))
    settled, report = settle_spheres(np.array([[0.0, 0.0, height]]), np.array([3.0]), forces, room)
    return float(settled[0, 2]), report.came_to_rest


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 20))])
def test_weak_gravity_leaves_a_looser_heap(start, box, seed):
    # Heaps of the seeds 9 and 17 are not at rest after 250 frames.
    heights = []
    for gravity in (-100.0, -10000.0):
        locations, radii = start(600, seed)
        settled, report = settle_spheres(locations, radii, falling(gravity, num_frames=500), box)
        assert report.came_to_rest
        assert report.largest_overlap <= 0.001
        assert (settled >= np.array(box.lower) + radii[:, None] * 0.999).all()
        assert (settled <= np.array(box.upper) - radii[:, None] * 0.999).all()
        heights.append(settled[:, 2].mean())
    assert heights[0] >= 1.05 * heights[1]


def test_every_bead_of_a_heap_touches_a_support(start, box):
    locations, radii = start(600, 0)
    settled, _ = settle_spheres(locations, radii, falling(), box)
    distances = np.sqrt(((settled[:, None] - settled[None]) ** 2).sum(axis=2)) - radii[:, None] - radii[None]
    lower = settled[:, None, 2] > settled[None, :, 2]
    gaps = np.minimum(np.where(lower, distances, np.inf).min(axis=1), settled[:, 2] - radii)
    assert gaps.max() <= 0.01 * radii.min()


def test_few_beads_lie_in_one_layer(start, box):
    locations, radii = start(100, 0)
    settled, _ = settle_spheres(locations, radii, falling(), box)
    assert (settled[:, 2] < 1.05 * radii).mean() > 0.9


def radius_of_gyration(locations: NDArray[np.float64]) -> float:
    return float(np.sqrt(((locations - locations.mean(axis=0)) ** 2).sum(axis=1).mean()))


def test_without_gravity_an_overlap_drives_two_beads_apart_and_moves_no_other():
    start = np.array([[0.0, 0, 0], [3, 0, 0], [50, 0, 0]])
    settled, report = settle_spheres(start, np.full(3, 2.0), Forces(), None)
    # An overlap of 1 gives a speed of 0.2 x 240 per s, of which damping at 16.1 per s leaves a way of 2.9.
    np.testing.assert_allclose(settled, [[-1.46, 0, 0], [4.46, 0, 0], [50, 0, 0]], atol=0.1)
    assert report.came_to_rest


@pytest.mark.parametrize(
    ("number", "diameter", "width", "damping", "restitution", "bullet"),
    [
        (40, 0.6, 2.0, 0.9999999, 1.0, 1.390),
        (40, 0.6, 2.0, 0.9999999, 0.0, 1.319),
        (40, 0.3, 2.0, 0.9999999, 1.0, 1.004),
        (100, 0.6, 2.0, 0.9999999, 1.0, 2.416),
        (10, 0.6, 0.2, 0.9999999, 1.0, 15.419),
        (40, 0.6, 2.0, 0.04, 1.0, 34.03),
        (40, 0.6, 2.0, 0.04, 0.0, 29.92),
        (40, 0.3, 2.0, 0.04, 1.0, 2.760),
    ],
)
def test_without_gravity_overlaps_drive_beads_as_far_apart_as_in_bullet(
    number, diameter, width, damping, restitution, bullet
):
    """`bullet`: the growth of the radius of gyration that bpy 4.5's rigid bodies of shape SPHERE gave in 100 frames."""
    locations = np.random.default_rng(0).uniform(-width / 2, width / 2, (number, 3))
    forces = Forces(linear_damping=damping, angular_damping=damping, restitution=restitution)
    settled, report = settle_spheres(locations, np.full(number, diameter / 2), forces, None)
    assert radius_of_gyration(settled) / radius_of_gyration(locations) == pytest.approx(bullet, rel=0.15)
    assert report.largest_overlap <= 0.001


def test_without_gravity_and_overlaps_nothing_moves():
    start = np.array([[0.0, 0, 0], [5, 0, 0]])
    settled, report = settle_spheres(start, np.full(2, 2.0), Forces(), None)
    np.testing.assert_array_equal(settled, start)
    assert (report.frames, report.came_to_rest) == (0, True)


def test_without_frames_overlaps_are_pushed_apart():
    start = np.array([[0.0, 0, 0], [3, 0, 0]])
    settled, _ = settle_spheres(start, np.full(2, 2.0), Forces(num_frames=0), None)
    np.testing.assert_allclose(settled, [[-0.5, 0, 0], [3.5, 0, 0]], atol=0.004)


@pytest.mark.parametrize("margin", [0.0, 0.5, 1.0])
def test_a_collision_margin_is_a_gap_around_every_bead(margin):
    """Bullet leaves 0.98 between two hulls, and 0.48 to a wall, at a margin of 0.5."""
    start, radii = np.array([[-10.0, 0, 0], [-3, 0, 0]]), np.array([2.0, 1.5])
    forces = Forces(num_frames=200, use_gravity=True, gravity=(-100.0, 0.0, 0.0), collision_margin=margin)
    settled, report = settle_spheres(start, radii, forces, Box((-20, -5, -5), (20, 5, 5)))
    assert settled[0, 0] - radii[0] == pytest.approx(-20 + margin, abs=0.01)
    assert settled[1, 0] - settled[0, 0] - radii.sum() == pytest.approx(2 * margin, abs=0.02)
    assert report.largest_overlap <= 0.001


def test_a_collision_margin_counts_without_gravity_too():
    start = np.array([[0.0, 0, 0], [5, 0, 0]])
    settled, _ = settle_spheres(start, np.full(2, 2.0), Forces(collision_margin=1.0, num_frames=0), None)
    assert settled[1, 0] - settled[0, 0] == pytest.approx(6.0, abs=0.01)


def test_no_spheres_settle_to_no_locations(box):
    settled, report = settle_spheres(np.zeros((0, 3)), np.zeros(0), falling(), box)
    assert settled.shape == (0, 3)
    assert report.came_to_rest


def test_one_bead_rests_on_the_floor():
    height, at_rest = drop(falling())
    assert at_rest
    assert height == pytest.approx(3.0, abs=0.003)


def test_a_fall_has_the_terminal_speed_of_the_damping():
    speed = 100 / -math.log1p(-0.9999999)
    fallen = 60 - drop(Forces(num_frames=48, use_gravity=True, gravity=(0, 0, -100)), height=60)[0]
    assert fallen == pytest.approx(speed * (2 - speed / 100), rel=0.05)


def test_the_report_has_the_numbers_used(start, box):
    locations, radii = start(20, 0)
    _, report = settle_spheres(locations, radii, falling(num_frames=4, substeps_per_frame=3, solver_iterations=5), box)
    assert (report.frames, report.substeps, report.came_to_rest) == (4, 3, False)
    assert 1 <= report.iterations <= 5
    _, fast = settle_spheres(locations, radii, falling(-10000.0, num_frames=4), box)
    assert fast.substeps > 10


def test_too_few_frames_are_not_rest():
    assert not drop(Forces(num_frames=20, use_gravity=True, gravity=(0, 0, -100)))[1]


def test_time_scale_stretches_time():
    half = drop(Forces(num_frames=40, use_gravity=True, time_scale=0.5, gravity=(0, 0, -100)))[0]
    whole = drop(Forces(num_frames=20, use_gravity=True, gravity=(0, 0, -100)))[0]
    assert half == pytest.approx(whole, rel=0.01)


def test_gravity_may_have_any_direction():
    forces = Forces(num_frames=250, use_gravity=True, gravity=(100, 0, 0))
    settled, _ = settle_spheres(np.array([[0.0, 0, 25]]), np.array([3.0]), forces, Box((-9, -9, 0), (9, 9, 50)))
    np.testing.assert_allclose(settled, [[6, 0, 25]], atol=0.003)


def test_restitution_makes_a_bead_rebound():
    undamped = {"linear_damping": 0.0, "num_frames": 24, "use_gravity": True, "gravity": (0.0, 0.0, -100.0)}
    dead = drop(Forces(restitution=0.0, **undamped), height=30.0)[0]  # type: ignore[arg-type]
    lively = drop(Forces(restitution=1.0, **undamped), height=30.0)[0]  # type: ignore[arg-type]
    assert dead == pytest.approx(3.0, abs=0.01)
    assert lively > 10


def test_friction_holds_a_bead_on_a_slope():
    down = (5.0, 0.0, -100.0)
    room = Box((-50, -50, 0), (50, 50, 50))
    ways = []
    for friction in (0.0, 1.0):
        forces = Forces(num_frames=120, use_gravity=True, gravity=down, friction=friction)
        settled, _ = settle_spheres(np.array([[-40.0, 0, 3]]), np.array([3.0]), forces, room)
        ways.append(settled[0, 0] + 40)
    assert ways[1] < 0.7 * ways[0]


def test_beads_at_one_point_always_separate_in_the_same_direction(box):
    locations = np.tile([0.0, 0, 25], (20, 1))
    first, report = settle_spheres(locations, np.full(20, 3.0), Forces(), box)
    second, _ = settle_spheres(locations, np.full(20, 3.0), Forces(), box)
    np.testing.assert_array_equal(first, second)
    assert report.largest_overlap <= 0.001


def test_beads_that_stick_out_of_the_box_are_moved_inside(box):
    settled, _ = settle_spheres(np.array([[59.0, 0, 50]]), np.array([3.0]), Forces(), box)
    np.testing.assert_allclose(settled, [[57, 0, 48.2]], atol=1e-5)


def test_a_bead_larger_than_the_container_is_refused(box):
    with pytest.raises(PhysicsError, match=r"diameter 60 does not fit between walls 51\.2 apart"):
        settle_spheres(np.zeros((1, 3)), np.array([30.0]), falling(), box)


def test_more_volume_than_the_container_is_refused(start):
    locations, radii = start(600, 0)
    with pytest.raises(PhysicsError, match="times that of the box"):
        settle_spheres(locations, radii, falling(), Box((0, 0, 0), (20, 20, 20)))


def test_a_volume_above_the_densest_packing_is_refused():
    with pytest.raises(
        PhysicsError, match=r"volume is 0\.97 times that of the box that holds them; at most 0\.74 fits"
    ):
        settle_spheres(np.zeros((25, 3)), np.full(25, 2.1), Forces(), Box((0, 0, 0), (10, 10, 10)))


def test_spheres_that_cannot_be_pushed_apart_are_refused():
    locations = np.random.default_rng(0).uniform(0, 10, (18, 3))
    with pytest.raises(PhysicsError, match=r"still overlap by 0\.\d+ of the smaller radius after \d+ sweeps"):
        settle_spheres(locations, np.full(18, 2.1), Forces(), Box((0, 0, 0), (10, 10, 10)))
