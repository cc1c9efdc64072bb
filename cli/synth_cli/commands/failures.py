"""`synth failures`: list the failed runs of a sweep on a cluster."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from synth_cli.cluster.cluster_options import cluster_options, output_option
from synth_cli.parameters import TEXT

if TYPE_CHECKING:
    from rich.console import Console

    from synth_cli.cluster.cluster_sweep import ClusterSweep


@click.command(name="failures")
@click.argument("sweep", type=TEXT)
@cluster_options
@output_option
def command(sweep: str, namespace: str | None, context: str | None, form: str) -> None:
    """List the failed runs of SWEEP with their overrides and reasons.

    The status of the sweep holds the first 20; the dataset of a finished sweep lists all.
    """
    from synth_cli.cluster.connection import connect
    from synth_cli.terminal.consoles import open_stdout
    from synth_cli.terminal.standard_streams import print_line

    found = connect(context, namespace).read_sweep(sweep)
    if form == "json":
        print_line(json.dumps(build_document(found), indent=2))
    else:
        print_failures(found, open_stdout())


def build_document(sweep: ClusterSweep) -> dict[str, object]:
    """Return the JSON document of `-o json`."""
    status = sweep.status
    return {
        "name": sweep.name,
        "failed": status.runs.failed,
        "reasons": {entry.reason: entry.runs for entry in status.failure_reasons},
        "failures": [failure.model_dump(mode="json") for failure in status.failures],
    }


def print_failures(sweep: ClusterSweep, console: Console) -> None:
    """Print the failed runs as a table."""
    from synth_cli.cluster.remedies import list_failure_remedies
    from synth_cli.cluster.sweep_status import format_reasons
    from synth_cli.terminal.formatting import format_count, shorten
    from synth_cli.terminal.tables import build_fact_table, build_table

    status = sweep.status
    if not status.runs.failed:
        console.print(f"{sweep.name}: no run failed")
        return
    console.print(f"{sweep.name}: {format_count(status.runs.failed, 'run')} failed", style="bold")
    console.print(format_reasons(status.failure_reasons), style="dim")
    console.print()
    table = build_table("run", "reason", "overrides", "message", right=["run"])
    for failure in status.failures:
        overrides = "\n".join(f"{path} = {shorten(value, 24)}" for path, value in failure.overrides.items())
        table.add_row(f"{failure.run:,}", failure.reason, overrides, failure.message)
    console.print(table)
    console.print()
    console.print(build_fact_table(list_failure_remedies(sweep)))
    more = status.runs.failed - len(status.failures)
    if more > 0:
        console.print()
        place = f"; {status.dataset} lists all" if status.dataset else ""
        console.print(f"{more:,} more are not shown{place}")
