"""`synth validate`: check a recipe and show a summary."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from synth_cli.parameters import PATH, TEXT

if TYPE_CHECKING:
    from pathlib import Path

    from synth_api.recipe.model import ParticleBlueprint, Recipe


@click.command(name="validate")
@click.argument("recipe", type=PATH)
@click.argument("overrides", nargs=-1, type=TEXT)
@click.option("--verbose", is_flag=True, help="Show the steps too.")
def command(recipe: Path, overrides: tuple[str, ...], *, verbose: bool) -> None:
    """Check RECIPE with OVERRIDES; show a summary and the verdict, or the first problem.

    \b
    synth validate recipes/spheres_sem.yaml
    synth validate recipes/spheres_sem.yaml blueprints.particles.Bead.number=100
    """
    from synth_api.sweep.definition import Sweep
    from synth_cli.terminal.consoles import open_stdout
    from synth_cli.terminal.formatting import format_count
    from synth_cli.terminal.tables import build_fact_table

    sweep = Sweep.load(recipe, overrides, os.environ)
    parsed = sweep.build_recipe(0)
    console = open_stdout()
    console.print(build_fact_table([*describe_recipe(parsed), *(describe_steps(parsed) if verbose else [])]))
    console.print()
    if sweep.runs > 1:
        console.print(f"this is run 0 of {format_count(sweep.runs, 'run')}; synth plan shows the axes")
    console.print(f"{recipe} is valid", style="green")


def describe_recipe(recipe: Recipe) -> list[tuple[str, str]]:
    """Return the rows of the summary: seed, techniques, particles."""
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
                f"{name}: {_describe_number(blueprint)} x {blueprint.geometry_prototype_name}, "
                f"{blueprint.material_prototype_name}",
            )
            for name, blueprint in particles.items()
        ),
    ]


def _describe_number(blueprint: ParticleBlueprint) -> str:
    return f"{'' if isinstance(blueprint.number, int) else 'up to '}{blueprint.max_number:,}"


def describe_steps(recipe: Recipe) -> list[tuple[str, str]]:
    """Return the rows of the steps and outputs, each with its index."""
    chains = {"steps": recipe.synth_chain.feature_generation_steps, "outputs": recipe.synth_chain.rendering_steps}
    return [
        (name if index == 0 else "", f"{index:>2}  {describe_step(step)}")
        for name, steps in chains.items()
        for index, step in enumerate(steps)
    ]


def describe_step(step: object) -> str:
    """Return a step as one line: its builtin, then its mode, variability, set or name."""
    about = (
        getattr(step, "rendering_mode", None),
        getattr(step, "feature_variability_name", None),
        getattr(step, "affected_set_name", None),
        getattr(step, "name", None),
    )
    return "  ".join([f"{type(step).__name__:<29}", *(str(word) for word in about if word)]).rstrip()
