"""Metrics, dashboard and alerts with a real Prometheus that scrapes the operator's pods during real sweeps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from harness.components import prometheus_command
from harness.operator_chart import OPERATOR_NAMESPACE
from prometheus import ALERTS, Prometheus, read_dashboard_expressions
from spheres import NUMBER, SEED, SMALL_PICTURE, load_recipe
from waiting import wait_until

from synth_api.resources.base import API_VERSION
from synth_api.resources.synth_sweep import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster import Cluster
    from harness.sweep_namespace import SweepNamespace

IMPOSSIBLE = f"{NUMBER}=2,9000"
"""The second number of beads does not fit into the box."""
RATE = "15s"
OPERATOR_PODS = "app.kubernetes.io/name=synth-operator,app.kubernetes.io/component=operator"


def list_addresses(cluster: Cluster) -> set[str]:
    """Return the addresses of the operator's metrics."""
    pods = cluster.get_object("pods", namespace=OPERATOR_NAMESPACE, selector=OPERATOR_PODS)["items"]
    return {f"{pod['status']['podIP']}:8080" for pod in pods if "podIP" in pod["status"]}


def write_targets(cluster: Cluster) -> None:
    """Write the file of targets, which Prometheus watches: Debian's has no service discovery for Kubernetes."""
    targets = [{"targets": sorted(list_addresses(cluster))}]
    (cluster.sandbox.slot.folder / "targets.json").write_text(json.dumps(targets))


@pytest.fixture(scope="module")
def prometheus(cluster: Cluster) -> Iterator[Prometheus]:
    slot = cluster.sandbox.slot
    write_targets(cluster)
    job = {
        "job_name": "synth-operator",
        "honor_labels": True,
        "file_sd_configs": [{"files": [str(slot.folder / "targets.json")]}],
    }
    configuration = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(ALERTS)],
        "scrape_configs": [job],
    }
    (slot.folder / "prometheus.json").write_text(json.dumps(configuration))
    cluster.processes["prometheus"] = cluster.sandbox.start(prometheus_command(slot), slot.log("prometheus"))
    server = Prometheus(f"http://{cluster.node_address}:9090")
    wait_until(lambda: server.is_ready and list_leaders(server), lambda: slot.log("prometheus").read_text()[-2000:])
    yield server
    cluster.kill_component("prometheus")


def query_values(server: Prometheus, expression: str) -> dict[str, float]:
    """Return labels without `instance` -> value of an instant query."""
    found = {}
    for each in server.get("query", query=expression)["result"]:
        labels = {name: value for name, value in each["metric"].items() if name != "instance"}
        found[json.dumps(labels, sort_keys=True)] = float(each["value"][1])
    return found


def apply_small_sweep(namespace: SweepNamespace, name: str, *overrides: str) -> None:
    namespace.apply_recipe("spheres-sem", load_recipe())
    namespace.apply_sweep(name, "spheres-sem", overrides=[SMALL_PICTURE, *overrides], maxFailedRuns="100%", batchSize=1)


def test_every_panel_of_the_dashboard_has_data(namespace: SweepNamespace, prometheus: Prometheus) -> None:
    apply_small_sweep(namespace, "shown", IMPOSSIBLE, f"{SEED}=range(6)")

    status = namespace.wait_for_end("shown")

    assert (status.phase, status.runs.succeeded, status.runs.failed) == (Phase.COMPLETE, 6, 6)
    for name, source in (("published", "shown"), ("waiting", "missing")):
        spec = {"version": "1", "sources": [{"sweepRef": {"name": source}}], "exports": [{"format": "coco"}]}
        namespace.apply({"apiVersion": API_VERSION, "kind": "SynthDataset", "metadata": {"name": name}, "spec": spec})
    expressions = read_dashboard_expressions(RATE, namespace=namespace.name, sweep="shown")
    wait_until(lambda: not prometheus.find_empty(expressions), lambda: f"no data: {prometheus.find_empty(expressions)}")
    runs = query_values(prometheus, f'sum by (result) (synth_sweep_runs{{namespace="{namespace.name}"}})')
    assert runs == {
        '{"result": "cached"}': 0,
        '{"result": "succeeded"}': 6,
        '{"result": "failed"}': 6,
        '{"result": "pending"}': 0,
    }


def test_metrics_survive_a_restart_and_end_with_the_sweep(namespace: SweepNamespace, prometheus: Prometheus) -> None:
    apply_small_sweep(namespace, "gone", f"{NUMBER}=2")
    namespace.wait_for_end("gone")
    mine = f'{{__name__=~"synth_sweep_.*",namespace="{namespace.name}"}}'
    wait_until(lambda: "Complete" in str(query_values(prometheus, mine)), "the sweep's end was not scraped")
    before = query_values(prometheus, mine)
    old = list_addresses(namespace.cluster)

    namespace.cluster.kubectl("-n", OPERATOR_NAMESPACE, "delete", "pod", f"--selector={OPERATOR_PODS}", "--wait=true")
    wait_until(lambda: list_addresses(namespace.cluster) - old, "no new pod of the operator")
    write_targets(namespace.cluster)

    wait_until(
        lambda: list_leaders(prometheus) - old and query_values(prometheus, mine) == before,
        lambda: f"{query_values(prometheus, mine)}",
    )
    namespace.kubectl("delete", "synthsweep", "gone", "--timeout=300s")
    wait_until(lambda: query_values(prometheus, mine) == {}, lambda: f"left behind: {query_values(prometheus, mine)}")


def list_leaders(server: Prometheus) -> set[str]:
    """Return the addresses of the replicas that lead."""
    result = server.get("query", query="synth_operator_leader == 1")["result"]
    return {each["metric"]["instance"] for each in result}
