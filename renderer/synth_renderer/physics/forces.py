"""The parameters of a relaxation, whoever solves it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from synth_api.recipe.feature_generation import RelaxCollisions

DEFAULT_DAMPING = 0.9999999


@dataclass(frozen=True)
class Forces:
    """Parameters of `RelaxCollisions` with their defaults filled in; scene units and seconds.

    A damping d multiplies a velocity by (1 - d)^t over a time t. All bodies have the same mass, so it is none of them.
    """

    num_frames: int = 100
    use_gravity: bool = False
    gravity: tuple[float, float, float] = (0.0, 0.0, -9.81)
    friction: float = 1.0
    restitution: float = 1.0
    linear_damping: float = DEFAULT_DAMPING
    angular_damping: float = DEFAULT_DAMPING
    collision_margin: float = 1e-6
    time_scale: float = 1.0
    substeps_per_frame: int = 10
    solver_iterations: int = 10
    fps: float = 24.0

    @classmethod
    def of(cls, step: RelaxCollisions) -> Forces:
        """The forces that a recipe's step asks for."""
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
        """Simulated time of one frame."""
        return self.time_scale / self.fps

    @property
    def acceleration(self) -> tuple[float, float, float]:
        """Gravity, or zero when it is switched off."""
        return self.gravity if self.use_gravity else (0.0, 0.0, 0.0)


def damping_rate(damping: float) -> float:
    """-ln(1 - d), per second, rounded to float32; below 1. Terminal speed in a fall is gravity over this rate."""
    return float(np.float32(-math.log1p(-damping)))


def kept_fraction(damping: float, seconds: float) -> float:
    """Share of a velocity that damping leaves after some time; rounded to float32, so the same on every processor."""
    if damping >= 1:
        return 0.0
    return float(np.float32(math.exp(seconds * math.log1p(-damping))))
