"""The smallest recipe as composed: a technique, no particle, no picture."""

from __future__ import annotations

from typing import Any, Final

SMALLEST_RECIPE: Final[dict[str, Any]] = {
    "initial_runtime_state": {"seed": 0},
    "blueprints": {
        "measurement_techniques": {"SEM": {"measurement_technique_prototype_name": "secondary_electron_microscope"}}
    },
    "synth_chain": {
        "feature_generation_steps": [
            {"_target_": "$builtins.InvokeBlueprints", "affected_set_name": "AllMeasurementTechniqueBlueprints"}
        ],
        "rendering_steps": [],
    },
}
