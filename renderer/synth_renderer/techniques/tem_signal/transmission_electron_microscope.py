"""Transmission electron microscope: the signal of the electrons that pass the particles and the film below them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_renderer.techniques.imaging.microscope import SignalMicroscope

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from synth_renderer.model.staged_scene import StagedScene


class TransmissionElectronMicroscope(SignalMicroscope):
    """Bright field and dark field of electrons that pass the specimen."""

    def record_signal(
        self,
        scene: StagedScene,
        present: NDArray[np.bool_],  # noqa: ARG002
        in_camera: NDArray[np.bool_],
    ) -> NDArray[np.float32]:
        """Return the picture (H, W), 0 … 1, of the bodies `in_camera` (N,); others change nothing."""
        from synth_renderer.techniques.tem_signal.column import record_signal

        return record_signal(scene, in_camera)

    def write_conditions(self, draws: Sequence[float]) -> tuple[str, ...]:
        """Return voltage, magnification, mode and spot size: drawn, and nothing depends on them."""
        return (
            f"{(80, 100, 120, 200, 300)[int(draws[0] * 5)]} kV",
            f"x{10 ** (3.5 + 2.5 * draws[3]):,.0f}",
            ("TEM", "BF", "TEM BF")[int(draws[2] * 3)],
            f"Spot {1 + int(draws[1] * 8)}",
        )
