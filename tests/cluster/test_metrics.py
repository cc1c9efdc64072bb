"""Metrics, dashboard and alerts on the real thing: a Prometheus that scrapes the operator's pods during real sweeps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from harness.cluster import wait_until
from harness.components import prometheus_command
from harness.operator_chart import OPERATOR_NAMESPACE
from prometheus import ALERTS, Prometheus, dashboard_expressions
from spheres import NUMBER, SEED, SMALL_PICTURE, load_recipe

from synth_api.resources.synth_sweep import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster import Cluster
    from harness.sweep_namespace import SweepNamespace

IMPOSSIBLE = f"{NUMBER}=2,9000"
"""The second one does not fit."""
RATE = "15s"
OPERATOR_PODS = "app.kubernetes.io/name=synth-operator,app.kubernetes.io/component=operator"


def addresses(cluster: Cluster) -> set[str]:
    """Where the operator's living pods answer scrapes."""
    pods = cluster.get_object("pods", namespace=OPERATOR_NAMESPACE, selector=OPERATOR_PODS)["items"]
    return {f"{pod['status']['podIP']}:8080" for pod in pods if "podIP" in pod["status"]}


def aim(cluster: Cluster) -> None:
    """Debian's Prometheus cannot look pods up by itself, but it watches a file."""
    targets = [{"targets": sorted(addresses(cluster))}]
    (cluster.sandbox.slot.folder / "targets.json").write_text(json.dumps(targets))


@pytest.fixture(scope="module")
def prometheus(cluster: Cluster) -> Iterator[Prometheus]:
    slot = cluster.sandbox.slot
    aim(cluster)
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
    wait_until(lambda: server.ready and leaders(server), lambda: slot.log("prometheus").read_text()[-2000:])
    yield server
    cluster.kill_component("prometheus")


def now(server: Prometheus, expression: str) -> dict[str, float]:
    """Labels but the pod's -> value, at this moment."""
    found = {}
    for each in server.get("query", query=expression)["result"]:
        labels = {name: value for name, value in each["metric"].items() if name != "instance"}
        found[json.dumps(labels, sort_keys=True)] = float(each["value"][1])
    return found


def render(namespace: SweepNamespace, name: str, *overrides: str) -> None:
    namespace.apply_recipe("spheres-sem", load_recipe())
    namespace.apply_sweep(name, "spheres-sem", overrides=[SMALL_PICTURE, *overrides], maxFailedRuns="100%", batchSize=1)


def test_the_whole_dashboard_has_data_of_a_real_sweep(namespace: SweepNamespace, prometheus: Prometheus) -> None:
    render(namespace, "shown", IMPOSSIBLE, f"{SEED}=range(6)")

    status = namespace.wait_for_end("shown")

    assert (status.phase, status.runs.succeeded, status.runs.failed) == (Phase.COMPLETE, 6, 6)
    expressions = dashboard_expressions(RATE, namespace=namespace.name, sweep="shown")
    wait_until(lambda: not prometheus.silent(expressions), lambda: f"no data: {prometheus.silent(expressions)}")
    runs = now(prometheus, f'sum by (result) (synth_sweep_runs{{namespace="{namespace.name}"}})')
    assert runs == {
        '{"result": "cached"}': 0,
        '{"result": "succeeded"}': 6,
        '{"result": "failed"}': 6,
        '{"result": "pending"}': 0,
    }


def test_a_restarted_operator_reports_the_same_and_a_deleted_sweep_nothing(
    namespace: SweepNamespace, prometheus: Prometheus
) -> None:
    render(namespace, "gone", f"{NUMBER}=2")
    namespace.wait_for_end("gone")
    mine = f'{{__name__=~"synth_sweep_.*",namespace="{namespace.name}"}}'
    wait_until(lambda: "Complete" in str(now(prometheus, mine)), "the sweep's end was not scraped")
    before = now(prometheus, mine)
    old = addresses(namespace.cluster)

    namespace.cluster.kubectl("-n", OPERATOR_NAMESPACE, "delete", "pod", f"--selector={OPERATOR_PODS}", "--wait=true")
    wait_until(lambda: addresses(namespace.cluster) - old, "no new pod of the operator")
    aim(namespace.cluster)

    wait_until(
        lambda: leaders(prometheus) - old and now(prometheus, mine) == before, lambda: f"{now(prometheus, mine)}"
    )
    namespace.kubectl("delete", "synthsweep", "gone", "--timeout=60s")
    wait_until(lambda: now(prometheus, mine) == {}, lambda: f"left behind: {now(prometheus, mine)}")


def leaders(server: Prometheus) -> set[str]:
    """Addresses of the replicas that lead now."""
    result = server.get("query", query="synth_operator_leader == 1")["result"]
    return {each["metric"]["instance"] for each in result}
