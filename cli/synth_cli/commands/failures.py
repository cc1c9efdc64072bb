"""`synth failures`: the failed runs of a sweep on a cluster."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from synth_cli.cluster.cluster_options import cluster_options, form_option
from synth_cli.parameters import TEXT

if TYPE_CHECKING:
    from rich.console import Console

    from synth_cli.cluster.cluster_sweep import ClusterSweep


@click.command(name="failures", short_help="List the failed runs of a sweep on a cluster.")
@click.argument("sweep", type=TEXT)
@cluster_options
@form_option
def command(sweep: str, namespace: str | None, context: str | None, form: str) -> None:
    """List the failed runs of SWEEP with their overrides and why they failed.

    The sweep's status holds the first 20; the dataset holds all of them when the sweep is over.
    """
    from synth_cli.cluster.connection import connect
    from synth_cli.terminal.consoles import stdout
    from synth_cli.terminal.standard_streams import print_line

    found = connect(context, namespace).sweep(sweep)
    if form == "json":
        print_line(json.dumps(document(found), indent=2))
    else:
        show(found, stdout())


def document(sweep: ClusterSweep) -> dict[str, object]:
    """For a program."""
    status = sweep.status
    return {
        "name": sweep.name,
        "failed": status.runs.failed,
        "reasons": {entry.reason: entry.runs for entry in status.failure_reasons},
        "failures": [failure.model_dump(mode="json") for failure in status.failures],
    }


def show(sweep: ClusterSweep, console: Console) -> None:
    """For a person."""
    from synth_cli.cluster.remedies import list_failure_remedies
    from synth_cli.cluster.status_view import reasons
    from synth_cli.terminal.consoles import columns, count, facts, short

    status = sweep.status
    if not status.runs.failed:
        console.print(f"{sweep.name}: no run has failed")
        return
    console.print(f"{sweep.name}: {count(status.runs.failed, 'run')} failed", style="bold")
    console.print(reasons(status.failure_reasons), style="dim")
    console.print()
    table = columns("run", "reason", "overrides", "why", right=["run"])
    for failure in status.failures:
        overrides = "\n".join(f"{path} = {short(value, 24)}" for path, value in failure.overrides.items())
        table.add_row(f"{failure.run:,}", failure.reason, overrides, failure.message)
    console.print(table)
    console.print()
    console.print(facts(list_failure_remedies(sweep)))
    more = status.runs.failed - len(status.failures)
    if more > 0:
        console.print()
        where = f"; all are in {status.dataset}" if status.dataset else ""
        console.print(f"{more:,} more are not shown{where}")
