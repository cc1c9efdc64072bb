"""Rendering modes: the kinds of picture or file that a rendering step can write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class RenderingMode:
    """One entry of the table; `is_label` pictures are derived from the label pass and promised bit-identical."""

    name: str
    extension: str
    is_label: bool
    meaning: str


MODES: Final = {
    mode.name: mode
    for mode in (
        RenderingMode("real", "png", False, "the measurement technique's picture, with its noise and defocus"),
        RenderingMode("categorical", "png", True, "one unique RGB colour per particle on black, no anti-aliasing"),
        RenderingMode("depth_map", "png", True, "16-bit, darker is closer, 0 to 65534 over the run's depth range"),
        RenderingMode("normal_map", "png", True, "16-bit RGB, 0.5 + 0.5 n in the camera frame, background 0.5"),
        RenderingMode("stylized", "png", True, "8-bit grey, generic light, black outlines"),
        RenderingMode("stylized_xray", "png", True, "as stylized, every particle half transparent"),
        RenderingMode("stl", "stl", True, "the meshes"),
    )
}
