"""Everything that the API server tells of a kind of object, as it is told."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.place import program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.client import Client


@dataclass(frozen=True)
class Seen:
    """One event of a watch."""

    at: float
    """`time.monotonic()` at its arrival."""
    type: str
    """ADDED, MODIFIED or DELETED."""
    body: dict[str, Any]


@dataclass
class Watch:
    """Grows while the watch goes on."""

    seen: list[Seen] = field(default_factory=list)

    def read(self, process: subprocess.Popen[str]) -> None:
        """Until the process ends."""
        assert process.stdout is not None
        for line in process.stdout:
            at, event = time.monotonic(), json.loads(line)
            self.seen.append(Seen(at, event["type"], event["object"]))


@contextmanager
def watching(cluster: Client, path: str) -> Iterator[Watch]:
    """Watches the list at a path of the API, `/api/v1/pods` for instance, from its present state on."""
    query = f"{path}?watch=1&timeoutSeconds=7200"
    command = [program("kubectl"), f"--kubeconfig={cluster.kubeconfig}", "get", "--raw", query]
    watch = Watch()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        reader = threading.Thread(target=watch.read, args=(process,), daemon=True)
        reader.start()
        try:
            yield watch
        finally:
            process.terminate()
            reader.join()
