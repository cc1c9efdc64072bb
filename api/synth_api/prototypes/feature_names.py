"""Names of the features of all prototypes."""

from __future__ import annotations

from typing import Final

from synth_api.prototypes.geometries import GEOMETRIES
from synth_api.prototypes.materials import MATERIALS
from synth_api.prototypes.techniques import TECHNIQUES

FEATURE_NAMES: Final = frozenset(
    name
    for catalogue in (GEOMETRIES, MATERIALS, TECHNIQUES)
    for prototype in catalogue.values()
    for name in prototype.features
)
