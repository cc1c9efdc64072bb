"""Render the pictures of docs/tem.md: 24 seeds of tem_broad, and a strip per feature from its minimum to its maximum.

python tools/tem_sheets.py [FOLDER]      default docs/images
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sheets import Sheets, draw_contact_sheet, write_sheet

if TYPE_CHECKING:
    from sheets import Strip

QUIET = {"defocus": 0.0, "lens_radius": 0.0, "electrons": 0.0, "film_absorption": 0.2, "nanometres_per_unit": 10.0}
"""A pixel is 1 nm."""

BEADS = {"geometry": "rough_sphere", "size": 0.22, "absorption": 1.0}
LARGE = {"geometry": "rough_sphere", "size": 0.5, "absorption": 1.0}
CUBES = {"geometry": "cube", "size": 0.3, "absorption": 0.8, "edge_rounding": 0.1}
CRYSTALS = {**CUBES, "crystal_contrast": 0.7}
CRYSTAL = {**LARGE, "geometry": "polyhedron", "crystal_contrast": 0.7}
EMPTY = {"geometry": "rough_sphere", "size": 0.12, "absorption": 1.0, "coverage": 0.02}
PHASES = {**BEADS, "coverage": 0.2, "phase_shift": 4.0, "film_phase": 1.0}
UNDER = {**PHASES, "underfocus": 2000.0, "phase_speckle": 0.3}
HOLEY = {**EMPTY, "film_form": "holey", "film_hole_share": 0.4}
LACEY = {**EMPTY, "film_form": "lacey", "film_hole_share": 0.6}
NOISY = {**BEADS, "electrons": 60.0}

STRIPS: tuple[Strip, ...] = (
    ("absorption", (0.1, 0.5, 1, 2, 4), BEADS),
    ("scattered_share", (0, 0.1, 0.2, 0.4, 0.7), {**BEADS, "absorption": 3}),
    ("particle_variation", (0, 0.1, 0.2, 0.4, 0.8), BEADS),
    ("core_size", (0, 0.3, 0.5, 0.7, 0.9), {**LARGE, "core_absorption": 4.0, "absorption": 0.5}),
    ("core_absorption", (0, 0.5, 1, 2, 4), {**LARGE, "core_size": 0.7}),
    ("texture", (0, 0.1, 0.2, 0.4, 0.8), LARGE),
    ("texture_scale", (0.05, 0.1, 0.2, 0.4, 0.8), {**LARGE, "texture": 0.4}),
    ("crystal_contrast", (0, 0.2, 0.4, 0.7, 0.95), CRYSTALS),
    ("extinction_distance", (0.1, 0.3, 0.6, 1, 2), CRYSTAL),
    ("crystal_tilt", (0, 1, 2, 4, 8), CRYSTALS),
    ("bend_contours", (0, 1, 2, 4, 8), CRYSTAL),
    ("crystal_grains", (1, 2, 4, 8, 16), CRYSTAL),
    ("twin_planes", (0, 1, 2, 4, 8), CRYSTAL),
    ("film_form", ("continuous", "holey", "lacey"), {**EMPTY, "film_hole_share": 0.5}),
    ("film_absorption", (0, 0.1, 0.2, 0.4, 0.8), HOLEY),
    ("film_gradient", (0, 0.3, 0.6, 1, 2), EMPTY),
    ("film_azimuth", (0, 72, 144, 216, 288), {**EMPTY, "film_edge": 0.3, "film_gradient": 1}),
    ("film_texture", (0, 0.05, 0.1, 0.2, 0.4), EMPTY),
    ("film_texture_scale", (0.05, 0.1, 0.2, 0.5, 1), {**EMPTY, "film_texture": 0.3}),
    ("film_hole_share", (0.05, 0.2, 0.4, 0.6, 0.8), HOLEY),
    ("film_hole_share", (0.05, 0.2, 0.4, 0.6, 0.8), LACEY),
    ("film_hole_size", (0.1, 0.2, 0.3, 0.6, 1.2), LACEY),
    ("film_rim", (0, 0.5, 1, 2, 4), HOLEY),
    ("film_edge", (0, 0.1, 0.3, 0.5, 0.8), {**EMPTY, "film_rim": 1}),
    ("film_folds", (0, 1, 2, 4, 8), EMPTY),
    ("film_fold_width", (0.005, 0.01, 0.02, 0.05, 0.1), {**EMPTY, "film_folds": 3}),
    ("film_dirt", (0, 0.01, 0.05, 0.1, 0.2), EMPTY),
    ("film_dirt_size", (0.01, 0.02, 0.05, 0.1, 0.2), {**EMPTY, "film_dirt": 0.1}),
    ("film_dirt_strength", (0.5, 1, 2, 4, 8), {**EMPTY, "film_dirt": 0.1}),
    ("film_phase", (0, 0.5, 1, 2, 4), {**HOLEY, "underfocus": 3000}),
    ("underfocus", (-4000, -1000, 0, 1000, 4000), PHASES),
    ("spherical_aberration", (0, 2, 5, 10, 20), {**UNDER, "nanometres_per_unit": 2, "underfocus": 60}),
    ("accelerating_voltage", (60, 100, 200, 300, 1000), UNDER),
    ("beam_convergence", (0, 0.1, 0.3, 0.6, 1), {**UNDER, "phase_speckle": 0}),
    ("phase_shift", (0, 1, 2, 4, 8), {**PHASES, "underfocus": 3000}),
    ("phase_speckle", (0, 0.1, 0.3, 0.6, 1), UNDER),
    ("nanometres_per_unit", (3, 5, 10, 20, 40), UNDER),
    ("beam_falloff", (0, 0.15, 0.3, 0.5, 0.8), EMPTY),
    ("beam_radius", (0, 0.3, 0.45, 0.55, 0.65), EMPTY),
    ("beam_offset", (0, 0.1, 0.2, 0.3, 0.4), {**EMPTY, "beam_radius": 0.6, "beam_falloff": 0.3}),
    ("beam_azimuth", (0, 72, 144, 216, 288), {**EMPTY, "beam_falloff": 0.6, "beam_offset": 0.3}),
    ("defocus", (0, 0.1, 0.2, 0.4, 0.8), {**BEADS, "lens_radius": 0.5}),
    ("lens_radius", (0, 0.2, 0.5, 1, 2), {**BEADS, "defocus": 0.2}),
    ("beam_blur", (0, 0.5, 1, 2, 3), BEADS),
    ("drift", (0, 2, 4, 8, 16), BEADS),
    ("camera", ("none", "film", "ccd", "direct"), NOISY),
    ("electrons", (2000, 500, 200, 60, 20), BEADS),
    ("noise_threshold", (0, 0.02, 0.05, 0.1, 0.2), {**NOISY, "electrons": 300}),
    ("read_noise", (0, 1, 3, 6, 12), NOISY),
    ("gain_variation", (0, 0.02, 0.05, 0.1, 0.2), BEADS),
    ("dark_field", (False, True), CRYSTALS),
    ("inverted_contrast", (False, True), BEADS),
)

SHEETS = Sheets("TEM", "transmission_electron_microscope", "tem_film", "tem_particle", QUIET, STRIPS)


def main(folder: str = "docs/images") -> None:
    """Render and write both sheets."""
    write_sheet(Path(folder) / "tem_strips.webp", SHEETS.draw_strips())
    write_sheet(Path(folder) / "tem_contact_sheet.webp", draw_contact_sheet("recipes/tem_broad.yaml"))


if __name__ == "__main__":
    main(*sys.argv[1:])
