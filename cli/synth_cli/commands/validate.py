"""`synth validate`: what a recipe is, or the one thing that is wrong with it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from synth_cli.parameters import PATH, TEXT

if TYPE_CHECKING:
    from pathlib import Path

    from synth_api.recipe.model import Recipe


@click.command(name="validate", short_help="Say what a recipe is, or what is wrong with it.")
@click.argument("recipe", type=PATH)
@click.argument("overrides", nargs=-1, type=TEXT)
def command(recipe: Path, overrides: tuple[str, ...]) -> None:
    """Say what RECIPE is after OVERRIDES, or what is wrong with it.

    \b
    synth validate recipes/spheres_sem.yaml
    synth validate recipes/spheres_sem.yaml blueprints.particles.Bead.number=100
    """
    from synth_api.sweep.definition import Sweep
    from synth_cli.terminal.consoles import count, facts, stdout

    sweep = Sweep.load(recipe, overrides, os.environ)
    parsed = sweep.build_recipe(0)
    console = stdout()
    console.print(f"{recipe} is valid", style="green")
    console.print()
    console.print(facts(describe(parsed)))
    if sweep.runs > 1:
        console.print()
        console.print(f"shown is run 0 of {count(sweep.runs, 'run')}; synth plan shows the axes")


def describe(recipe: Recipe) -> list[tuple[str, str]]:
    """The rows of the table: what is rendered, from what, in which modes."""
    techniques = recipe.blueprints.measurement_techniques
    particles = recipe.blueprints.particles
    return [
        ("seed", str(recipe.initial_runtime_state.seed)),
        *(
            ("technique", f"{name}: {blueprint.measurement_technique_prototype_name}")
            for name, blueprint in techniques.items()
        ),
        *(
            (
                "particles",
                f"{name}: {blueprint.number:,} x {blueprint.geometry_prototype_name}, "
                f"{blueprint.material_prototype_name}",
            )
            for name, blueprint in particles.items()
        ),
        *_steps("steps", recipe.synth_chain.feature_generation_steps),
        *_steps("outputs", recipe.synth_chain.rendering_steps),
    ]


def _steps(name: str, steps: tuple[object, ...]) -> list[tuple[str, str]]:
    return [(name if index == 0 else "", f"{index:>2}  {step_words(step)}") for index, step in enumerate(steps)]


def step_words(step: object) -> str:
    """A step in one line: its builtin and what it is about."""
    about = (
        getattr(step, "rendering_mode", None),
        getattr(step, "feature_variability_name", None),
        getattr(step, "affected_set_name", None),
        getattr(step, "name", None),
    )
    return "  ".join([f"{type(step).__name__:<29}", *(str(word) for word in about if word)]).rstrip()
