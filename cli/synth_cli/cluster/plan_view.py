"""What a sweep on a cluster amounts to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from synth_api.composition.source import read_recipe_objects
from synth_api.errors import InputError
from synth_api.jobs.batches import Batches
from synth_api.resources.synth_recipe import RecipeSpec
from synth_api.sweep.definition import Sweep
from synth_cli.cluster.connection import connect_for
from synth_cli.terminal.axes_table import axes_document, axes_table
from synth_cli.terminal.consoles import count, facts, stdout
from synth_cli.terminal.standard_streams import print_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from synth_cli.cluster.cluster_sweep import ClusterSweep
    from synth_cli.cluster.connection import Cluster


def plan_sweep(name: str, arguments: Sequence[str], namespace: str | None, context: str | None, form: str) -> None:
    """Show the plan of a sweep. Raises InputError for arguments: a sweep has its own."""
    if arguments:
        raise InputError(arguments[0], f"the sweep '{name}' has its own axes; give arguments with a recipe file only")
    cluster = connect_for(name, context, namespace)
    found = cluster.sweep(name)
    sweep = composed(cluster, found)
    if form == "json":
        print_line(json.dumps(document(found, sweep), indent=2))
    else:
        show(found, sweep, stdout())


def composed(cluster: Cluster, found: ClusterSweep) -> Sweep:
    """The sweep with its recipe. Raises InputError where the operator would refuse it."""
    spec = found.spec
    tree, name = {"recipe": spec.recipe, "fragments": spec.fragments}, found.name
    if spec.recipe_ref:
        tree, name = cluster.recipe(spec.recipe_ref.name), spec.recipe_ref.name
    recipe = RecipeSpec.model_validate(tree)
    return Sweep.from_source(
        read_recipe_objects(name, recipe.recipe, recipe.fragments), spec.overrides, spec.axes, spec.exclude
    )


def show(found: ClusterSweep, sweep: Sweep, console: Console) -> None:
    """For a person."""
    console.print(f"{found.name}: {count(sweep.count, 'run')}", style="bold")
    console.print()
    if sweep.axes:
        console.print(axes_table(sweep))
        console.print()
    console.print(facts(_rows(found, sweep)))


def document(found: ClusterSweep, sweep: Sweep) -> dict[str, Any]:
    """For a program; `done` and `todo` are those of the status."""
    runs = found.status.runs
    return {
        "name": found.name,
        "namespace": found.namespace,
        "plan": found.status.plan,
        "runs": sweep.runs,
        "excluded": sweep.runs - sweep.count,
        "done": runs.existing,
        "todo": max(0, sweep.count - runs.existing),
        "axes": axes_document(sweep),
    }


def _rows(found: ClusterSweep, sweep: Sweep) -> Iterator[tuple[str, str]]:
    status, attempt = found.status, found.status.attempt
    if sweep.count < sweep.runs:
        yield "left out", f"{sweep.runs - sweep.count:,} of {sweep.runs:,} by exclude"
    if not found.is_current or attempt is None or attempt.todo is None:
        yield "done", "not planned yet; synth status says why"
        return
    yield "done", f"{status.runs.existing:,}"
    yield "to do", f"{max(0, sweep.count - status.runs.existing):,}"
    batches = Batches(attempt.todo, max(1, attempt.batch_size))
    if attempt.todo:
        shards = f" in {count(batches.shards, 'Job')}" if batches.shards > 1 else ""
        yield "batches", f"{batches.count:,} of {count(batches.size, 'run')} each{shards}"
    yield "plan", status.plan[:8]
    yield "attempt", attempt.hash[:8]
    if found.spec.output:
        yield "output", f"{found.spec.output.uri} at {found.spec.output.endpoint}"
