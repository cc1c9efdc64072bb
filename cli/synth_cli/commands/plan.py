"""`synth plan`: show the runs of a sweep, how many exist and how long the missing ones take."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

from synth_cli.cluster.cluster_options import cluster_options, output_option
from synth_cli.parameters import PATH, TEXT, parse_path

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from synth_api.sweep.definition import Sweep
    from synth_cli.local.existing_runs import ExistingRuns


@click.command(name="plan")
@click.argument("recipe", type=TEXT, metavar="RECIPE|SWEEP")
@click.argument("arguments", nargs=-1, type=TEXT)
@click.option("--out", type=PATH, default="dataset", show_default=True, help="Dataset folder.")
@click.option("--name", type=TEXT, help="Name of the dataset.  [default: stem of RECIPE]")
@cluster_options
@output_option
def command(
    recipe: str,
    arguments: tuple[str, ...],
    out: Path,
    name: str | None,
    namespace: str | None,
    context: str | None,
    form: str,
) -> None:
    """Show the runs of RECIPE with ARGUMENTS, or of SWEEP on a cluster. Nothing is written or rendered.

    An argument is an override, `path=value`, or an axis, `path=a,b,c` or `path=range(start,stop)`. The runs are the
    product of all axes, the last one fastest. A word that is neither a file nor a path is the name of a sweep.

    \b
    synth plan recipes/spheres_sem.yaml \\
        'blueprints.particles.Bead.number=100,600' 'initial_runtime_state.seed=range(15)'
    synth plan spheres-sem-180 -n lab
    """
    from synth_cli.cluster.sweep_names import is_sweep_name

    if is_sweep_name(recipe, namespace, context):
        from synth_cli.cluster.sweep_plan import print_sweep_plan

        print_sweep_plan(recipe, arguments, namespace, context, form)
    else:
        print_recipe_plan(parse_path("RECIPE", recipe), arguments, out, name, form)


def print_recipe_plan(recipe: Path, arguments: tuple[str, ...], out: Path, name: str | None, form: str) -> None:
    """Print the sweep of a recipe file and its runs in a dataset folder."""
    from synth_api.sweep.definition import Sweep
    from synth_cli.local.existing_runs import find_existing_runs
    from synth_cli.terminal.consoles import open_stderr, open_stdout
    from synth_cli.terminal.standard_streams import print_line

    sweep = Sweep.load(recipe, arguments, os.environ).with_name(name)
    existing = find_existing_runs(sweep, out, open_stderr())
    if form == "json":
        print_line(json.dumps(build_document(sweep, existing), indent=2))
    else:
        print_plan(sweep, existing, open_stdout())


def print_plan(sweep: Sweep, existing: ExistingRuns, console: Console) -> None:
    """Print axes, numbers of runs and the expected time."""
    from synth_cli.terminal.axes_table import build_axes_table
    from synth_cli.terminal.formatting import format_count
    from synth_cli.terminal.tables import build_fact_table

    console.print(f"{sweep.name}: {format_count(sweep.runs, 'run')}", style="bold")
    console.print()
    if sweep.axes:
        console.print(build_axes_table(sweep))
        console.print()
    rows = [("done", f"{existing.done:,}"), ("to do", f"{existing.todo:,}")]
    if existing.lost:
        rows.append(("", f"{format_count(existing.lost, 'run')} of them lost files"))
    if existing.todo:
        rows.append(("time", format_time(existing)))
    if existing.other_runs:
        rows.append(("dataset", format_other_runs(existing.other_runs)))
    console.print(build_fact_table(rows))


def build_document(sweep: Sweep, existing: ExistingRuns) -> dict[str, Any]:
    """Return the JSON document of `-o json`."""
    from synth_cli.terminal.axes_table import build_axes_document

    return {
        "name": sweep.name,
        "plan": sweep.plan(),
        "runs": sweep.runs,
        "done": existing.done,
        "todo": existing.todo,
        "lost": existing.lost,
        "other_runs": existing.other_runs,
        "seconds_per_run": existing.estimate and existing.estimate.seconds_per_run,
        "axes": build_axes_document(sweep),
    }


def format_other_runs(number: int) -> str:
    """Return the sentence about runs of the dataset that the sweep does not have."""
    from synth_cli.terminal.formatting import format_count

    runs = format_count(number, "run")
    return f"has {runs} that this sweep does not have; synth render needs --add, --replace or --name"


def format_time(existing: ExistingRuns) -> str:
    """Return the expected time of the missing runs, with the measurements that it comes from."""
    from synth_cli.terminal.formatting import format_count, format_duration

    estimate = existing.estimate
    if estimate is None:
        return "unknown: the store has no run with these pictures; render one with --only 0 and plan again"
    total = format_duration(estimate.seconds_per_run * existing.todo)
    about = f"{total} with one worker ({format_duration(estimate.seconds_per_run)} a run"
    if estimate.is_rough:
        return f"roughly {about}, from {format_count(estimate.measured, 'run')}, some of another size)"
    return f"about {about}, measured on {format_count(estimate.measured, 'run')} like them)"
