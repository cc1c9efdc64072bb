"""Parameters of a relaxation, for our solver and Blender's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from synth_api.recipe.feature_generation import RelaxCollisions

DEFAULT_DAMPING = 0.9999999
"""Share of a velocity that is lost in one second: nearly full damping."""


@dataclass(frozen=True)
class Forces:
    """Parameters of `RelaxCollisions` with their defaults filled in; scene units and seconds.

    All bodies have the same mass, which cancels, so there is no mass.
    """

    num_frames: int = 100
    """Maximum of simulated frames."""
    use_gravity: bool = False
    gravity: tuple[float, float, float] = (0.0, 0.0, -9.81)
    """Acceleration, scene units per second squared."""
    friction: float = 1.0
    """0 … 1; see docs/physics.md for the coefficient that it stands for."""
    restitution: float = 1.0
    """Share of the speed after a collision, 0 … 1."""
    linear_damping: float = DEFAULT_DAMPING
    """d multiplies a velocity by (1 - d)^t over a time t."""
    angular_damping: float = DEFAULT_DAMPING
    """The same for angular velocities."""
    collision_margin: float = 1e-6
    """Distance that every surface keeps, scene units."""
    time_scale: float = 1.0
    """Simulated time over the time of the frames."""
    substeps_per_frame: int = 10
    """Minimum of substeps; the solver for spheres adds more for fast spheres."""
    solver_iterations: int = 10
    """Maximum of sweeps over the contacts in a substep of the solver for spheres; Blender's solver does all of them."""
    fps: float = 24.0
    """Frames per second."""

    @classmethod
    def from_step(cls, step: RelaxCollisions) -> Forces:
        """Return the parameters of a recipe's step; `damping` is the default of linear and angular damping."""
        common: Any = step.damping if step.damping is not None else DEFAULT_DAMPING
        return cls(
            num_frames=step.num_frames,
            use_gravity=step.use_gravity,
            gravity=(float(step.gravity[0]), float(step.gravity[1]), float(step.gravity[2])),
            friction=step.friction,
            restitution=step.restitution,
            linear_damping=step.linear_damping if step.linear_damping is not None else common,
            angular_damping=step.angular_damping if step.angular_damping is not None else common,
            collision_margin=step.collision_margin,
            time_scale=step.time_scale,
            substeps_per_frame=step.substeps_per_frame,
            solver_iterations=step.solver_iterations,
        )

    @property
    def frame_seconds(self) -> float:
        """Simulated time of one frame, seconds."""
        return self.time_scale / self.fps

    @property
    def acceleration(self) -> tuple[float, float, float]:
        """Gravity, scene units per second squared; zero if it is switched off."""
        return self.gravity if self.use_gravity else (0.0, 0.0, 0.0)


def compute_damping_rate(damping: float) -> float:
    """Return -ln(1 - d), 1/s, for d < 1, rounded to float32. The terminal speed of a fall is gravity over this rate."""
    return float(np.float32(-math.log1p(-damping)))


def compute_kept_fraction(damping: float, seconds: float) -> float:
    """Return the share (1 - d)^seconds of a velocity that damping leaves, rounded to float32."""
    if damping >= 1:
        return 0.0
    return float(np.float32(math.exp(seconds * math.log1p(-damping))))
