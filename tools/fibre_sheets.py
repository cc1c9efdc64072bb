"""Render the pictures of docs/fibres.md: 24 seeds of fibres_sem, and a strip for each feature of fibres.

python tools/fibre_sheets.py [FOLDER]      default docs/images
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sheets import Sheets, draw_contact_sheet, write_sheet

if TYPE_CHECKING:
    from sheets import Strip

QUIET = {"electrons": 20000.0, "ground_level": 0.2, "shadowing": 0.0, "edge_strength": 0.6, "height_contrast": 0.2}
MANY = {"geometry": "fibre", "size": 0.04, "layout": "heap", "orientation": "flat", "coverage": 0.3}
FEW = {**MANY, "coverage": 0.15}
WIDE = {**FEW, "size": 0.07}

STRIPS: tuple[Strip, ...] = (
    ("curvature", (0, 45, 90, 180, 360), MANY),
    ("curvature_scale", (0.1, 0.2, 0.4, 0.8, 1.6), {**MANY, "curvature": 150}),
    ("loops", (0, 1), FEW),
    ("loop_size", (8, 12, 16, 20, 28), {**FEW, "loops": 1}),
    ("branches", (0, 1, 2, 4, 8), FEW),
    ("branch_length", (0.05, 0.1, 0.2, 0.3, 0.4), {**FEW, "branches": 4}),
    ("branch_angle", (15, 30, 45, 60, 90), {**FEW, "branches": 4}),
    ("stiffness", (2, 10, 40, 160, 1000), {**WIDE, "coverage": 0.5}),
    ("width_variation", (0, 0.05, 0.1, 0.2, 0.4), WIDE),
    ("width_scale", (0.02, 0.05, 0.1, 0.2, 0.4), {**WIDE, "width_variation": 0.2}),
    ("taper", (0, 0.25, 0.5, 0.75, 0.9), WIDE),
    ("edge_rounding", (0, 0.25, 0.5, 0.75, 1), {**WIDE, "size": 0.12}),
    ("coverage", (0.1, 0.3, 0.5, 0.7, 0.9), MANY),
    ("layout", ("sparse", "heap"), MANY),
)

SHEETS = Sheets(
    "SEM",
    "scanning_electron_microscope",
    "sem_ground",
    "sem_particle",
    QUIET,
    STRIPS,
    drawn={"shape_seed": {"_target_": "$plugins.official.UniformDistributionInt", "location": 0, "scale": 1000}},
)


def main(folder: str = "docs/images") -> None:
    """Render and write both sheets."""
    write_sheet(Path(folder) / "fibres_strips.webp", SHEETS.draw_strips())
    write_sheet(Path(folder) / "fibres_contact_sheet.webp", draw_contact_sheet("recipes/fibres_sem.yaml"))


if __name__ == "__main__":
    main(*sys.argv[1:])
