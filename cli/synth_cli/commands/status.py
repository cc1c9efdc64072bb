"""`synth status`: how a sweep on a cluster goes."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click

from synth_cli.cluster.cluster_options import cluster_options, form_option
from synth_cli.parameters import TEXT

if TYPE_CHECKING:
    from synth_cli.cluster.cluster_sweep import ClusterSweep
    from synth_cli.cluster.connection import Cluster

EVERY: Final = 2.0
"""Seconds between two looks at a sweep that is watched."""


@click.command(name="status", short_help="Say how a sweep on a cluster goes.")
@click.argument("sweep", type=TEXT, required=False)
@click.option("--watch", "-w", is_flag=True, help="Go on until the sweep is over; ends with 1 when it failed.")
@cluster_options
@form_option
def command(sweep: str | None, watch: bool, namespace: str | None, context: str | None, form: str) -> int:
    """Say how SWEEP goes; without a name, how all sweeps of the namespace go.

    \b
    synth status spheres-sem-180 --watch
    """
    from synth_api.exit_codes import ExitCode
    from synth_api.resources.synth_sweep import Phase
    from synth_cli.cluster.connection import connect

    if watch and (sweep is None or form == "json"):
        raise click.UsageError("--watch needs the name of one sweep, and no -o json")
    cluster = connect(context, namespace)
    if sweep is None:
        show_all(cluster.sweeps(), cluster.namespace, form)
        return ExitCode.OK
    if watch:
        return ExitCode.OK if follow(cluster, sweep).status.phase is Phase.COMPLETE else ExitCode.RUNS_FAILED
    show(cluster.sweep(sweep), form)
    return ExitCode.OK


def show_all(sweeps: list[ClusterSweep], namespace: str, form: str) -> None:
    """A line for each sweep."""
    from synth_cli.cluster.status_view import document, sweeps_table
    from synth_cli.terminal.consoles import stderr, stdout
    from synth_cli.terminal.standard_streams import print_line

    if form == "json":
        print_line(json.dumps([document(sweep) for sweep in sweeps], indent=2))
    elif sweeps:
        stdout().print(sweeps_table(sweeps, datetime.now(UTC)))
    else:
        stderr().print(f"there are no sweeps in namespace '{namespace}'")


def show(sweep: ClusterSweep, form: str) -> None:
    """All about one sweep."""
    from synth_cli.cluster.status_view import document, status_view
    from synth_cli.terminal.consoles import can_redraw, stdout
    from synth_cli.terminal.standard_streams import print_line

    console = stdout()
    if form == "json":
        print_line(json.dumps(document(sweep), indent=2))
    else:
        console.print(status_view(sweep, datetime.now(UTC), bar=can_redraw(console)))


def follow(cluster: Cluster, name: str) -> ClusterSweep:
    """Show a sweep until it is over: in place on a terminal, else a line whenever it changes."""
    from rich.live import Live

    from synth_cli.cluster.status_view import status_line, status_view
    from synth_cli.terminal.consoles import can_redraw, stdout
    from synth_cli.terminal.standard_streams import print_line

    console, said = stdout(), ""
    sweep = cluster.sweep(name)
    with Live(console=console, auto_refresh=False, transient=False) as live:
        while True:
            if can_redraw(console):
                live.update(status_view(sweep, datetime.now(UTC), bar=True), refresh=True)
            elif said != (said := status_line(sweep)):
                print_line(said)
            if sweep.is_over:
                return sweep
            time.sleep(EVERY)
            sweep = _next(cluster, sweep)


def _next(cluster: Cluster, sweep: ClusterSweep) -> ClusterSweep:
    """The sweep as it is now; as it was while the API server is away."""
    from synth_cli.cluster.cluster_errors import ClusterError

    try:
        return cluster.sweep(sweep.name)
    except ClusterError:
        return sweep
