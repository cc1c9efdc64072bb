import hashlib
import subprocess
import sys

import pytest

DROP = """
import hashlib, numpy as np
from dataclasses import replace
from synth_api.recipe.feature_generation import RelaxCollisions
from synth_renderer.blender import bpy
from synth_renderer.steps.relax import relax
from synth_renderer.blender.rigid_bodies import relax_rigid_bodies
from synth_renderer.geometry import prototypes
from synth_renderer.physics.forces import Forces
from synth_renderer.model.bodies import Bodies
from synth_renderer.model.staged_scene import Box
mesh, n, rng = prototypes.build_mesh("ellipsoid", 0), 30, np.random.default_rng(0)
quaternions = rng.normal(size=(n, 4))
quaternions /= np.sqrt((quaternions * quaternions).sum(axis=1))[:, None]
bodies = Bodies((mesh,), np.zeros(n, np.int32), np.repeat(rng.uniform(5, 7, (n, 1)), 3, axis=1), quaternions,
                rng.uniform([-15, -15, 5], [15, 15, 45], (n, 3)), np.zeros(n, bool))
forces = Forces(num_frames=250, use_gravity=True, gravity=(0, 0, -1000))
room = Box((-20, -20, 0), (20, 20, 51.2))
locations, turned, report = relax_rigid_bodies(bodies, forces, "CONVEX_HULL", room, np.zeros(n, np.int64))
assert abs(locations[:, :2]).max() < 20 and locations[:, 2].min() > 1 and locations[:, 2].max() < 15
assert report.came_to_rest and 0 <= report.largest_overlap < 0.05, report
assert relax(replace(bodies, is_sphere=np.ones(n, bool)), RelaxCollisions(affected_set_name="A", num_frames=2,
             collision_shape="BOX"), room)[2].solver == "blender"
assert not bpy.data.objects and bpy.context.scene.rigidbody_world is None
print(hashlib.sha256(locations.tobytes() + turned.tobytes()).hexdigest())
"""


def drop() -> str:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", DROP], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


@pytest.mark.slow
def test_ellipsoids_come_to_rest_the_same_way_in_two_processes():
    first = drop()
    assert len(first) == len(hashlib.sha256().hexdigest())
    assert drop() == first
