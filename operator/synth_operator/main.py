"""The operator's process: health and metrics always, a term of work whenever it holds the lease."""

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

from synth_api.errors import InputError
from synth_api.exit_codes import ExitCode
from synth_api.sentences import explain
from synth_operator.configuration import Configuration
from synth_operator.health import HealthServer
from synth_operator.kube.client import KubernetesApi, load_connection
from synth_operator.kube.fencing import FencedApi
from synth_operator.kube.leader_election import Leadership
from synth_operator.logs import log_json
from synth_operator.metrics.process import OperatorMetrics
from synth_operator.reconcile.controller import Term

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubernetes import client

    from synth_operator.kube.sweep_object import SweepObject

log = logging.getLogger(__name__)

_SILENCE: Final = 30.0
"""Seconds without an answer of the API after which a replica is not ready."""

_SWITCH_INTERVAL: Final = 0.0005
"""Seconds a thread may keep the interpreter from others; by default each answer of the API waits 5 ms for kopf."""


class Operator:
    """One replica."""

    def __init__(self, configuration: Configuration, connection: client.Configuration, identity: str) -> None:
        self._configuration = configuration
        self._connection = connection
        self._metrics = OperatorMetrics(version("synth-operator"), self._sweeps, self._depth)
        self._api = KubernetesApi(connection, self._metrics.api_call, configuration.workers + 2)
        self._leadership = Leadership(self._api, configuration.lease, identity)
        self._term: Term | None = None

    def run(self, stop: threading.Event) -> None:
        """Returns when told to stop, with the lease released."""
        health = HealthServer(self._configuration.health_port, {"/healthz": self._dead, "/readyz": self._unready})
        end_metrics = self._metrics.serve(self._configuration.metrics_port)
        try:
            while self._leadership.acquire(stop):
                self._lead(stop)
        finally:
            end_metrics()
            health.close()

    def _lead(self, stop: threading.Event) -> None:
        term = Term(FencedApi(self._api, self._leadership), self._connection, self._configuration, self._metrics)
        self._term = term
        self._metrics.leads(True)
        try:
            self._leadership.hold(stop)
        finally:
            self._term = None
            self._metrics.leads(False)
            term.drain()
            self._leadership.release()
            term.end()

    def _sweeps(self) -> tuple[SweepObject, ...]:
        term = self._term
        return term.sweeps() if term else ()

    def _depth(self) -> float:
        term = self._term
        return term.depth if term else 0

    def _dead(self) -> str:
        """The API answers, yet the watches hear nothing or the workers do nothing."""
        term = self._term
        return term.problem if term and not self._silence() else ""

    def _unready(self) -> str:
        term = self._term
        return self._silence() or (term.problem if term else "")

    def _silence(self) -> str:
        silence = time.monotonic() - self._leadership.heard
        return f"the Kubernetes API has not answered for {silence:.0f} s" if silence > _SILENCE else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until SIGTERM or SIGINT; returns the exit code."""
    parser = argparse.ArgumentParser(prog="synth-operator", description="Renders sweeps on Kubernetes.")
    parser.add_argument("--config", type=Path, required=True, help="YAML file with the configuration")
    parser.add_argument("--identity", default=socket.gethostname(), help="name of this replica; its host's by default")
    chosen = parser.parse_args(arguments)
    try:
        configuration = Configuration.read(chosen.config)
    except InputError as error:
        print(explain(error), file=sys.stderr)
        return int(ExitCode.BAD_INPUT)
    log_json(configuration.log_level)
    sys.setswitchinterval(_SWITCH_INTERVAL)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    Operator(configuration, load_connection(), chosen.identity).run(stop)
    return 0
