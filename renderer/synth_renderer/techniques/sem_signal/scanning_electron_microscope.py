"""Scanning electron microscope seen from above: the signal of secondary electrons from height and normals alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_renderer.techniques.imaging.microscope import SignalMicroscope

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from synth_renderer.model.staged_scene import StagedScene


class ScanningElectronMicroscope(SignalMicroscope):
    """Secondary electrons, seen from straight above."""

    def record_signal(
        self, scene: StagedScene, present: NDArray[np.bool_], in_camera: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """Return the picture (H, W), 0 … 1; bodies that are only `present` (N,) shadow those `in_camera` (N,)."""
        from synth_renderer.techniques.sem_signal.instrument import record_signal

        return record_signal(scene, present, in_camera)

    def write_conditions(self, draws: Sequence[float]) -> tuple[str, ...]:
        """Return voltage, working distance, detector and magnification: drawn, and nothing depends on them."""
        return (
            f"{1 + int(draws[0] * 29)} kV",
            f"WD {2 + draws[1] * 10:.1f} mm",
            ("SE", "SE2", "InLens")[int(draws[2] * 3)],
            f"x{10 ** (2 + 3 * draws[3]):,.0f}",
        )
