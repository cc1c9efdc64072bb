"""Pictures of all particles of a run together, which views show."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from synth_api.errors import InputError
from synth_api.recipe.outputs import name_pictures
from synth_api.recipe.rendering import parse_rendering_steps
from synth_dataset.documents.layout import AGGLOMERATES, INSTANCES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth_dataset.documents.run_manifest import Manifest


def list_pictures(manifest: Manifest) -> list[str]:
    """Return the pictures of all particles together, in the order of their steps and of `thumb.webp`.

    Of a recipe that this release cannot read: all pictures of the run's own folder but the maps of ids, by name.
    """
    existing = {file.path for file in manifest.files}
    named = manifest.pictures
    if named is None:
        named = _name_pictures(manifest) or tuple(sorted(path for path in existing if _is_picture(path)))
    return [file for file in named if file in existing]


def choose_picture(pictures: Sequence[str]) -> str:
    """Return the picture for the masks: the first real image, else `instances.png`."""
    return next((path for path in pictures if path.rpartition(".")[0].endswith("real")), INSTANCES)


def _name_pictures(manifest: Manifest) -> tuple[str, ...]:
    """Return the pictures that the recipe in a manifest of an earlier release names; none if it cannot be read."""
    try:
        recipe: Any = manifest.recipe
        return _name_pictures_of_steps(json.dumps(recipe["synth_chain"]["rendering_steps"]))
    except (KeyError, TypeError, InputError):
        return ()


def _is_picture(path: str) -> bool:
    """Return True for a PNG in the run's own folder that is no map of ids."""
    return path.endswith(".png") and "/" not in path and path not in (INSTANCES, AGGLOMERATES)


@lru_cache(maxsize=64)
def _name_pictures_of_steps(rendering_steps: str) -> tuple[str, ...]:
    """Return the pictures of rendering steps, as JSON; the runs of a sweep share them, so they are parsed once."""
    tree = {"synth_chain": {"rendering_steps": json.loads(rendering_steps)}}
    return name_pictures(parse_rendering_steps(tree))
