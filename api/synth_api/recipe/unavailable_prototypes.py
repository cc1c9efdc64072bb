"""Prototypes of the predecessor that this version does not render; the error names them as unavailable."""

from __future__ import annotations

from typing import Final

GEOMETRIES: Final = frozenset({"potato", "worm_twisted"})
MATERIALS: Final = frozenset({"colored_subtle", "cracks_subtle", "wood"})
TECHNIQUES: Final = frozenset({"plane_topCam_fog", "woodTable_sideCam", "write_text"})
