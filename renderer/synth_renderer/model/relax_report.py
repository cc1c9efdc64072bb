"""Manifest section about a relaxation of particles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class PhysicsReport:
    """Outcome of one relaxation."""

    solver: Literal["spheres", "blender"]
    largest_overlap: float
    """Deepest remaining overlap, as a fraction of the smaller body's radius."""
    came_to_rest: bool
    """True if no body moved noticeably in the last frame."""
    frames: int
    """Frames simulated; fewer than asked for when all bodies rested earlier."""
    substeps: int
    """Most substeps in a frame."""
    iterations: int
    """Most solver iterations in a substep."""
    separation_sweeps: int = 0
    """Sweeps that pushed overlapping spheres apart before and after the motion; 0 for Blender's solver."""
