"""`synth retry`: try the failed and missing runs of a sweep again."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from synth_api.errors import InputError
from synth_cli.cluster.cluster_options import cluster_options
from synth_cli.parameters import TEXT


@click.command(name="retry", short_help="Try the failed runs of a sweep on a cluster again.")
@click.argument("sweep", type=TEXT)
@cluster_options
def command(sweep: str, namespace: str | None, context: str | None) -> None:
    """Try the failed and missing runs of SWEEP again, by a new `retryToken`. Runs that exist are not rendered again.

    Where the sweep's manifest is in Git, change `retryToken` there instead.
    """
    from synth_cli.cluster.connection import connect
    from synth_cli.terminal.consoles import count, stdout

    cluster = connect(context, namespace)
    found = cluster.sweep(sweep)
    if not found.is_over:
        phase = found.status.phase.value
        raise InputError(sweep, f"is not over but {phase}; what fails can be tried again afterwards")
    token = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    cluster.change_spec(sweep, {"retryToken": token})
    left = found.status.runs.total - found.status.runs.existing
    stdout().print(f"{sweep}: {count(left, 'run')} to try again (retryToken {token})")
