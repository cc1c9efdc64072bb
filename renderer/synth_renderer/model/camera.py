"""The camera that real image and labels share, to the pixel."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Camera:
    """Blender's camera conventions. Camera frame: x image right, y image up, z towards the viewer (it looks along -z).

    Column grows to the right and row downwards from the upper left corner; pixel centres lie at .5. Depth is the
    distance from the camera along its axis, scene units. With m = max(width, height) in pixels:
    orthographic: column = width / 2 + x m / ortho_scale, row = height / 2 - y m / ortho_scale;
    perspective: the same with ortho_scale = depth * sensor_width / focal_length.
    """

    width: int
    height: int
    location: tuple[float, float, float]
    quaternion: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    ortho_scale: float | None = None
    """Scene units across the longer side; None means perspective."""
    focal_length: float = 50.0
    """Millimetres; perspective only."""
    sensor_width: float = 36.0
    """Millimetres across the longer side; perspective only."""

    @property
    def is_orthographic(self) -> bool:
        """True for an orthographic view."""
        return self.ortho_scale is not None

    @property
    def pixel_size(self) -> float | None:
        """Width of a pixel, scene units; None in perspective."""
        return None if self.ortho_scale is None else self.ortho_scale / max(self.width, self.height)
