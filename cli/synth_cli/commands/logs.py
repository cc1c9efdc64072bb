"""`synth logs`: print the pod logs of a sweep or dataset."""

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

JOB_KINDS: Final = ("plan", "render", "finalize", "export", "publish", "delete")
MAX_PODS: Final = 20
"""Only the logs of the newest pods are printed."""
_MAX_QUEUED_LINES: Final = 1000
"""Bound on memory: readers wait while as many lines are not printed yet."""


@click.command(name="logs")
@click.argument("name", type=TEXT)
@click.option("--job", type=click.Choice(JOB_KINDS), help="Only pods of this kind of Job.")
@click.option(
    "--tail", type=click.IntRange(0), default=100, show_default=True, help="Number of last lines of each pod."
)
@click.option("--follow", "-f", is_flag=True, help="Print new lines while the pods run.")
@cluster_options
def command(name: str, job: str | None, tail: int, follow: bool, namespace: str | None, context: str | None) -> None:
    """Print the logs of the 20 newest pods of NAME, a sweep or dataset/NAME, each line after the name of its pod."""
    from synth_cli.cluster.connection import connect
    from synth_cli.terminal.consoles import open_stderr

    cluster = connect(context, namespace)
    owner = cluster.read_object(name)
    pods = [pod["metadata"]["name"] for pod in select_pods(cluster.list_pods(owner), job)]
    if not pods:
        open_stderr().print(f"{name} has no pods with logs; the operator deletes finished Jobs with their pods")
    if follow:
        follow_logs(cluster, owner.name, pods, tail)
    else:
        for pod in pods:
            for line in read_lines(cluster, pod, tail):
                print_line(line, pod.removeprefix(f"{owner.name}-"))


def select_pods(pods: list[dict[str, Any]], job: str | None) -> list[dict[str, Any]]:
    """Return the newest pods that have started, of one kind of Job or of all."""
    from synth_api.jobs.names import JOB_LABEL

    started = [pod for pod in pods if pod.get("status", {}).get("phase") != "Pending"]
    return [pod for pod in started if job in (None, pod["metadata"]["labels"].get(JOB_LABEL))][-MAX_PODS:]


def follow_logs(cluster: Cluster, owner: str, pods: list[str], tail: int) -> None:
    """Print the logs of the pods of an owner as they grow, until all pods have ended or stdout is closed.

    Raises the error of the first log that cannot be read. Reader threads are daemons and are not joined: a pod that
    prints nothing would block them forever.
    """
    queue: Queue[tuple[str, str | Exception | None]] = Queue(_MAX_QUEUED_LINES)

    def read(pod: str) -> None:
        try:
            for line in read_lines(cluster, pod, tail, follow=True):
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
            print_line(line, pod.removeprefix(f"{owner}-"))


def read_lines(cluster: Cluster, pod: str, tail: int, *, follow: bool = False) -> Iterator[str]:
    """Yield the redacted lines of a pod's log; one line with the reason if there is no log."""
    from synth_api.redaction import redact
    from synth_cli.cluster.cluster_errors import AbsentError

    try:
        yield from map(redact, cluster.read_log(pod, tail=tail, follow=follow))
    except (AbsentError, InputError) as error:
        yield f"(no log: {error})"
