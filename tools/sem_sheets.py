"""Render the pictures of docs/sem.md: 24 seeds of sem_broad, and a strip per feature from its minimum to its maximum.

python tools/sem_sheets.py [FOLDER]      default docs/images
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sheets import Sheets, draw_contact_sheet, write_sheet

from synth_api.prototypes.geometries import SHAPES
from synth_api.prototypes.materials import PATTERNS

if TYPE_CHECKING:
    from sheets import Strip

QUIET = {"electrons": 20000.0, "ground_level": 0.2}
BEADS = {"geometry": "rough_sphere", "size": 0.22}
LARGE = {"geometry": "rough_sphere", "size": 0.5}
CUBES = {"geometry": "cube", "size": 0.4, "edge_rounding": 0.08}
ROD = {"geometry": "rod", "size": 0.25, "flute_depth": 0.08}
FOLDED = {**LARGE, "wrinkle_depth": 0.08}
FLAKE = {"geometry": "flake", "size": 0.02, "orientation": "flat"}
COMPACT = tuple(sorted(SHAPES.keys() - {"fibre", "flake"}))
SHELL = {**LARGE, "wall_thickness": 0.06, "opening": 0.7}
SMALL = {"geometry": "rough_sphere", "size": 0.1}
ESCAPE = {"ground_level": 0.35, "shadowing": 0, "shadow_on_particles": 1, "shadow_on_ground": 1}
PATTERNED = {**BEADS, "ground_pattern_scale": 0.1, "ground_pattern_strength": 0.5}

STRIPS: tuple[Strip, ...] = (
    ("edge_strength", (-0.5, 0, 0.5, 1, 2), BEADS),
    ("edge_exponent", (0.5, 0.8, 1.1, 1.3, 1.6), {**BEADS, "edge_strength": 1.5}),
    ("edge_cutoff", (0.08, 0.15, 0.25, 0.42, 0.7), {**BEADS, "edge_strength": 1.5}),
    ("detector_asymmetry", (0, 0.1, 0.2, 0.3, 0.45), BEADS),
    ("detector_azimuth", (0, 72, 144, 216, 288), {**BEADS, "detector_asymmetry": 0.45}),
    ("height_contrast", (0, 0.1, 0.2, 0.35, 0.6), BEADS),
    ("shadowing", (0, 0.5, 1, 1.6, 2.2), BEADS),
    ("crevice_shadowing", (0, 0.5, 1, 2, 4), FOLDED),
    ("ridge_brightening", (0, 0.5, 1, 2, 4), CUBES),
    ("particle_contrast", (0, 0.1, 0.2, 0.4, 0.6), BEADS),
    ("particle_variation", (0, 0.05, 0.1, 0.15, 0.3), BEADS),
    ("shadow_on_particles", (0, 0.25, 0.5, 0.75, 1), {**BEADS, "layout": "heap", "shadowing": 0}),
    ("shadow_on_ground", (0, 0.25, 0.5, 0.75, 1), {**BEADS, "ground_level": 0.35, "shadowing": 0}),
    ("shadow_reach", (0.05, 0.2, 0.5, 1, 3), {**BEADS, **ESCAPE}),
    ("composition_share", (0, 0.1, 0.3, 0.5, 0.8), BEADS),
    ("composition_contrast", (-0.5, -0.2, 0, 0.5, 1), {**BEADS, "composition_share": 0.5}),
    ("transparency", (0, 0.3, 0.6, 0.8, 1), {**BEADS, "edge_strength": 1.5, "ground_texture": 0.05}),
    ("halo", (-0.09, -0.04, 0, 0.04, 0.09), BEADS),
    ("halo_width", (0.1, 0.2, 0.3, 0.45, 0.6), {**BEADS, "halo": 0.09}),
    ("streaks", (0, 0.05, 0.1, 0.2, 0.4), BEADS),
    ("clipping", (0, 0.01, 0.05, 0.1, 0.15), BEADS),
    ("gain", (0.25, 0.5, 1, 1.5, 2), BEADS),
    ("black_point", (-0.2, -0.1, 0, 0.1, 0.2), BEADS),
    ("auto_black", (0, 0.1, 0.2, 0.3, 0.4), {**BEADS, "auto_white": 0.9}),
    ("auto_white", (0, 0.5, 0.7, 0.9, 1.2), BEADS),
    ("gamma", (0.5, 0.7, 1, 1.4, 2), BEADS),
    ("saturation", (0, 0.25, 0.5, 0.75, 1), BEADS),
    ("inverted_contrast", (False, True), BEADS),
    ("beam_blur", (0, 0.4, 0.8, 1.2, 1.8), BEADS),
    ("defocus", (0, 0.5, 1, 2, 3), BEADS),
    ("focus_height", (-1, 0, 0.5, 1, 2), {**BEADS, "defocus": 3}),
    ("drift", (0, 0.4, 0.8, 1.2, 1.5), BEADS),
    ("electrons", (20000, 2000, 500, 150, 60), BEADS),
    ("noise_correlation", (0, 0.2, 0.4, 0.6, 0.8), {**BEADS, "electrons": 100}),
    ("line_noise", (0, 0.005, 0.01, 0.015, 0.05), BEADS),
    ("ground_level", (0, 0.1, 0.2, 0.4, 0.6), BEADS),
    ("ground_gradient", (0, 0.05, 0.1, 0.15, 0.3), BEADS),
    ("ground_texture", (0, 0.01, 0.03, 0.05, 0.08), BEADS),
    ("ground_texture_scale", (0.02, 0.05, 0.1, 0.3, 0.6), {**BEADS, "ground_texture": 0.05}),
    ("ground_pores", (0, 0.05, 0.1, 0.2, 0.4), {**BEADS, "ground_pore_size": 0.04}),
    ("ground_pore_size", (0.01, 0.02, 0.04, 0.08, 0.15), {**BEADS, "ground_pores": 0.2}),
    ("ground_scratches", (0, 3, 8, 20, 50), BEADS),
    ("ground_terraces", (0, 2, 4, 8, 16), BEADS),
    ("ground_crumbs", (0, 0.02, 0.05, 0.1, 0.2), {**BEADS, "ground_crumb_size": 0.04}),
    ("ground_crumb_size", (0.01, 0.02, 0.03, 0.04, 0.05), {**BEADS, "ground_crumbs": 0.1}),
    ("ground_pattern", PATTERNS[1:6], PATTERNED),
    ("ground_pattern", PATTERNS[6:11], PATTERNED),
    ("ground_pattern", PATTERNS[11:], PATTERNED),
    ("ground_pattern_strength", (0, 0.1, 0.3, 0.6, 1), {**BEADS, "ground_pattern": "flakes"}),
    ("ground_pattern_scale", (0.03, 0.06, 0.1, 0.2, 0.4), {**PATTERNED, "ground_pattern": "wrinkles"}),
    ("ground_pattern_stretch", (0.5, 1, 2, 4, 8), {**PATTERNED, "ground_pattern": "stains"}),
    ("info_bar", (0, 0.06, 0.08, 0.1, 0.15), BEADS),
    ("info_bar_rows", (1, 2), {**BEADS, "info_bar": 0.15}),
    ("scale_bar", (0, 0.2, 0.3, 0.4, 0.6), BEADS),
    ("scale_bar_text", (0.025, 0.05, 0.07, 0.1, 0.15), {**BEADS, "scale_bar": 0.3}),
    ("scale_bar_form", ("solid", "ends", "ticks"), {**BEADS, "scale_bar": 0.6}),
    ("scale_bar_label", ("above", "below", "beside", "inside"), {**BEADS, "scale_bar": 0.6}),
    ("panel_letter", (0, 0.06, 0.09, 0.12, 0.2), BEADS),
    ("arrows", (0, 1, 2, 4, 8), BEADS),
    ("arrow_length", (0.06, 0.1, 0.15, 0.2, 0.3), {**BEADS, "arrows": 3}),
    ("inset_frame", (0, 0.1, 0.15, 0.2, 0.3), BEADS),
    ("inset_frame_form", ("solid", "dashed"), {**BEADS, "inset_frame": 0.3}),
    ("inset", (0, 0.1, 0.2, 0.3, 0.35), {**BEADS, "inset_frame": 0.2}),
    ("overlay_box", (False, True), {**BEADS, "panel_letter": 0.12, "scale_bar": 0.3}),
    ("roughness_slope", (0, 0.1, 0.2, 0.35, 0.5), LARGE),
    ("roughness_scale", (0.05, 0.1, 0.2, 0.4, 0.7), {**LARGE, "roughness_slope": 0.35}),
    ("roughness_falloff", (2, 2.4, 2.8, 3.2, 3.6), {**LARGE, "roughness_slope": 0.35}),
    ("skin_pattern", PATTERNS[1:6], {**LARGE, "edge_strength": 0.8}),
    ("skin_pattern", PATTERNS[6:11], {**LARGE, "edge_strength": 0.8}),
    ("skin_pattern", PATTERNS[11:], {**LARGE, "skin_strength": 0.4}),
    ("skin_strength", (0, 0.2, 0.4, 0.7, 1.2), {**LARGE, "skin_pattern": "honeycomb"}),
    ("skin_scale", (0.06, 0.1, 0.2, 0.3, 0.4), {**LARGE, "skin_pattern": "cracks"}),
    ("skin_stretch", (0.5, 1, 2, 4, 8), {**ROD, "flute_depth": 0, "skin_pattern": "grains", "orientation": "flat"}),
    ("core_size", (0, 0.2, 0.4, 0.6, 0.8), {**LARGE, "core_brightness": 0.6, "particle_contrast": 0.2}),
    ("core_brightness", (0, 0.2, 0.4, 0.6, 0.9), {**LARGE, "core_size": 0.5, "particle_contrast": 0.2}),
    ("irregularity", (0, 0.01, 0.03, 0.06, 0.1), LARGE),
    ("wrinkle_depth", (0, 0.02, 0.04, 0.08, 0.12), LARGE),
    ("wrinkle_scale", (0.1, 0.2, 0.3, 0.45, 0.6), FOLDED),
    ("pore_depth", (0, 0.04, 0.08, 0.2, 0.4), LARGE),
    ("pore_scale", (0.06, 0.1, 0.15, 0.2, 0.25), {**LARGE, "pore_depth": 0.06}),
    ("step_depth", (0, 0.01, 0.02, 0.04, 0.06), LARGE),
    ("step_number", (4, 8, 12, 18, 25), {**LARGE, "step_depth": 0.02}),
    ("flute_depth", (0, 0.03, 0.06, 0.1, 0.15), ROD),
    ("flute_number", (5, 8, 12, 18, 24), ROD),
    ("edge_rounding", (0, 0.05, 0.12, 0.3, 0.6), CUBES),
    *(("geometry", COMPACT[first : first + 5], {"size": 0.25}) for first in range(0, len(COMPACT), 5)),
    ("wall_thickness", (0.02, 0.05, 0.1, 0.2, 0.3), SHELL),
    ("opening", (0, 0.2, 0.4, 0.6, 0.9), SHELL),
    ("inclusion_size", (0, 0.2, 0.4, 0.6, 0.8), SHELL),
    ("inclusion_offset", (0, 0.25, 0.5, 0.75, 1), {**SHELL, "inclusion_size": 0.4}),
    ("decoration_number", (0, 10, 40, 100, 300), LARGE),
    ("decoration_size", (0.02, 0.04, 0.06, 0.1, 0.2), {**LARGE, "decoration_number": 40}),
    ("sides", (3, 4, 5, 6, 12), {"geometry": "bipyramid", "size": 0.25}),
    ("truncation", (0, 0.2, 0.4, 0.6, 0.8), {"geometry": "bipyramid", "size": 0.25}),
    ("arms", (3, 4, 5, 6, 12), {"geometry": "star", "size": 0.15}),
    ("notch", (0.2, 0.35, 0.5, 0.65, 0.8), {"geometry": "star", "size": 0.15}),
    ("corners", (5, 6, 8, 12, 24), FLAKE),
    ("corner_variation", (0, 0.2, 0.4, 0.6, 0.8), FLAKE),
    ("wave_depth", (0, 0.03, 0.06, 0.1, 0.15), FLAKE),
    ("spikes", (8, 20, 40, 80, 160), {**LARGE, "geometry": "spiky_sphere"}),
    ("spike_width", (0.06, 0.12, 0.18, 0.3, 0.5), {**LARGE, "geometry": "spiky_sphere"}),
    ("spike_core", (0.2, 0.35, 0.5, 0.65, 0.8), {**LARGE, "geometry": "spiky_sphere"}),
    ("spike_variation", (0, 0.25, 0.5, 0.75, 1), {**LARGE, "geometry": "spiky_sphere"}),
    ("sides", (3, 4, 5, 6, 8), {**CUBES, "geometry": "prism", "orientation": "flat", "height": 0.4}),
    ("faces", (9, 12, 15, 18, 21), {**CUBES, "geometry": "polyhedron"}),
    ("bend", (5, 30, 60, 90, 110), {"geometry": "bent_rod", "size": 0.15, "orientation": "flat"}),
    ("grains", (12, 25, 60, 100, 145), {**LARGE, "geometry": "raspberry"}),
    ("grain_overlap", (0, 0.15, 0.3, 0.5, 0.8), {**LARGE, "geometry": "raspberry"}),
    ("width", (0.45, 0.7, 1, 1.5, 2.2), BEADS),
    ("height", (0.25, 0.5, 1, 1.5, 2.2), {**BEADS, "height_contrast": 0.3}),
    ("coverage", (0.03, 0.1, 0.3, 0.7, 1.0), {**SMALL, "layout": "heap"}),
    ("layout", ("sparse", "clusters", "rafts", "chains", "rings"), SMALL),
    ("layout", ("heap", "lattice"), SMALL),
    ("new_cluster_share", (0.02, 0.05, 0.1, 0.2, 0.4), {**SMALL, "coverage": 0.25}),
    ("cluster_size", (2, 4, 8, 20, 400), {**SMALL, "layout": "rafts"}),
    ("orientation", ("free", "flat", "aligned"), {**CUBES, "size": 0.15, "layout": "rafts"}),
    ("second_layer", (0, 0.1, 0.2, 0.3), {**SMALL, "layout": "rafts", "cluster_size": 400}),
    ("crystals", (1, 2, 4, 8), {**SMALL, "layout": "lattice", "coverage": 1, "pitch": 1.0}),
    ("begin_in_middle", (False, True), {**LARGE, "coverage": 0.1}),
    ("cut_by_frame", (True, False), {**LARGE, "coverage": 0.1}),
    ("piles", (0, 1, 2, 3), {**SMALL, "layout": "heap", "pile_width": 0.12}),
    ("rolling", (0.2, 0.4, 0.6, 0.8, 1), {**SMALL, "layout": "heap", "piles": 1, "pile_width": 0.12}),
    ("lattice", ("hexagonal", "square"), {**SMALL, "layout": "lattice", "coverage": 1}),
    ("pitch", (1, 1.05, 1.1, 1.15, 1.2), {**SMALL, "layout": "lattice", "coverage": 1}),
    ("jitter", (0, 0.02, 0.04, 0.06, 0.08), {**SMALL, "layout": "lattice", "coverage": 1, "pitch": 1.2}),
    ("vacancies", (0, 0.1, 0.2, 0.3, 0.4), {**SMALL, "layout": "lattice", "coverage": 1}),
)

SHEETS = Sheets("SEM", "scanning_electron_microscope", "sem_ground", "sem_particle", QUIET, STRIPS)


def main(folder: str = "docs/images") -> None:
    """Render and write both sheets."""
    write_sheet(Path(folder) / "sem_strips.webp", SHEETS.draw_strips())
    write_sheet(Path(folder) / "sem_contact_sheet.webp", draw_contact_sheet("recipes/sem_broad.yaml"))


if __name__ == "__main__":
    main(*sys.argv[1:])
