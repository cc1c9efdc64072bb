"""`make bench-operator`: how the operator takes in a long list of sweeps at its start, on an API server alone.

The sweeps are finished, or new. A list is taken in once the metrics count its sweeps. Meanwhile, and for half a minute,
`/healthz` is asked and memory measured; a sweep in another namespace, behind all others in the list, waits for its
first status.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import ssl
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from api_server import ADMIN, api_server
from operator_process import OPERATOR_NAMESPACE, run_operator
from process_usage import MemoryPeak, find_descendants, measure_cpu_seconds
from rich.console import Console
from rich.table import Table
from servers import ROOT
from spheres import SEED, load_recipe

from synth_api.resources.synth_recipe import RecipeSpec
from synth_api.version import ENGINE_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from api_server import ApiServer
    from operator_process import OperatorProcess

RAW: Final = ROOT / "build" / "bench-list.json"
CLIENTS: Final = 4
MANY: Final = "many"
LATE: Final = "zoology"
"""Namespace behind the other one in every list."""
AFTER_SECONDS: Final = 30.0
"""Time for which the operator is measured after its first answer."""
MAX_SECONDS: Final = 600.0

Tree = dict[str, Any]


def build(kind: str, name: str, spec: Tree) -> Tree:
    return {"apiVersion": "synth-operator.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def build_sweep(number: int) -> Tree:
    spec = {"recipeRef": {"name": "spheres"}, "overrides": [f"{SEED}=range({number},{number + 100})"]}
    return build("SynthSweep", f"sweep-{number}", spec)


def build_finished_status() -> Tree:
    return {
        "observedGeneration": 1,
        "phase": "Complete",
        "completionTime": "2026-05-01T12:00:00Z",
        "engineVersion": ENGINE_VERSION,
        "recipeDigest": RecipeSpec(recipe=load_recipe()).digest,
        "runs": {"total": 100, "succeeded": 100},
    }


class Client:
    """One connection to the API server."""

    def __init__(self, server: ApiServer) -> None:
        kubeconfig = json.loads(server.kubeconfig.read_text())
        address = urlsplit(kubeconfig["clusters"][0]["cluster"]["server"])
        self._connection = http.client.HTTPSConnection(address.netloc, context=ssl._create_unverified_context())

    def send(self, verb: str, namespace: str, plural: str, body: Tree, *, part: str = "") -> None:
        """Write an object, or its status."""
        path = f"/apis/synth-operator.io/v1alpha1/namespaces/{namespace}/{plural}{part}"
        merge = "application/merge-patch+json" if verb == "PATCH" else "application/json"
        headers = {"Authorization": f"Bearer {ADMIN}", "Content-Type": merge}
        self._connection.request(verb, path, json.dumps(body), headers)
        answer = self._connection.getresponse()
        text = answer.read()
        assert answer.status < 300, text


def create_sweeps(server: ApiServer, numbers: Iterable[int], *, finished: bool) -> None:
    client, status = Client(server), build_finished_status()
    for number in numbers:
        client.send("POST", MANY, "synthsweeps", build_sweep(number))
        if finished:
            client.send("PATCH", MANY, "synthsweeps", {"status": status}, part=f"/sweep-{number}/status")


def prepare(server: ApiServer, sweeps: int, *, finished: bool) -> None:
    """Create all sweeps and, in another namespace, a late one."""
    server.kubectl("apply", "--server-side", f"--filename={ROOT}/crds")
    server.kubectl("wait", "--for=condition=Established", "crd", "--all")
    for namespace in (MANY, LATE, OPERATOR_NAMESPACE):
        server.kubectl("create", "namespace", namespace)
    for namespace in (MANY, LATE):
        Client(server).send(
            "POST", namespace, "synthrecipes", build("SynthRecipe", "spheres", {"recipe": load_recipe()})
        )
    with ThreadPoolExecutor(CLIENTS) as threads:
        parts = [range(first, sweeps, CLIENTS) for first in range(CLIENTS)]
        list(threads.map(lambda part: create_sweeps(server, part, finished=finished), parts))
    Client(server).send("POST", LATE, "synthsweeps", build_sweep(sweeps))


def measure(sweeps: int, *, finished: bool) -> dict[str, float]:
    """Return the figures of one start of the operator."""
    with tempfile.TemporaryDirectory() as name, api_server(Path(name)) as server:
        prepare(server, sweeps, finished=finished)
        start = time.monotonic()
        with run_operator(server, Path(name)) as operator:
            peak = MemoryPeak(lambda: find_descendants(operator.number))
            with peak.watch():
                numbers = follow_start(server, operator, sweeps, start)
            cpu = measure_cpu_seconds(find_descendants(operator.number))
    return {"sweeps": sweeps, **numbers, "operator, MiB": peak.mebibytes, "operator, CPU seconds": cpu}


def follow_start(server: ApiServer, operator: OperatorProcess, sweeps: int, start: float) -> dict[str, float]:
    numbers, slowest = dict[str, float](), 0.0
    while len(numbers) < 2 or time.monotonic() - start < AFTER_SECONDS:
        asked = time.monotonic()
        assert asked - start < MAX_SECONDS, f"not taken in: {numbers}"
        if "taken in" not in numbers and count_sweeps(operator) == sweeps + 1:
            numbers["taken in"] = time.monotonic() - start
        if "late sweep" not in numbers and has_status(server):
            numbers["late sweep"] = time.monotonic() - start
        if numbers:
            asked = time.monotonic()
            assert operator.read_health() == "ok\n"
            slowest = max(slowest, time.monotonic() - asked)
        time.sleep(0.2)
    return {**numbers, "slowest answer": slowest}


def count_sweeps(operator: OperatorProcess) -> int:
    try:
        metrics = operator.read_metrics()
    except ConnectionError:
        return 0
    return int(sum(float(count) for count in re.findall(r"^synth_sweeps\{.*\} (\S+)$", metrics, re.MULTILINE)))


def has_status(server: ApiServer) -> bool:
    path = "-o=jsonpath={.items[*].status.observedGeneration}"
    return server.kubectl("get", "synthsweeps", f"--namespace={LATE}", path).strip() not in ("", "0")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sweeps", type=int, default=10_000, help="sweeps in the list")
    chosen = parser.parse_args()
    results = {
        kind: measure(chosen.sweeps, finished=finished) for kind, finished in (("finished", True), ("new", False))
    }
    RAW.parent.mkdir(exist_ok=True)
    RAW.write_text(json.dumps(results, indent=1))
    table = Table("at the operator's start", *(f"{each['sweeps']:,} {kind} sweeps" for kind, each in results.items()))
    rows = {
        "all taken in after": ("taken in", ".1f", "s"),
        "a sweep elsewhere is accepted after": ("late sweep", ".1f", "s"),
        "slowest answer of /healthz": ("slowest answer", ".2f", "s"),
        "peak memory of all processes": ("operator, MiB", ".0f", "MiB"),
        f"processor time until then, at least {AFTER_SECONDS:g} s": ("operator, CPU seconds", ".1f", "s"),
    }
    for what, (key, form, unit) in rows.items():
        table.add_row(what, *(f"{each[key]:{form}} {unit}" for each in results.values()))
    Console().print(table, f"raw numbers: {RAW.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
