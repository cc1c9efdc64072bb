"""`synth plan`: what a sweep amounts to, how much of it is done and how long the rest will take."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

from synth_cli.cluster.cluster_options import cluster_options, form_option
from synth_cli.parameters import PATH, TEXT, local_path

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from synth_api.sweep.definition import Sweep
    from synth_cli.local.existing_runs import ExistingRuns


@click.command(name="plan", short_help="Say what a sweep amounts to, and how much of it is done.")
@click.argument("recipe", type=TEXT, metavar="RECIPE|SWEEP")
@click.argument("arguments", nargs=-1, type=TEXT)
@click.option("--out", type=PATH, default="dataset", show_default=True, help="Dataset folder.")
@click.option("--name", type=TEXT, help="Of a recipe: name of the dataset.  [default: that of the recipe's file]")
@cluster_options
@form_option
def command(
    recipe: str,
    arguments: tuple[str, ...],
    out: Path,
    name: str | None,
    namespace: str | None,
    context: str | None,
    form: str,
) -> None:
    """Say what RECIPE with ARGUMENTS amounts to, or SWEEP on a cluster. Nothing is written or rendered.

    An argument is an override, `path=value`, or an axis, `path=a,b,c` or `path=range(start,stop)`. The runs are the
    product of all axes, the last one fastest. A word that is no file and looks like none is a sweep's name.

    \b
    synth plan recipes/spheres_sem.yaml \\
        'blueprints.particles.Bead.number=100,600' 'initial_runtime_state.seed=range(15)'
    synth plan spheres-sem-180 -n lab
    """
    from synth_cli.cluster.sweep_names import is_sweep_name

    if is_sweep_name(recipe, namespace, context):
        from synth_cli.cluster.plan_view import plan_sweep

        plan_sweep(recipe, arguments, namespace, context, form)
    else:
        plan_recipe(local_path("RECIPE", recipe), arguments, out, name, form)


def plan_recipe(recipe: Path, arguments: tuple[str, ...], out: Path, name: str | None, form: str) -> None:
    """The sweep of a recipe file against a folder."""
    from synth_api.sweep.definition import Sweep
    from synth_cli.local.existing_runs import measure
    from synth_cli.terminal.consoles import stderr, stdout
    from synth_cli.terminal.standard_streams import print_line

    sweep = Sweep.load(recipe, arguments, os.environ).with_name(name)
    existing = measure(sweep, out, stderr())
    if form == "json":
        print_line(json.dumps(document(sweep, existing), indent=2))
    else:
        show(sweep, existing, stdout())


def show(sweep: Sweep, existing: ExistingRuns, console: Console) -> None:
    """The sweep for a person: its axes, what is done, how long the rest takes."""
    from synth_cli.terminal.axes_table import axes_table
    from synth_cli.terminal.consoles import count, facts

    console.print(f"{sweep.name}: {count(sweep.runs, 'run')}", style="bold")
    console.print()
    if sweep.axes:
        console.print(axes_table(sweep))
        console.print()
    rows = [("done", f"{existing.done:,}"), ("to do", f"{existing.todo:,}")]
    if existing.lost:
        rows.append(("", f"{count(existing.lost, 'run')} of them lost files since"))
    if existing.todo:
        rows.append(("time", time_words(existing)))
    if existing.other_runs:
        rows.append(("dataset", other_runs_words(existing.other_runs)))
    console.print(facts(rows))


def document(sweep: Sweep, existing: ExistingRuns) -> dict[str, Any]:
    """The same for a program."""
    from synth_cli.terminal.axes_table import axes_document

    return {
        "name": sweep.name,
        "plan": sweep.plan(),
        "runs": sweep.runs,
        "done": existing.done,
        "todo": existing.todo,
        "lost": existing.lost,
        "other_runs": existing.other_runs,
        "seconds_per_run": existing.estimate and existing.estimate.seconds_per_run,
        "axes": axes_document(sweep),
    }


def other_runs_words(number: int) -> str:
    """What to decide before rendering, when the dataset of this name has other runs."""
    from synth_cli.terminal.consoles import count

    return f"has {count(number, 'run')} that this sweep does not have; synth render needs --add, --replace or --name"


def time_words(existing: ExistingRuns) -> str:
    """How long what is left takes, from what the store has measured, and how much that is worth."""
    from synth_cli.terminal.consoles import count, duration

    estimate = existing.estimate
    if estimate is None:
        return "unknown: the store has no run with these pictures yet; render one with --only 0 and ask again"
    total = duration(estimate.seconds_per_run * existing.todo)
    about = f"{total} with one worker ({duration(estimate.seconds_per_run)} a run"
    if estimate.is_rough:
        return f"roughly {about}, from {count(estimate.measured, 'run')}, some unlike in size)"
    return f"about {about}, measured on {count(estimate.measured, 'run')} like them)"
