"""Run key: the hash of a run's canonical recipe (docs/contracts.md, section 2)."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from synth_api.canonical_json import canonical_json
from synth_api.recipe.canonical_tree import build_canonical_tree
from synth_api.version import ENGINE_VERSION

if TYPE_CHECKING:
    from synth_api.recipe.model import Recipe

EXCLUDED_KEY: Final = bytes(32)
"""Key of a run that a sweep excludes."""


def build_key_tree(recipe: Recipe) -> dict[str, Any]:
    """Return the content of a run key: the engine version and the recipe's canonical tree."""
    return {"engine": ENGINE_VERSION, "recipe": build_canonical_tree(recipe)}


def build_key_document(recipe: Recipe) -> bytes:
    """Return the canonical JSON whose sha256 is the run key; a manifest holds both of its entries."""
    return canonical_json(build_key_tree(recipe))


def compute_run_key(recipe: Recipe) -> str:
    """Return the run key, 64 lower-case hexadecimal digits. Runs with the same key have the same labels."""
    return sha256(build_key_document(recipe)).hexdigest()
