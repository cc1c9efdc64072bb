"""`recipes/<sha256>.json`: the recipe of one run, stored once for all runs that differ from it in a few values."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from synth_dataset.documents.document import Document, DocumentError, Hash
from synth_dataset.documents.json_patch import apply_patch, build_patch


class RecipeReference(Document):
    """Canonical tree of a run: a stored recipe, and what the run has other than this."""

    sha256: Hash
    """Hash of the file, and its name."""
    changes: tuple[dict[str, Any], ...]
    """JSON Patch (RFC 6902) from the stored tree to that of the run."""


def encode_recipe(tree: dict[str, Any]) -> bytes:
    """Return the content of the file: JSON with sorted keys, without spaces. `1` and `1.0` stay different."""
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def refer_to(content: bytes, tree: dict[str, Any]) -> RecipeReference:
    """Return the reference of a run with this canonical tree to a stored recipe."""
    changes = build_patch(json.loads(content), json.loads(encode_recipe(tree)))
    return RecipeReference(sha256=sha256(content).hexdigest(), changes=tuple(changes))


def rebuild_tree(reference: RecipeReference, content: bytes, path: str) -> dict[str, Any]:
    """Return the canonical tree of a run. Raises DocumentError that names the file `path` if it is another one."""
    if sha256(content).hexdigest() != reference.sha256:
        raise DocumentError(f"{path}: its content does not have the hash of its name; restore the file")
    try:
        tree: dict[str, Any] = apply_patch(json.loads(content), list(reference.changes))
    except (LookupError, TypeError, ValueError) as error:
        problem = "the changes in the manifest of a run do not fit this recipe; restore the manifest"
        raise DocumentError(f"{path}: {problem}") from error
    return tree
