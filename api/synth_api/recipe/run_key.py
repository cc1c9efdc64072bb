"""What names a run: the hash of its canonical recipe (docs/contracts.md, section 2)."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from synth_api.canonical_json import canonical_json
from synth_api.recipe.canonical_tree import build_canonical_tree
from synth_api.version import ENGINE_VERSION

if TYPE_CHECKING:
    from synth_api.recipe.model import Recipe

EXCLUDED_KEY: Final = bytes(32)
"""Stands for the key of a run that a sweep leaves out."""


def build_key_tree(recipe: Recipe) -> dict[str, Any]:
    """What a run key is made from: the engine version and the recipe's canonical tree."""
    return {"engine": ENGINE_VERSION, "recipe": build_canonical_tree(recipe)}


def build_key_document(recipe: Recipe) -> bytes:
    """Canonical JSON that a run key is the sha256 of; a manifest holds both of its entries."""
    return canonical_json(build_key_tree(recipe))


def compute_run_key(recipe: Recipe) -> str:
    """The run's name, 64 lower-case hexadecimal digits. Same key, same labels."""
    return sha256(build_key_document(recipe)).hexdigest()
