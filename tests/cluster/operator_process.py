"""The operator's process beside an API server alone: for what needs no node."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Final

import yaml
from servers import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from api_server import ApiServer

OPERATOR_NAMESPACE: Final = "synth"


@dataclass(frozen=True)
class OperatorProcess:
    """A running operator with its ports."""

    number: int
    """Its process id."""
    health: int
    metrics: int

    def read_health(self) -> str:
        """Return the answer of `/healthz`."""
        return _read(self.health, "/healthz")

    def read_metrics(self) -> str:
        """Return all metrics."""
        return _read(self.metrics, "/metrics")


@contextmanager
def run_operator(server: ApiServer, folder: Path) -> Iterator[OperatorProcess]:
    """Run the operator's process; it must live to the end of the block. Its lease is in the namespace `synth`."""
    health, metrics = free_ports(2)
    configuration = {
        "operatorImage": "lab/operator:1",
        "rendererImage": "lab/renderer:1",
        "lease": {"namespace": OPERATOR_NAMESPACE},
        "healthPort": health,
        "metricsPort": metrics,
        "output": {"endpoint": "store:9000", "bucket": "bucket"},
    }
    (folder / "configuration.yaml").write_text(yaml.safe_dump(configuration))
    command = [sys.executable, "-m", "synth_operator", f"--config={folder}/configuration.yaml", "--identity=one"]
    with (folder / "operator.log").open("w") as log:
        process = subprocess.Popen(
            command, env={**os.environ, "KUBECONFIG": str(server.kubeconfig)}, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield OperatorProcess(process.pid, health, metrics)
            assert process.poll() is None, (folder / "operator.log").read_text()[-2000:]
        finally:
            process.terminate()
            process.wait(30)


def _read(port: int, path: str) -> str:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse().read().decode()
    connection.close()
    return answer
