"""`synth status`: show the status of sweeps on a cluster."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click

from synth_cli.cluster.cluster_options import cluster_options, output_option
from synth_cli.parameters import TEXT

if TYPE_CHECKING:
    from synth_cli.cluster.cluster_sweep import ClusterSweep
    from synth_cli.cluster.connection import Cluster

WATCH_INTERVAL_SECONDS: Final = 2.0
"""Time between two requests of `--watch`."""


@click.command(name="status")
@click.argument("sweep", type=TEXT, required=False)
@click.option("--watch", "-w", is_flag=True, help="Follow the sweep until it is finished; exit code 1 if it failed.")
@cluster_options
@output_option
def command(sweep: str | None, watch: bool, namespace: str | None, context: str | None, form: str) -> int:
    """Show the status of SWEEP, or of all sweeps of the namespace.

    \b
    synth status spheres-sem-180 --watch
    """
    from synth_api.exit_codes import ExitCode
    from synth_api.resources.synth_sweep import Phase
    from synth_cli.cluster.connection import connect

    if watch and (sweep is None or form == "json"):
        raise click.UsageError("--watch needs the name of one sweep and excludes -o json")
    cluster = connect(context, namespace)
    if sweep is None:
        print_all(cluster.list_sweeps(), cluster.namespace, form)
        return ExitCode.OK
    if watch:
        return ExitCode.OK if watch_sweep(cluster, sweep).status.phase is Phase.COMPLETE else ExitCode.RUNS_FAILED
    print_status(cluster.read_sweep(sweep), form)
    return ExitCode.OK


def print_all(sweeps: list[ClusterSweep], namespace: str, form: str) -> None:
    """Print one line per sweep."""
    from synth_cli.cluster.sweep_status import build_status_document, build_sweeps_table
    from synth_cli.terminal.consoles import open_stderr, open_stdout
    from synth_cli.terminal.standard_streams import print_line

    if form == "json":
        print_line(json.dumps([build_status_document(sweep) for sweep in sweeps], indent=2))
    elif sweeps:
        open_stdout().print(build_sweeps_table(sweeps, datetime.now(UTC)))
    else:
        open_stderr().print(f"there are no sweeps in namespace '{namespace}'")


def print_status(sweep: ClusterSweep, form: str) -> None:
    """Print the status of one sweep."""
    from synth_cli.cluster.sweep_status import build_status_document, format_status
    from synth_cli.terminal.consoles import can_redraw, open_stdout
    from synth_cli.terminal.standard_streams import print_line

    console = open_stdout()
    if form == "json":
        print_line(json.dumps(build_status_document(sweep), indent=2))
    else:
        console.print(format_status(sweep, datetime.now(UTC), bar=can_redraw(console)))


def watch_sweep(cluster: Cluster, name: str) -> ClusterSweep:
    """Show a sweep until it is finished: in place on a terminal, else one line per change. Returns its last state."""
    from rich.live import Live

    from synth_cli.cluster.sweep_status import format_status, format_status_line
    from synth_cli.terminal.consoles import can_redraw, open_stdout
    from synth_cli.terminal.standard_streams import print_line

    console, last_line = open_stdout(), ""
    sweep = cluster.read_sweep(name)
    with Live(console=console, auto_refresh=False, transient=False) as live:
        while True:
            if can_redraw(console):
                live.update(format_status(sweep, datetime.now(UTC), bar=True), refresh=True)
            elif last_line != (last_line := format_status_line(sweep)):
                print_line(last_line)
            if sweep.is_finished:
                return sweep
            time.sleep(WATCH_INTERVAL_SECONDS)
            sweep = _read_again(cluster, sweep)


def _read_again(cluster: Cluster, sweep: ClusterSweep) -> ClusterSweep:
    """Read a sweep; return the old state while the API server is unavailable."""
    from synth_cli.cluster.cluster_errors import ClusterError

    try:
        return cluster.read_sweep(sweep.name)
    except ClusterError:
        return sweep
