"""`synth retry`: retry the failed and missing runs of a sweep."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from synth_api.errors import InputError
from synth_cli.cluster.cluster_options import cluster_options
from synth_cli.parameters import TEXT


@click.command(name="retry")
@click.argument("sweep", type=TEXT)
@cluster_options
def command(sweep: str, namespace: str | None, context: str | None) -> None:
    """Retry the failed and missing runs of SWEEP by a new `retryToken`. Existing runs are not rendered again.

    If the manifest of the sweep is in Git, change `retryToken` there instead.
    """
    from synth_cli.cluster.connection import connect
    from synth_cli.terminal.consoles import open_stdout
    from synth_cli.terminal.formatting import format_count

    cluster = connect(context, namespace)
    found = cluster.read_sweep(sweep)
    if not found.is_finished:
        phase = found.status.phase.value
        raise InputError(sweep, f"is still {phase}; retry when it is Complete or Failed")
    token = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    cluster.patch_spec(sweep, {"retryToken": token})
    missing = found.status.runs.total - found.status.runs.existing
    open_stdout().print(f"{sweep}: {format_count(missing, 'run')} to retry (retryToken {token})")
