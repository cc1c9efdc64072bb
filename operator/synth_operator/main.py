"""The operator's process: command line, leader election, health and metrics."""

from __future__ import annotations

import argparse
import logging
import signal
import socket
import sys
import threading
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from synth_api.exit_codes import ExitCode
from synth_operator.checks.pool import CheckPool
from synth_operator.configuration import Configuration
from synth_operator.health import HealthServer
from synth_operator.kube.client import KubernetesApi, load_connection
from synth_operator.kube.fencing import FencedApi
from synth_operator.kube.leader_election import Leadership
from synth_operator.logs import start_logging
from synth_operator.metrics.process import OperatorMetrics
from synth_operator.reconcile.controller import Controller

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubernetes import client

    from synth_operator.kube.packed_object import PackedObject
    from synth_operator.reconcile.limiter import NamespaceUse

log = logging.getLogger(__name__)

_MAX_SILENCE_SECONDS: Final = 30.0
"""A replica is not ready after this time without an answer from the API."""

_SWITCH_INTERVAL_SECONDS: Final = 0.0005
"""Longest hold of the interpreter by one thread; with the default of 5 ms every answer of the API waits for kopf."""


class Operator:
    """One replica: metrics and health always, a controller while it holds the lease."""

    def __init__(self, configuration: Configuration, connection: client.Configuration, identity: str) -> None:
        self._configuration = configuration
        self._connection = connection
        self._metrics = OperatorMetrics(
            version("synth-operator"),
            self._list_sweeps,
            self._read_queue_depth,
            self._read_queue_seconds,
            self._list_uses,
            self._list_datasets,
        )
        self._checks = CheckPool()
        self._api = KubernetesApi(connection, self._metrics.record_api_call, configuration.workers + 2)
        self._leadership = Leadership(self._api, configuration.lease, identity)
        self._controller: Controller | None = None

    def run(self, stop: threading.Event) -> None:
        """Run until `stop` is set; the lease is released by then."""
        checks = {"/healthz": self._check_liveness, "/readyz": self._check_readiness}
        health = HealthServer(self._configuration.health_port, checks)
        stop_metrics = self._metrics.serve(self._configuration.metrics_port)
        try:
            while self._leadership.acquire(stop):
                self._lead(stop)
        finally:
            self._checks.close()
            stop_metrics()
            health.close()

    def _lead(self, stop: threading.Event) -> None:
        api = FencedApi(self._api, self._leadership)
        controller = Controller(api, self._connection, self._configuration, self._checks, self._metrics)
        self._controller = controller
        self._metrics.set_leading(True)
        try:
            self._leadership.renew_until(stop)
        finally:
            self._controller = None
            self._metrics.set_leading(False)
            controller.drain()
            self._leadership.release()
            controller.stop_watches()

    def _list_sweeps(self) -> tuple[PackedObject, ...]:
        controller = self._controller
        return controller.list_sweeps() if controller else ()

    def _list_datasets(self) -> tuple[PackedObject, ...]:
        controller = self._controller
        return controller.list_datasets() if controller else ()

    def _list_uses(self) -> tuple[NamespaceUse, ...]:
        controller = self._controller
        return controller.list_uses() if controller else ()

    def _read_queue_depth(self) -> float:
        controller = self._controller
        return controller.queue_depth if controller else 0

    def _read_queue_seconds(self) -> float:
        controller = self._controller
        return max(controller.queue_seconds, self._checks.oldest_seconds) if controller else 0.0

    def _check_liveness(self) -> str:
        """Return the problem that a restart solves for certain; a long queue or a busy machine is none."""
        controller = self._controller
        return controller.death if controller else ""

    def _check_readiness(self) -> str:
        controller = self._controller
        return self._check_api() or (controller.problem if controller else "")

    def _check_api(self) -> str:
        silence = time.monotonic() - self._leadership.last_answer_time
        return f"the Kubernetes API has not answered for {silence:.0f} s" if silence > _MAX_SILENCE_SECONDS else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; return the exit code."""
    parser = argparse.ArgumentParser(prog="synth-operator", description="Renders sweeps on Kubernetes.")
    parser.add_argument("--config", type=Path, required=True, help="YAML file with the configuration")
    parser.add_argument("--identity", default=socket.gethostname(), help="name of this replica; its host's by default")
    options = parser.parse_args(arguments)
    configuration = start_logging(options.config)
    if configuration is None:
        return int(ExitCode.BAD_INPUT)
    sys.setswitchinterval(_SWITCH_INTERVAL_SECONDS)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    Operator(configuration, load_connection(), options.identity).run(stop)
    return 0
