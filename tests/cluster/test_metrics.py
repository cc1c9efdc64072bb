"""Metrics, dashboard and alerts on the real thing: a Prometheus that scrapes the operator's pods during real sweeps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from harness.cluster import until
from harness.components import prometheus as prometheus_command
from harness.lab import SYSTEM
from prometheus import ALERTS, Prometheus, dashboard_expressions
from spheres import NUMBER, SEED, SMALL_PICTURE, recipe

from synth_api.resources.synth_sweep import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster import Cluster
    from harness.lab import Lab

IMPOSSIBLE = f"{NUMBER}=2,9000"
"""The second one does not fit."""
RATE = "15s"
OPERATOR_PODS = "app.kubernetes.io/name=synth-operator,app.kubernetes.io/component=operator"


def addresses(cluster: Cluster) -> set[str]:
    """Where the operator's living pods answer scrapes."""
    pods = cluster.get("pods", namespace=SYSTEM, selector=OPERATOR_PODS)["items"]
    return {f"{pod['status']['podIP']}:8080" for pod in pods if "podIP" in pod["status"]}


def aim(cluster: Cluster) -> None:
    """Debian's Prometheus cannot look pods up by itself, but it watches a file."""
    targets = [{"targets": sorted(addresses(cluster))}]
    (cluster.sandbox.place.folder / "targets.json").write_text(json.dumps(targets))


@pytest.fixture(scope="module")
def prometheus(cluster: Cluster) -> Iterator[Prometheus]:
    place = cluster.sandbox.place
    aim(cluster)
    job = {
        "job_name": "synth-operator",
        "honor_labels": True,
        "file_sd_configs": [{"files": [str(place.folder / "targets.json")]}],
    }
    configuration = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(ALERTS)],
        "scrape_configs": [job],
    }
    (place.folder / "prometheus.json").write_text(json.dumps(configuration))
    cluster.processes["prometheus"] = cluster.sandbox.start(prometheus_command(place), place.log("prometheus"))
    server = Prometheus(f"http://{cluster.address}:9090")
    until(lambda: server.ready and leaders(server), lambda: place.log("prometheus").read_text()[-2000:])
    yield server
    cluster.kill("prometheus")


def now(server: Prometheus, expression: str) -> dict[str, float]:
    """Labels but the pod's -> value, at this moment."""
    found = {}
    for each in server.get("query", query=expression)["result"]:
        labels = {name: value for name, value in each["metric"].items() if name != "instance"}
        found[json.dumps(labels, sort_keys=True)] = float(each["value"][1])
    return found


def render(lab: Lab, name: str, *overrides: str) -> None:
    lab.recipe("spheres-sem", recipe())
    lab.sweep(name, "spheres-sem", overrides=[SMALL_PICTURE, *overrides], maxFailedRuns="100%", batchSize=1)


def test_the_whole_dashboard_has_data_of_a_real_sweep(lab: Lab, prometheus: Prometheus) -> None:
    render(lab, "shown", IMPOSSIBLE, f"{SEED}=range(6)")

    status = lab.finished("shown")

    assert (status.phase, status.runs.succeeded, status.runs.failed) == (Phase.COMPLETE, 6, 6)
    expressions = dashboard_expressions(RATE, namespace=lab.namespace, sweep="shown")
    until(lambda: not prometheus.silent(expressions), lambda: f"no data: {prometheus.silent(expressions)}")
    runs = now(prometheus, f'sum by (result) (synth_sweep_runs{{namespace="{lab.namespace}"}})')
    assert runs == {
        '{"result": "cached"}': 0,
        '{"result": "succeeded"}': 6,
        '{"result": "failed"}': 6,
        '{"result": "pending"}': 0,
    }


def test_a_restarted_operator_reports_the_same_and_a_deleted_sweep_nothing(lab: Lab, prometheus: Prometheus) -> None:
    render(lab, "gone", f"{NUMBER}=2")
    lab.finished("gone")
    mine = f'{{__name__=~"synth_sweep_.*",namespace="{lab.namespace}"}}'
    until(lambda: "Complete" in str(now(prometheus, mine)), "the sweep's end was not scraped")
    before = now(prometheus, mine)
    old = addresses(lab.cluster)

    lab.cluster.kubectl("-n", SYSTEM, "delete", "pod", f"--selector={OPERATOR_PODS}", "--wait=true")
    until(lambda: addresses(lab.cluster) - old, "no new pod of the operator")
    aim(lab.cluster)

    until(lambda: leaders(prometheus) - old and now(prometheus, mine) == before, lambda: f"{now(prometheus, mine)}")
    lab.cluster.kubectl("-n", lab.namespace, "delete", "synthsweep", "gone", "--timeout=60s")
    until(lambda: now(prometheus, mine) == {}, lambda: f"left behind: {now(prometheus, mine)}")


def leaders(server: Prometheus) -> set[str]:
    """Addresses of the replicas that lead now."""
    result = server.get("query", query="synth_operator_leader == 1")["result"]
    return {each["metric"]["instance"] for each in result}
