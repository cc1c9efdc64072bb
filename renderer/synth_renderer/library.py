"""Argument checks of the library function `synth_renderer.render`, which documents them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from synth_api.errors import InputError
from synth_api.recipe.model import Recipe
from synth_api.resources.synth_sweep import Device
from synth_api.sweep.definition import Sweep
from synth_renderer.engine import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth_renderer.model.rendered_run import RenderedRun


def render_folder(
    recipe: str | os.PathLike[str] | Recipe, folder: str | os.PathLike[str], overrides: Sequence[str], device: str
) -> RenderedRun:
    """Render one run into an empty folder. Raises InputError for bad arguments, and the errors of the engine."""
    if device not in get_args(Device):
        raise InputError("device", f"'{device}' is no device; known are {', '.join(get_args(Device))}")
    whole = _compose_recipe(recipe, overrides)
    return render(whole, _make_empty_folder(Path(folder)), device)


def _compose_recipe(recipe: str | os.PathLike[str] | Recipe, overrides: Sequence[str]) -> Recipe:
    """Return the recipe of the one run that a file and its overrides make."""
    if isinstance(recipe, Recipe):
        if overrides:
            raise InputError("overrides", "a composed recipe takes none; give the path of its file")
        return recipe
    sweep = Sweep.load(Path(recipe), overrides, os.environ)
    if sweep.runs != 1:
        raise InputError(
            "overrides",
            f"make a sweep of {sweep.runs} runs, and this renders one; give one value to each, or call"
            " render for each run",
        )
    return sweep.build_recipe(0)


def _make_empty_folder(folder: Path) -> Path:
    """Return the folder's absolute path: bpy takes relative ones from $PWD, not from the working folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_empty = not any(folder.iterdir())
    except (FileExistsError, NotADirectoryError):
        raise InputError(str(folder), "is not a folder; name an empty folder or a new one") from None
    if not is_empty:
        raise InputError(str(folder), "is not empty; name an empty folder or a new one")
    return folder.resolve()
