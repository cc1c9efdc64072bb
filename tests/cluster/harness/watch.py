"""Recorded events of a watch of the API server."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.slot import find_program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.client import Client


@dataclass(frozen=True)
class WatchEvent:
    """An event of a watch."""

    at: float
    """Arrival, `time.monotonic()`."""
    type: str
    """ADDED, MODIFIED or DELETED."""
    body: dict[str, Any]


@dataclass
class Watch:
    """Events so far; the list grows while the watch runs."""

    events: list[WatchEvent] = field(default_factory=list)

    def read_events(self, process: subprocess.Popen[str]) -> None:
        """Record events until the process ends."""
        assert process.stdout is not None
        for line in process.stdout:
            at, event = time.monotonic(), json.loads(line)
            self.events.append(WatchEvent(at, event["type"], event["object"]))


@contextmanager
def watch_list(cluster: Client, path: str) -> Iterator[Watch]:
    """Watch the list at a path of the API, such as `/api/v1/pods`, from its present state on."""
    query = f"{path}?watch=1&timeoutSeconds=7200"
    command = [find_program("kubectl"), f"--kubeconfig={cluster.kubeconfig}", "get", "--raw", query]
    watch = Watch()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        reader = threading.Thread(target=watch.read_events, args=(process,), daemon=True)
        reader.start()
        try:
            yield watch
        finally:
            process.terminate()
            reader.join()
