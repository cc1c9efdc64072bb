"""`synth logs`: what the pods of a sweep print."""

from __future__ import annotations

from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

import click

from synth_api.errors import InputError
from synth_cli.cluster.cluster_options import cluster_options
from synth_cli.parameters import TEXT
from synth_cli.terminal.standard_streams import is_stdout_lost, print_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_cli.cluster.connection import Cluster

KINDS: Final = ("plan", "render", "finalize", "delete")
MOST: Final = 20
"""Pods whose logs are shown: the newest."""
_AHEAD: Final = 1000
"""Lines that are read before they are printed."""


@click.command(name="logs", short_help="Show what the pods of a sweep on a cluster print.")
@click.argument("sweep", type=TEXT)
@click.option("--job", type=click.Choice(KINDS), help="Only pods of this kind of Job.")
@click.option("--tail", type=click.IntRange(0), default=100, show_default=True, help="Last lines of each pod.")
@click.option("--follow", "-f", is_flag=True, help="Go on while the pods run.")
@cluster_options
def command(sweep: str, job: str | None, tail: int, follow: bool, namespace: str | None, context: str | None) -> None:
    """Show what the newest pods of SWEEP print, 20 at most, each line behind its pod's name."""
    from synth_cli.cluster.connection import connect
    from synth_cli.terminal.consoles import stderr

    cluster = connect(context, namespace)
    names = [pod["metadata"]["name"] for pod in chosen(cluster.pods(cluster.sweep(sweep).name), job)]
    if not names:
        stderr().print(f"{sweep} has no pods with a log now; they go with their Jobs when these are counted")
    if follow:
        follow_all(cluster, sweep, names, tail)
    else:
        for name in names:
            for line in lines(cluster, name, tail):
                print_line(line, name.removeprefix(f"{sweep}-"))


def chosen(pods: list[dict[str, Any]], job: str | None) -> list[dict[str, Any]]:
    """The newest pods that have begun, of a kind of Job."""
    from synth_api.jobs.names import JOB_LABEL

    begun = [pod for pod in pods if pod.get("status", {}).get("phase") != "Pending"]
    return [pod for pod in begun if job in (None, pod["metadata"]["labels"].get(JOB_LABEL))][-MOST:]


def follow_all(cluster: Cluster, sweep: str, pods: list[str], tail: int) -> None:
    """Print the logs of pods as they grow, until all have ended or nobody reads. Raises what reading one raises.

    The threads that read are left behind at the end: a pod that prints nothing would keep them for ever.
    """
    queue: Queue[tuple[str, str | Exception | None]] = Queue(_AHEAD)

    def read(pod: str) -> None:
        try:
            for line in lines(cluster, pod, tail, follow=True):
                queue.put((pod, line))
            queue.put((pod, None))
        except Exception as error:
            queue.put((pod, error))

    for pod in pods:
        Thread(target=read, args=(pod,), daemon=True).start()
    reading = len(pods)
    while reading and not is_stdout_lost():
        pod, line = queue.get()
        if isinstance(line, Exception):
            raise line
        if line is None:
            reading -= 1
        else:
            print_line(line, pod.removeprefix(f"{sweep}-"))


def lines(cluster: Cluster, pod: str, tail: int, *, follow: bool = False) -> Iterator[str]:
    """The lines; none of a pod whose log has gone or has not begun."""
    from synth_api.redaction import redact
    from synth_cli.cluster.cluster_errors import AbsentError

    try:
        yield from map(redact, cluster.log(pod, tail=tail, follow=follow))
    except (AbsentError, InputError) as error:
        yield f"(no log: {error})"
