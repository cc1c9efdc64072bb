"""Metrics of the operator process, scraped over HTTP as by Prometheus."""

from __future__ import annotations

import socket
import subprocess
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from trial_fleet import Fleet

from synth_api.version import ENGINE_VERSION
from synth_operator.metrics.process import WatchAgeCollector


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_each_call_updates_its_metric() -> None:
    fleet = Fleet()
    operator = fleet.operator()
    operator.record_reconcile(0.03, ok=True)
    operator.record_reconcile(20, ok=False)
    operator.record_api_call("patch", "synthsweeps/status", 200)
    operator.record_api_call("patch", "synthsweeps/status", 200)
    operator.record_api_call("create", "jobs", None)
    operator.record_internal_error("synthsweeps")
    operator.set_leading(True)
    text = fleet.text(operator)
    for line in (
        'synth_operator_reconcile_seconds_bucket{le="0.05",outcome="ok"} 1.0',
        'synth_operator_reconcile_seconds_count{outcome="error"} 1.0',
        'synth_operator_api_requests_total{code="200",resource="synthsweeps/status",verb="patch"} 2.0',
        'synth_operator_api_requests_total{code="none",resource="jobs",verb="create"} 1.0',
        'synth_operator_internal_errors_total{resource="synthsweeps"} 1.0',
        'synth_operator_internal_errors_total{resource="synthrecipes"} 0.0',
        "synth_operator_leader 1.0",
        "synth_operator_queue_depth 2.0",
        "synth_operator_queue_oldest_seconds 7.5",
        f'synth_operator_build_info{{engine="{ENGINE_VERSION}",version="0.1.0"}} 1.0',
    ):
        assert line in text.splitlines()
    assert "process_resident_memory_bytes" in text


def test_a_new_replica_reports_that_it_does_not_lead() -> None:
    text = Fleet().scraped()
    assert "synth_operator_leader 0.0" in text.splitlines()
    assert 'synth_operator_reconcile_seconds_count{outcome="error"} 0.0' in text.splitlines()


def test_the_age_of_a_watch_grows_until_its_next_activity() -> None:
    now = [100.0]
    ages = WatchAgeCollector(clock=lambda: now[0])
    ages.record_activity("jobs")
    now[0] = 130.0
    ages.record_activity("pods")
    now[0] = 131.0
    (family,) = ages.collect()
    assert {sample.labels["resource"]: sample.value for sample in family.samples} == {"jobs": 31.0, "pods": 1.0}


def test_metrics_are_served_until_stopped() -> None:
    port = free_port()
    end = Fleet().operator().serve(port)
    try:
        assert b"synth_sweeps" in urlopen(f"http://127.0.0.1:{port}/metrics").read()
    finally:
        end()
    with pytest.raises(URLError):
        urlopen(f"http://127.0.0.1:{port}/metrics")


def test_promtool_accepts_the_metrics() -> None:
    fleet = Fleet()
    operator = fleet.operator()
    operator.record_api_call("get", "leases", 200)
    operator.record_watch_activity("jobs")
    ours = [line for line in fleet.text(operator).splitlines() if "synth_" in line]
    found = subprocess.run(
        ["promtool", "check", "metrics"], input="\n".join(ours) + "\n", capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
