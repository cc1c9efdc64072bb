"""`BaseRecipe` for Hydra: the keys of typed nodes, so that an override of a key that is not written needs no `+`.

Values are untyped here, and so are maps to which an override may add an entry: the models check them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from omegaconf import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterable


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
    category: Any = None
    supercategory: Any = None


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
class _Dataset:
    title: Any = None
    description: Any = None
    version: Any = None
    licence: Any = None
    authors: Any = None
    citation: Any = None
    split: Any = None


@dataclass
class BaseRecipe:
    """Root node of every recipe in Hydra's config store."""

    parameters: dict[str, Any] | None = field(default_factory=dict)
    initial_runtime_state: _RuntimeState = field(default_factory=_RuntimeState)
    blueprints: _Blueprints = field(default_factory=_Blueprints)
    process_conditions: _ProcessConditions = field(default_factory=_ProcessConditions)
    synth_chain: _SynthChain = field(default_factory=_SynthChain)
    dataset: _Dataset = field(default_factory=_Dataset)


def remove_unset_names(tree: dict[str, Any]) -> dict[str, Any]:
    """Return a composed recipe without the unset keys that are in no run, so that the digests of recipes stay.

    These are `parameters`, the keys of `dataset`, and `category` and `supercategory` of particle blueprints.
    """
    tree = {**tree, "dataset": _remove_nulls(tree.get("dataset"), (key.name for key in fields(_Dataset)))}
    for section in ("parameters", "dataset"):
        if not tree.get(section):
            tree.pop(section, None)
    blueprints = tree.get("blueprints")
    if isinstance(blueprints, dict) and isinstance(particles := blueprints.get("particles"), dict):
        kept = {name: _remove_nulls(blueprint, ("category", "supercategory")) for name, blueprint in particles.items()}
        tree["blueprints"] = {**blueprints, "particles": kept}
    return tree


def _remove_nulls(node: Any, keys: Iterable[str]) -> Any:
    """Return a mapping without those of `keys` that are null, and anything else as it is."""
    if not isinstance(node, dict):
        return node
    unset = {key for key in keys if node.get(key) is None}
    return {key: value for key, value in node.items() if key not in unset}


def list_keys(name: str) -> list[str]:
    """Return the keys of the node whose class is called so; none for a name that is not here."""
    node = globals().get(name)
    return [key.name for key in fields(node)] if isinstance(node, type) and is_dataclass(node) else []
