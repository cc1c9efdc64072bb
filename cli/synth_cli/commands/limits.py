"""`synth limits`: show the limits of a namespace, their use, and the sweeps and datasets that wait for them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import click

from synth_cli.cluster.cluster_options import cluster_options, output_option

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from synth_api.resources.namespace_limits import LimitsUse
    from synth_cli.cluster.cluster_object import ClusterObject

_NAMES: Final = {
    "sweeps": "sweeps at work",
    "pods": "pods at once",
    "gpus": "GPUs at once",
    "runsPerSweep": "runs per sweep",
    "gpuHoursPerDay": "GPU hours per day (UTC)",
}


@click.command(name="limits")
@cluster_options
@output_option
def command(namespace: str | None, context: str | None, form: str) -> None:
    """Show the limits of the namespace, their use, and the sweeps and datasets that wait for them, oldest first.

    The operator reports limits and use once a minute.
    """
    from synth_cli.cluster.connection import connect
    from synth_cli.cluster.limits_report import list_limited_owners, read_limits
    from synth_cli.terminal.consoles import open_stdout
    from synth_cli.terminal.standard_streams import print_line

    cluster = connect(context, namespace)
    report, waiting = read_limits(cluster), list_limited_owners(cluster)
    if form == "json":
        print_line(json.dumps(build_document(cluster.namespace, report, waiting), indent=2))
    else:
        print_limits(cluster.namespace, report, waiting, open_stdout())


def build_document(namespace: str, report: LimitsUse | None, waiting: Iterable[ClusterObject]) -> dict[str, object]:
    """Return the JSON document of `-o json`."""
    tree = report.model_dump(mode="json", exclude_none=True) if report else {"limits": {}, "use": {}}
    return {
        "namespace": namespace,
        "limits": tree["limits"],
        "use": {name: amount for name, amount in tree["use"].items() if name in tree["limits"]},
        "waiting": [owner.word for owner in waiting],
    }


def print_limits(namespace: str, report: LimitsUse | None, waiting: list[ClusterObject], console: Console) -> None:
    """Print limits and use as a table, and those that wait as another."""
    from synth_cli.cluster.limits_report import find_limit_message
    from synth_cli.terminal.tables import build_table

    limits = report.limits.model_dump(exclude_none=True) if report else {}
    if report is None or not limits:
        console.print(f"{namespace}: the operator has reported no limits; it does so with the first sweep")
        return
    table = build_table("limit", "in use", "of", right=["in use", "of"])
    for name, number in limits.items():
        table.add_row(_NAMES[name], f"{report.use[name]:,g}" if name in report.use else "", f"{number:,g}")
    console.print(table)
    if waiting:
        console.print()
        table = build_table("waiting", "since", "for")
        for owner in waiting:
            since = owner.status.waiting_since
            table.add_row(owner.word, f"{since:%Y-%m-%d %H:%M} UTC" if since else "", find_limit_message(owner))
        console.print(table)
