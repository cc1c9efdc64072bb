"""`synth logs`: what the pods of a sweep print."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import click

from synth_api.errors import InputError
from synth_cli.cluster.options import cluster_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_cli.cluster.connection import Cluster

KINDS: Final = ("plan", "render", "finalize", "delete")
MOST: Final = 20
"""Pods whose logs are shown: the newest."""


@click.command(name="logs", short_help="Show what the pods of a sweep on a cluster print.")
@click.argument("sweep")
@click.option("--job", type=click.Choice(KINDS), help="Only pods of this kind of Job.")
@click.option("--tail", type=click.IntRange(0), default=100, show_default=True, help="Last lines of each pod.")
@click.option("--follow", "-f", is_flag=True, help="Go on while the pods run.")
@cluster_options
def command(sweep: str, job: str | None, tail: int, follow: bool, namespace: str | None, context: str | None) -> None:
    """Show what the newest pods of SWEEP print, 20 at most, each line behind its pod's name."""
    from synth_cli.cluster.connection import connect
    from synth_cli.terminal import stderr

    cluster = connect(context, namespace)
    names = [pod["metadata"]["name"] for pod in chosen(cluster.pods(cluster.sweep(sweep).name), job)]
    if not names:
        stderr().print(f"{sweep} has no pods with a log now; they go with their Jobs when these are counted")
    if follow:
        with ThreadPoolExecutor(max(1, len(names))) as pool:
            list(pool.map(lambda name: echo(cluster, sweep, name, tail, follow=True), names))
    else:
        for name in names:
            echo(cluster, sweep, name, tail)


def chosen(pods: list[dict[str, Any]], job: str | None) -> list[dict[str, Any]]:
    """The newest pods that have begun, of a kind of Job."""
    from synth_api.jobs.names import JOB_LABEL

    begun = [pod for pod in pods if pod.get("status", {}).get("phase") != "Pending"]
    return [pod for pod in begun if job in (None, pod["metadata"]["labels"].get(JOB_LABEL))][-MOST:]


def echo(cluster: Cluster, sweep: str, pod: str, tail: int, *, follow: bool = False) -> None:
    """Print a pod's log, a line at a time."""
    short = pod.removeprefix(f"{sweep}-")
    for line in _lines(cluster, pod, tail, follow):
        click.echo(f"{click.style(short, fg='cyan')} {line}")


def _lines(cluster: Cluster, pod: str, tail: int, follow: bool) -> Iterator[str]:
    """The lines; none of a pod whose log has gone or has not begun."""
    from synth_cli.cluster.problems import AbsentError

    try:
        yield from cluster.log(pod, tail=tail, follow=follow)
    except (AbsentError, InputError) as error:
        yield f"(no log: {error})"
