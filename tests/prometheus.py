"""A real Prometheus for tests, and the queries of the dashboard."""

from __future__ import annotations

import json
import math
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import yaml
from servers import ROOT, free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

CHART: Final = ROOT / "charts/synth-operator"
DASHBOARD: Final = CHART / "dashboards/sweeps.json"
ALERTS: Final = CHART / "alerts/sweeps.yaml"
READY_SECONDS: Final = 30.0


def read_dashboard_expressions(rate_interval: str, namespace: str = ".*", sweep: str = ".*") -> dict[str, str]:
    """Return `panel: legend` -> expression, with Grafana's variables replaced as Grafana does."""
    variables = {"$__rate_interval": rate_interval, "$namespace": namespace, "$sweep": sweep}
    found = {}
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"]
            for name, value in variables.items():
                expression = expression.replace(name, value)
            assert "$" not in expression, expression
            found[f"{panel['title']}: {target['legendFormat']}"] = expression
    return found


class Prometheus:
    """Client of a server's query API."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, **parameters: str) -> Any:
        """Return the `data` of an answer. Raises AssertionError with the server's message."""
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from error

    @property
    def is_ready(self) -> bool:
        """True if the server answers queries."""
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=1):
                return True
        except OSError:
            return False

    def read_values(self, expression: str, seconds: float = 600, step: float = 1) -> list[float]:
        """Return the numbers of the last `seconds` of all series, as a panel draws them."""
        now = time.time()
        data = self.get("query_range", query=expression, start=str(now - seconds), end=str(now), step=str(step))
        numbers = (float(value) for series in data["result"] for _, value in series["values"])
        return [number for number in numbers if not math.isnan(number)]

    def find_empty(self, expressions: Mapping[str, str]) -> list[str]:
        """Return the names of the expressions without a number."""
        return [name for name, expression in expressions.items() if not self.read_values(expression)]


@contextmanager
def prometheus_server(folder: Path, targets: Sequence[str], interval: str = "500ms") -> Iterator[Prometheus]:
    """Run Prometheus, which scrapes the targets, with its data in `folder`."""
    (port,) = free_ports(1)
    scrape = {"job_name": "synth-operator", "honor_labels": True, "static_configs": [{"targets": list(targets)}]}
    configuration = {
        "global": {"scrape_interval": interval, "evaluation_interval": interval},
        "rule_files": [str(ALERTS)],
        "scrape_configs": [scrape],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
    command = [
        *("setpriv", "--pdeathsig", "KILL", "prometheus", f"--config.file={folder / 'prometheus.yaml'}"),
        *(f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}"),
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        server = Prometheus(f"http://127.0.0.1:{port}")
        _wait_until_ready(server, process)
        yield server
    finally:
        process.kill()
        process.wait()


def _wait_until_ready(server: Prometheus, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + READY_SECONDS
    while not server.is_ready:
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError("Prometheus did not become ready")
        time.sleep(0.1)
