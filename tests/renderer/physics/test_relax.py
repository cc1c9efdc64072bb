from typing import Any

import numpy as np
import pytest

from synth_api.recipe.feature_generation import RelaxCollisions
from synth_renderer.physics.forces import Forces
from synth_renderer.physics.spheres import settle_spheres
from synth_renderer.steps.relax import relax


def test_a_relax_step_settles_beads_with_the_sphere_solver(start, box, beads_of):
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
    assert (Forces.from_step(step).linear_damping, Forces.from_step(step).angular_damping) == (0.5, 0.5)


def test_one_damping_leaves_the_other_at_its_default():
    forces = Forces.from_step(RelaxCollisions(affected_set_name="AllParticles", linear_damping=0.5))
    assert (forces.linear_damping, forces.angular_damping) == (0.5, 0.9999999)


FALL = {"use_gravity": True, "gravity": (30.0, 0.0, -1000.0), "num_frames": 12, "damping": 0.5}
CHANGED = {
    "collision_shape": "BOX",
    "num_frames": 6,
    "use_gravity": False,
    "gravity": (0.0, 0.0, -500.0),
    "friction": 0.0,
    "restitution": 0.0,
    "damping": 0.9,
    "collision_margin": 0.5,
    "time_scale": 0.5,
    "substeps_per_frame": 40,
    "solver_iterations": 1,
}
NOT_OF_THE_MOTION = {"id", "affected_set_name", "dry_run", "linear_damping", "angular_damping"}


def step_of(**parameters: Any) -> RelaxCollisions:
    return RelaxCollisions(affected_set_name="AllParticles", **FALL | parameters)


def test_every_parameter_has_an_example_or_is_without_effect():
    known = set(RelaxCollisions.model_fields) - NOT_OF_THE_MOTION - step_of().list_ineffective_fields().keys()
    assert known == CHANGED.keys()


@pytest.mark.parametrize("parameter", sorted(CHANGED.keys() - {"collision_shape"}))
def test_every_parameter_changes_how_beads_move(parameter, start, box, beads_of):
    beads = beads_of(*start(60, 2))
    usual, _, _ = relax(beads, step_of(), box)
    other, _, _ = relax(beads, step_of(**{parameter: CHANGED[parameter]}), box)
    assert np.abs(usual - other).max() > 1e-3


@pytest.mark.parametrize("parameter", ["linear_damping", "angular_damping"])
def test_each_damping_changes_how_beads_move(parameter, start, box, beads_of):
    beads = beads_of(*start(60, 2))
    ways = [relax(beads, step_of(damping=None, **{parameter: damping}), box)[0] for damping in (0.0, 0.9999999)]
    assert np.abs(ways[0] - ways[1]).max() > 1e-3
