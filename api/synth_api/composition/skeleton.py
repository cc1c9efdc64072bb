"""`BaseRecipe` for Hydra: the keys of typed nodes, so that an override of a key that is not written needs no `+`.

Values are untyped here, and so are maps to which an override may add an entry: the models check them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from omegaconf import MISSING


@dataclass
class _RuntimeState:
    time: Any = 0.0
    seed: Any = MISSING


@dataclass
class _Technique:
    measurement_technique_prototype_name: Any = MISSING
    measurement_volume_material_prototype_name: Any = "vacuum"
    background_material_prototype_name: Any = "vacuum"
    custom_features: Any = None
    features: dict[str, Any] | None = field(default_factory=dict)
    weight: Any = None


@dataclass
class _Particles:
    geometry_prototype_name: Any = MISSING
    material_prototype_name: Any = "default"
    parent: Any = "MeasurementVolume"
    number: Any = MISSING
    custom_features: Any = None
    features: dict[str, Any] | None = field(default_factory=dict)
    weight: Any = None


@dataclass
class _Blueprints:
    measurement_techniques: dict[str, _Technique] = MISSING
    particles: dict[str, _Particles] | None = field(default_factory=dict)


@dataclass
class _ProcessConditions:
    feature_criteria: dict[str, Any] | None = field(default_factory=dict)
    sets: dict[str, Any] | None = field(default_factory=dict)
    feature_variabilities: dict[str, Any] | None = field(default_factory=dict)


@dataclass
class _SynthChain:
    blender_log_file_name: Any = "blender.log"
    feature_generation_steps: Any = MISSING
    rendering_steps: Any = MISSING


@dataclass
class BaseRecipe:
    """Root node of every recipe in Hydra's config store."""

    initial_runtime_state: _RuntimeState = field(default_factory=_RuntimeState)
    blueprints: _Blueprints = field(default_factory=_Blueprints)
    process_conditions: _ProcessConditions = field(default_factory=_ProcessConditions)
    synth_chain: _SynthChain = field(default_factory=_SynthChain)


def list_keys(name: str) -> list[str]:
    """Return the keys of the node whose class is called so; none for a name that is not here."""
    node = globals().get(name)
    return [key.name for key in fields(node)] if isinstance(node, type) and is_dataclass(node) else []
