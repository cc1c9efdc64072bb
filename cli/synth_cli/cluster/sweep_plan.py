"""The plan of a sweep on a cluster: its runs, axes and batches."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from synth_api.composition.source import read_recipe_objects
from synth_api.errors import InputError
from synth_api.jobs.batches import Batches
from synth_api.resources.synth_recipe import RecipeSpec
from synth_api.sweep.definition import Sweep
from synth_cli.cluster.connection import connect_for_sweep
from synth_cli.terminal.axes_table import build_axes_document, build_axes_table
from synth_cli.terminal.consoles import open_stdout
from synth_cli.terminal.formatting import format_count
from synth_cli.terminal.standard_streams import print_line
from synth_cli.terminal.tables import build_fact_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from synth_cli.cluster.cluster_sweep import ClusterSweep
    from synth_cli.cluster.connection import Cluster


def print_sweep_plan(
    name: str, arguments: Sequence[str], namespace: str | None, context: str | None, form: str
) -> None:
    """Print the plan of a sweep. Raises InputError for arguments, which only a recipe takes."""
    if arguments:
        raise InputError(arguments[0], f"the sweep '{name}' has its own axes; only a recipe file takes arguments")
    cluster = connect_for_sweep(name, context, namespace)
    found = cluster.read_sweep(name)
    sweep = compose_sweep(cluster, found)
    if form == "json":
        print_line(json.dumps(build_plan_document(found, sweep), indent=2))
    else:
        print_plan(found, sweep, open_stdout())


def compose_sweep(cluster: Cluster, found: ClusterSweep) -> Sweep:
    """Compose a sweep with its recipe. Raises InputError for a sweep that the operator would refuse."""
    spec = found.spec
    tree, name = {"recipe": spec.recipe, "fragments": spec.fragments}, found.name
    if spec.recipe_ref:
        tree, name = cluster.read_recipe(spec.recipe_ref.name), spec.recipe_ref.name
    recipe = RecipeSpec.model_validate(tree)
    source = read_recipe_objects(name, recipe.recipe, recipe.fragments)
    return Sweep.from_source(source, spec.overrides, spec.axes, spec.exclude, spec.dataset)


def print_plan(found: ClusterSweep, sweep: Sweep, console: Console) -> None:
    """Print the number of runs, the axes and the progress."""
    console.print(f"{found.name}: {format_count(sweep.count, 'run')}", style="bold")
    console.print()
    if sweep.axes:
        console.print(build_axes_table(sweep))
        console.print()
    console.print(build_fact_table(_build_rows(found, sweep)))


def build_plan_document(found: ClusterSweep, sweep: Sweep) -> dict[str, Any]:
    """Return the JSON document of `-o json`; `done` and `todo` are those of the status."""
    runs = found.status.runs
    return {
        "name": found.name,
        "namespace": found.namespace,
        "plan": found.status.plan,
        "runs": sweep.runs,
        "excluded": sweep.runs - sweep.count,
        "done": runs.existing,
        "todo": max(0, sweep.count - runs.existing),
        "axes": build_axes_document(sweep),
    }


def _build_rows(found: ClusterSweep, sweep: Sweep) -> Iterator[tuple[str, str]]:
    status, attempt = found.status, found.status.attempt
    if sweep.count < sweep.runs:
        yield "excluded", f"{sweep.runs - sweep.count:,} of {sweep.runs:,}"
    if not found.is_current or attempt is None or attempt.todo is None:
        yield "done", "not planned yet; synth status shows the reason"
        return
    yield "done", f"{status.runs.existing:,}"
    yield "to do", f"{max(0, sweep.count - status.runs.existing):,}"
    batches = Batches(attempt.todo, max(1, attempt.batch_size))
    if attempt.todo:
        shards = f" in {format_count(batches.shards, 'Job')}" if batches.shards > 1 else ""
        yield "batches", f"{batches.count:,} of {format_count(batches.size, 'run')} each{shards}"
    yield "plan", status.plan[:8]
    yield "attempt", attempt.hash[:8]
    if found.spec.output:
        yield "output", f"{found.spec.output.uri} at {found.spec.output.endpoint}"
