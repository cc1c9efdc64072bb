"""Every word that a recipe may have is read by the renderer, or says itself that it has no effect."""

import ast
from pathlib import Path

import pytest

import synth_renderer
from synth_api.prototypes.geometries import GEOMETRIES
from synth_api.prototypes.materials import MATERIALS
from synth_api.prototypes.techniques import TECHNIQUES
from synth_api.recipe import criteria, outputs
from synth_api.recipe.model import CustomFeature, ParticleBlueprint, Recipe
from synth_api.recipe.node import Node, NoEffect

SOURCES = [*Path(synth_renderer.__path__[0]).rglob("*.py"), Path(outputs.__file__), Path(criteria.__file__)]
NAMES_ALONE = "id"
"""It only names a node within the recipe."""
REFUSED = {(CustomFeature, "blender_link")}
OF_THE_DATASET = {(ParticleBlueprint, "category"), (ParticleBlueprint, "supercategory"), (Recipe, "dataset")}
"""They describe the dataset of the runs, and are part of none."""


@pytest.fixture(scope="module")
def words() -> set[str]:
    """What the renderer's source reads: attributes and strings."""
    found = set()
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                found.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def kinds(of: type[Node]) -> list[type[Node]]:
    children = [child for child in of.__subclasses__() if child.__module__.startswith("synth_api.recipe.")]
    return [of, *(kind for child in children for kind in kinds(child))]


def test_every_field_of_every_node_is_read_or_without_effect(words) -> None:
    silent = [
        f"{kind.__name__}.{name}"
        for kind in kinds(Node)
        for name, field in kind.model_fields.items()
        if name not in words | {NAMES_ALONE}
        and (kind, name) not in REFUSED | OF_THE_DATASET
        and not any(isinstance(mark, NoEffect) for mark in field.metadata)
    ]
    assert not silent, "nothing reads these: use them, or annotate them with NoEffect"


def test_every_feature_of_every_prototype_is_read_or_without_effect(words) -> None:
    silent = [
        f"{name}.{feature}"
        for prototypes in (GEOMETRIES, MATERIALS, TECHNIQUES)
        for name, prototype in prototypes.items()
        for feature, declared in prototype.features.items()
        if feature not in words | {"resolution_x", "resolution_y"} and not declared.no_effect
    ]
    assert not silent, "nothing reads these: use them, or give them a no_effect"
