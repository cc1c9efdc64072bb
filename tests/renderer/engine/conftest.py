"""Small runs of recipes written in the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest

from synth_api.composition.compose import compose_recipe, resolve
from synth_api.composition.source import read_recipe
from synth_api.recipe.model import Recipe
from synth_api.recipe.parsing import parse_recipe
from synth_renderer.engine import render
from synth_renderer.model.rendered_run import RenderedRun

SPHERES = Path("recipes/spheres_sem.yaml")
SMALL = "+blueprints.measurement_techniques.SEM.features.resolution_percentage=10"


class RenderRecipe(Protocol):
    def __call__(self, *overrides: str, recipe: str | Path = SPHERES) -> tuple[RenderedRun, Path]: ...


def load(recipe: str | Path, overrides: tuple[str, ...], folder: Path) -> Recipe:
    if isinstance(recipe, str):
        path = folder / "recipe.yaml"
        path.write_text(recipe)
    else:
        path = Path(__file__).parents[3] / recipe
    return parse_recipe(resolve(compose_recipe(read_recipe(path), overrides)))


@pytest.fixture
def render_recipe(tmp_path: Path) -> RenderRecipe:
    """Render a recipe (a path below the repository or YAML text) with overrides; gives the run and its folder."""
    count = 0

    def rendered(*overrides: str, recipe: str | Path = SPHERES) -> tuple[RenderedRun, Path]:
        nonlocal count
        count += 1
        folder = tmp_path / f"run{count}"
        folder.mkdir()
        return render(load(recipe, overrides, tmp_path), folder, "cpu"), folder

    return rendered
