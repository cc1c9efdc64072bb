"""`synth status`: show the status of sweeps and datasets on a cluster."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click

from synth_cli.cluster.cluster_options import cluster_options, output_option
from synth_cli.parameters import TEXT

if TYPE_CHECKING:
    from rich.console import RenderableType

    from synth_cli.cluster.cluster_dataset import ClusterDataset
    from synth_cli.cluster.cluster_sweep import ClusterSweep
    from synth_cli.cluster.connection import Cluster

WATCH_INTERVAL_SECONDS: Final = 2.0
"""Time between two requests of `--watch`."""


@click.command(name="status")
@click.argument("name", type=TEXT, required=False)
@click.option(
    "--watch",
    "-w",
    is_flag=True,
    help="Follow the sweep or dataset until it is finished; exit code 1 if it failed.",
)
@cluster_options
@output_option
def command(name: str | None, watch: bool, namespace: str | None, context: str | None, form: str) -> int:
    """Show the status of NAME, a sweep or dataset/NAME, or of all sweeps and datasets of the namespace.

    \b
    synth status spheres-sem-180 --watch
    synth status dataset/spheres
    """
    from synth_api.exit_codes import ExitCode
    from synth_cli.cluster.connection import connect

    if watch and (name is None or form == "json"):
        raise click.UsageError("--watch needs the name of one sweep or dataset and excludes -o json")
    cluster = connect(context, namespace)
    if name is None:
        print_all(cluster.list_sweeps(), cluster.list_datasets(), cluster.namespace, form)
        return ExitCode.OK
    if watch:
        return ExitCode.OK if watch_owner(cluster, name).has_succeeded else ExitCode.RUNS_FAILED
    print_status(cluster.read_object(name), form)
    return ExitCode.OK


def print_all(sweeps: list[ClusterSweep], datasets: list[ClusterDataset], namespace: str, form: str) -> None:
    """Print one line per sweep, and one per dataset."""
    from synth_cli.cluster.dataset_status import build_datasets_table
    from synth_cli.cluster.object_status import build_status_document
    from synth_cli.cluster.sweep_status import build_sweeps_table
    from synth_cli.terminal.consoles import open_stderr, open_stdout
    from synth_cli.terminal.standard_streams import print_line

    now, console = datetime.now(UTC), open_stdout()
    if form == "json":
        print_line(json.dumps([build_status_document(owner) for owner in (*sweeps, *datasets)], indent=2))
        return
    if sweeps:
        console.print(build_sweeps_table(sweeps, now))
    if sweeps and datasets:
        console.print()
    if datasets:
        console.print(build_datasets_table(datasets, now))
    if not sweeps and not datasets:
        open_stderr().print(f"there are no sweeps and no datasets in namespace '{namespace}'")


def print_status(owner: ClusterSweep | ClusterDataset, form: str) -> None:
    """Print the status of a sweep or dataset."""
    from synth_cli.cluster.object_status import build_status_document
    from synth_cli.terminal.consoles import can_redraw, open_stdout
    from synth_cli.terminal.standard_streams import print_line

    console = open_stdout()
    if form == "json":
        print_line(json.dumps(build_status_document(owner), indent=2))
    else:
        console.print(format_owner(owner, bar=can_redraw(console)))


def format_owner(owner: ClusterSweep | ClusterDataset, *, bar: bool) -> RenderableType:
    """Return phase, message and details; with a progress bar of a sweep if `bar`."""
    from synth_cli.cluster.cluster_sweep import ClusterSweep
    from synth_cli.cluster.dataset_status import format_dataset
    from synth_cli.cluster.sweep_status import format_status

    now = datetime.now(UTC)
    return format_status(owner, now, bar=bar) if isinstance(owner, ClusterSweep) else format_dataset(owner, now)


def format_owner_line(owner: ClusterSweep | ClusterDataset) -> str:
    """Return the status as one line, for a log."""
    from synth_cli.cluster.cluster_sweep import ClusterSweep
    from synth_cli.cluster.dataset_status import format_dataset_line
    from synth_cli.cluster.sweep_status import format_status_line

    return format_status_line(owner) if isinstance(owner, ClusterSweep) else format_dataset_line(owner)


def watch_owner(cluster: Cluster, name: str) -> ClusterSweep | ClusterDataset:
    """Show a sweep or dataset until it is finished: in place on a terminal, else one line per change.

    Returns its last state.
    """
    from rich.live import Live

    from synth_cli.terminal.consoles import can_redraw, open_stdout
    from synth_cli.terminal.standard_streams import print_line

    console, last_line = open_stdout(), ""
    owner = cluster.read_object(name)
    with Live(console=console, auto_refresh=False, transient=False) as live:
        while True:
            if can_redraw(console):
                live.update(format_owner(owner, bar=True), refresh=True)
            elif last_line != (last_line := format_owner_line(owner)):
                print_line(last_line)
            if owner.is_finished:
                return owner
            time.sleep(WATCH_INTERVAL_SECONDS)
            owner = _read_again(cluster, owner)


def _read_again(cluster: Cluster, owner: ClusterSweep | ClusterDataset) -> ClusterSweep | ClusterDataset:
    """Read a sweep or dataset; return the old state while the API server is unavailable."""
    from synth_cli.cluster.cluster_errors import ClusterError

    try:
        return cluster.read_object(owner.word)
    except ClusterError:
        return owner
