"""Prototypes of the predecessor that this version does not render; the error names them as unavailable."""

from __future__ import annotations

from typing import Final

GEOMETRIES: Final = frozenset({"potato", "worm_twisted"})
MATERIALS: Final = frozenset({"aggregated_texture", "band_noise", "colored_subtle", "cracks_subtle", "wood"})
TECHNIQUES: Final = frozenset({"plane_topCam_fog", "sem_aggregate", "woodTable_sideCam", "write_text"})
