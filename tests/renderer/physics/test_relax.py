import numpy as np

from synth_api.recipe.feature_generation import RelaxCollisions
from synth_renderer.physics.forces import Forces
from synth_renderer.physics.relax import relax
from synth_renderer.physics.spheres import settle_spheres


def test_a_recipe_s_step_settles_beads_by_our_own_solver(start, box, beads_of):
    locations, radii = start(30, 0)
    step = RelaxCollisions(affected_set_name="AllParticles", use_gravity=True, gravity=(0.0, 0.0, -1000.0))
    settled, quaternions, report = relax(beads_of(locations, radii), step, box)
    wanted, _ = settle_spheres(
        locations, radii, Forces(num_frames=100, use_gravity=True, gravity=(0.0, 0.0, -1000.0)), box
    )
    np.testing.assert_allclose(settled, wanted, atol=1e-6)
    np.testing.assert_array_equal(quaternions, np.tile([1.0, 0, 0, 0], (30, 1)))
    assert (report.solver, report.came_to_rest) == ("spheres", True)


def test_one_damping_counts_for_both():
    step = RelaxCollisions(affected_set_name="AllParticles", damping=0.5)
    assert (Forces.of(step).linear_damping, Forces.of(step).angular_damping) == (0.5, 0.5)


def test_a_damping_of_its_own_leaves_the_other_at_its_default():
    forces = Forces.of(RelaxCollisions(affected_set_name="AllParticles", linear_damping=0.5))
    assert (forces.linear_damping, forces.angular_damping) == (0.5, 0.9999999)
