"""Facts about a rendered run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth_dataset.gates.quality_gates import GateResult
    from synth_renderer.model.deposit_report import DepositReport
    from synth_renderer.model.relax_report import PhysicsReport


@dataclass(frozen=True)
class RenderedRun:
    """Facts about a rendered run beside its files; lengths in scene units, times in seconds."""

    device: str
    """Device that made the real image: `cpu`, `optix`, `cuda`, `hip` or `oneapi`."""
    seconds: Mapping[str, float]
    """Wall time by stage."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    pixel_size: float | None
    """Width of a pixel; None in perspective."""
    depth_range: tuple[float, float] | None
    """Depths of the values 0 and 65534 of depth pictures; None without a particle in view."""
    particles: int
    """Particles in the scene."""
    visible: int
    """Particles with at least one visible pixel."""
    physics: tuple[PhysicsReport | DepositReport, ...]
    """Reports of the steps that move particles, in order."""
    gates: tuple[GateResult, ...]
    """Quality gates, all passed."""
    label_digest: str
    """sha256 of all labels, hexadecimal; equal for equal labels."""
