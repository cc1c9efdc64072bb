"""`synth plan`: what a sweep amounts to, how much of it is done and how long the rest will take."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from synth_api.sweep.sweep import Sweep
    from synth_cli.existing import Existing


@click.command(name="plan", short_help="Say what a sweep amounts to, and how much of it is done.")
@click.argument("recipe", type=click.Path(path_type=Path))
@click.argument("arguments", nargs=-1)
@click.option("--out", type=click.Path(path_type=Path), default="dataset", show_default=True, help="Dataset folder.")
@click.option("--output", "-o", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(recipe: Path, arguments: tuple[str, ...], out: Path, form: str) -> None:
    """Say what RECIPE with ARGUMENTS amounts to. Nothing is written or rendered.

    An argument is an override, `path=value`, or an axis, `path=a,b,c` or `path=range(start,stop)`. The runs are the
    product of all axes, the last one fastest.

    \b
    synth plan recipes/spheres_sem.yaml \\
        'blueprints.particles.Bead.number=100,600' 'initial_runtime_state.seed=range(15)'
    """
    from synth_api.sweep.sweep import Sweep
    from synth_cli.existing import measure
    from synth_cli.terminal import stderr, stdout

    sweep = Sweep.load(recipe, arguments)
    existing = measure(sweep, out, stderr())
    if form == "json":
        click.echo(json.dumps(document(sweep, existing), indent=2))
    else:
        show(sweep, existing, stdout())


def show(sweep: Sweep, existing: Existing, console: Console) -> None:
    """The sweep for a person: its axes, what is done, how long the rest takes."""
    from synth_cli.terminal import columns, count, facts

    console.print(f"{sweep.name}: {count(sweep.runs, 'run')}", style="bold")
    console.print()
    if sweep.axes:
        recipe = sweep.recipe(0)
        table = columns("axis", "values", "", "in", right=["values"])
        for axis in sweep.axes:
            table.add_row(axis.path, f"{len(axis.values):,}", value_words(axis.values), target(recipe, axis.path))
        console.print(table)
        console.print()
    rows = [("done", f"{existing.done:,}"), ("to do", f"{existing.todo:,}")]
    console.print(facts([*rows, ("time", time_words(existing))] if existing.todo else rows))


def document(sweep: Sweep, existing: Existing) -> dict[str, Any]:
    """The same for a program; axes with more than a thousand values give only their first and last."""
    recipe = sweep.recipe(0)
    return {
        "name": sweep.name,
        "plan": sweep.plan(),
        "runs": sweep.runs,
        "done": existing.done,
        "todo": existing.todo,
        "seconds_per_run": existing.estimate and existing.estimate.seconds_per_run,
        "axes": [
            {
                "path": axis.path,
                "in": target(recipe, axis.path),
                "count": len(axis.values),
                "values": list(axis.values) if len(axis.values) <= 1000 else [axis.values[0], axis.values[-1]],
            }
            for axis in sweep.axes
        ],
    }


def time_words(existing: Existing) -> str:
    """How long what is left takes, from what the store has measured, and how much that is worth."""
    from synth_cli.terminal import count, duration

    estimate = existing.estimate
    if estimate is None:
        return "unknown: the store has no run with these pictures yet; render one with --only 0 and ask again"
    total = duration(estimate.seconds_per_run * existing.todo)
    about = f"{total} with one worker ({duration(estimate.seconds_per_run)} a run"
    if estimate.is_rough:
        return f"roughly {about}, from {count(estimate.measured, 'run')}, some unlike in size)"
    return f"about {about}, measured on {count(estimate.measured, 'run')} like them)"


def value_words(values: Sequence[Any], most: int = 8) -> str:
    """`100, 200, 300`, of many the first and the last."""
    from synth_cli.terminal import short

    if len(values) <= most:
        return ", ".join(short(value, 24) for value in values)
    return ", ".join([*(short(value, 24) for value in values[:3]), "…", short(values[-1], 24)])


def target(recipe: object, path: str) -> str:
    """The builtin that a dotted path leads into (`RelaxCollisions`), so that an index is no riddle; else nothing."""
    node, found = recipe, ""
    for word in path.split("."):
        in_list = isinstance(node, tuple)
        node = _child(node, word)
        if (in_list or word == "variability") and isinstance(node, BaseModel):
            found = type(node).__name__
    return found


def _child(node: object, word: str) -> object:
    if isinstance(node, tuple):
        return node[int(word)] if word.isdigit() and int(word) < len(node) else None
    return node.get(word) if isinstance(node, Mapping) else getattr(node, word, None)
