"""Dashboard and alerts, executed by a real Prometheus that scrapes the operator's own metrics."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import yaml
from prometheus import ALERTS, Prometheus, prometheus_server, read_dashboard_expressions
from servers import ROOT, free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests/operator/metrics")]

from trial_fleet import Fleet  # noqa: E402

SECONDS = 60


class Scraped:
    """Fleet with a sweep that progresses while Prometheus scrapes."""

    def __init__(self, prometheus: Prometheus) -> None:
        self.prometheus = prometheus
        self.fleet = Fleet()
        self.operator = self.fleet.operator()

    def advance(self) -> None:
        beads = self.fleet.sweeps[0]
        runs = beads.status.runs
        further = runs.model_copy(update={"succeeded": runs.succeeded + 1})
        self.fleet.sweeps[0] = replace(beads, status=beads.status.model_copy(update={"runs": further}))
        self.operator.record_reconcile(0.02, ok=True)
        self.operator.record_api_call("update", "synthsweeps/status", 200)
        self.operator.record_watch_activity("jobs")

    def wait_for_data(self, expressions: dict[str, str]) -> list[str]:
        """Return the names of expressions that have no data after the timeout."""
        end = time.monotonic() + SECONDS
        while True:
            self.advance()
            empty = self.prometheus.find_empty(expressions)
            if not empty or time.monotonic() > end:
                return empty
            time.sleep(0.5)


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    (port,) = free_ports(1)
    with prometheus_server(tmp_path_factory.mktemp("prometheus"), [f"127.0.0.1:{port}"]) as prometheus:
        scraped = Scraped(prometheus)
        scraped.operator.set_leading(True)
        end = scraped.operator.serve(port)
        try:
            yield scraped
        finally:
            end()


def test_every_expression_of_the_dashboard_returns_data(scraped: Scraped) -> None:
    assert scraped.wait_for_data(read_dashboard_expressions("5s")) == []


def test_the_sweep_variable_selects_one_sweep(scraped: Scraped) -> None:
    expressions = read_dashboard_expressions("5s", namespace="lab-b", sweep="cubes")
    assert scraped.wait_for_data({"Progress": expressions["Progress: done"]}) == []
    assert set(scraped.prometheus.read_values(expressions["Progress: done"])) == {1.0}
    assert set(scraped.prometheus.read_values(expressions["Cached: Cached"])) == {0.0}


def test_the_variables_of_the_dashboard_list_the_sweeps(scraped: Scraped) -> None:
    assert scraped.wait_for_data({"phases": "synth_sweep_phase"}) == []
    assert scraped.prometheus.get("label/namespace/values", **{"match[]": "synth_sweep_phase"}) == ["lab-a", "lab-b"]


def test_alerts_are_rules_that_prometheus_evaluates(scraped: Scraped) -> None:
    def evaluated() -> dict[str, str]:
        (group,) = scraped.prometheus.get("rules")["groups"]
        return {rule["name"]: rule["health"] for rule in group["rules"]}

    end = time.monotonic() + SECONDS
    while set(evaluated().values()) != {"ok"} and time.monotonic() < end:
        time.sleep(0.2)
    assert evaluated() == {rule["alert"]: "ok" for rule in yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]}


def _of_dataset(metric: str, **labels: str) -> str:
    texts = ",".join(f'{name}="{value}"' for name, value in (DATASET | labels).items())
    return f"synth_dataset_{metric}{{{texts}}}"


DATASET = {"namespace": "a", "dataset": "d"}
SERIES = {
    "stalled": 'synth_sweep_condition{namespace="a",sweep="s",type="Stalled",status="True",reason="RecipeInvalid"}',
    "limited": 'synth_sweep_condition{namespace="a",sweep="s",type="Ready",status="False",reason="Limited"}',
    "waiting": 'synth_sweep_timestamp_seconds{namespace="a",sweep="s",event="waiting_since"}',
    "failed": 'synth_sweep_runs{namespace="a",sweep="s",result="failed"}',
    "succeeded": 'synth_sweep_runs{namespace="a",sweep="s",result="succeeded"}',
    "lost": 'synth_sweep_gpu_seconds{namespace="a",sweep="s",outcome="lost"}',
    "used": 'synth_sweep_gpu_seconds{namespace="a",sweep="s",outcome="used"}',
    "dataset stalled": _of_dataset("condition", type="Stalled", status="True", reason="NotAllowed"),
    "dataset limited": _of_dataset("condition", type="Ready", status="False", reason="Limited"),
    "sweep renders": _of_dataset("condition", type="Ready", status="False", reason="SourceNotComplete"),
    "dataset waiting": _of_dataset("timestamp_seconds", event="waiting_since"),
    "leader": 'synth_operator_leader{instance="x"}',
    "start": 'process_start_time_seconds{instance="x"}',
    "start elsewhere": 'process_start_time_seconds{instance="y"}',
    "build": 'synth_operator_build_info{instance="x"}',
    "errors": 'synth_operator_reconcile_seconds_count{instance="x",outcome="error"}',
    "looks": 'synth_operator_reconcile_seconds_count{instance="x",outcome="ok"}',
    "oldest": 'synth_operator_queue_oldest_seconds{instance="x"}',
    "bugs": 'synth_operator_internal_errors_total{instance="x",resource="synthsweeps"}',
    "age": 'synth_operator_watch_age_seconds{instance="x",resource="jobs"}',
}
SWEEP = {"namespace": "a", "sweep": "s"}
Values = dict[str, int | str]
RESTARTS = "1x55 2 3 4 4x60"
FIRES: list[tuple[str, Values, dict[str, str], Values]] = [
    ("SynthSweepStalled", {"stalled": 1}, {**SWEEP, "reason": "RecipeInvalid"}, {"stalled": 0}),
    ("SynthSweepWaiting", {"waiting": 60}, SWEEP, {"waiting": 3000}),
    ("SynthSweepWaiting", {"waiting": 60}, SWEEP, {"waiting": 60, "stalled": 1}),
    ("SynthSweepWaiting", {"waiting": 60}, SWEEP, {"waiting": 60, "limited": 1}),
    ("SynthRunsFailing", {"failed": 2, "succeeded": 8}, SWEEP, {"failed": 1, "succeeded": 99}),
    ("SynthGpuTimeLost", {"lost": 700, "used": 700}, SWEEP, {"lost": 500, "used": 1}),
    ("SynthDatasetStalled", {"dataset stalled": 1}, {**DATASET, "reason": "NotAllowed"}, {"dataset stalled": 0}),
    ("SynthDatasetWaiting", {"dataset waiting": 60}, DATASET, {"dataset waiting": 3000}),
    ("SynthDatasetWaiting", {"dataset waiting": 60}, DATASET, {"dataset waiting": 60, "dataset limited": 1}),
    ("SynthDatasetWaiting", {"dataset waiting": 60}, DATASET, {"dataset waiting": 60, "sweep renders": 1}),
    ("SynthOperatorNoLeader", {"leader": 0}, {}, {"leader": 1}),
    ("SynthOperatorDeaf", {"leader": 1, "age": 400}, {"resource": "jobs"}, {"leader": 0, "age": 400}),
    ("SynthOperatorRestarting", {"start": RESTARTS, "build": 1}, {"instance": "x"}, {"start": "1x55 2x60", "build": 1}),
    ("SynthOperatorRestarting", {"start": RESTARTS, "build": 1}, {"instance": "x"}, {"start elsewhere": RESTARTS}),
    ("SynthInternalErrors", {"bugs": "0x58 1 2"}, {"resource": "synthsweeps"}, {"bugs": "3x60"}),
    ("SynthReconcilesFailing", {"errors": "0+2x60", "looks": "0+8x60"}, {}, {"errors": "0+1x60", "looks": "0+99x60"}),
    ("SynthQueueSlow", {"leader": 1, "oldest": 130}, {}, {"leader": 1, "oldest": 110}),
]


def outcome(folder: Path, alert: str, values: Values, labels: dict[str, str] | None) -> str:
    """Return promtool's output for an alert that must fire with these labels, or not at all, after constant series."""
    rule = next(rule for rule in yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"] if rule["alert"] == alert)
    expected = {"eval_time": "59m", "alertname": alert}
    if labels is not None:
        expected["exp_alerts"] = [{"exp_labels": {**rule["labels"], **labels}}]
    series = [
        {"series": SERIES[name], "values": value if isinstance(value, str) else f"{value}x60"}
        for name, value in values.items()
    ]
    rules = folder / "rules.yaml"
    # promtool compares annotations too, and those are prose.
    rules.write_text(yaml.safe_dump({"groups": [{"name": "one", "rules": [{**rule, "annotations": {}}]}]}))
    test = {
        "rule_files": [str(rules)],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": series, "alert_rule_test": [expected]}],
    }
    (folder / "test.yaml").write_text(yaml.safe_dump(test))
    done = subprocess.run(
        ["promtool", "test", "rules", folder / "test.yaml"], capture_output=True, text=True, check=False
    )
    return "as expected" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize(("alert", "bad", "labels", "good"), FIRES, ids=lambda value: str(value)[:24])
def test_alerts_fire_on_their_condition_only(
    alert: str, bad: Values, labels: dict[str, str], good: Values, tmp_path: Path
) -> None:
    assert outcome(tmp_path, alert, bad, labels) == "as expected"
    assert outcome(tmp_path, alert, good, None) == "as expected"


def test_every_alert_has_a_test_case() -> None:
    rules = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
    assert {rule["alert"] for rule in rules} == {alert for alert, *_ in FIRES}


def test_the_dashboard_matches_its_source() -> None:
    import dashboard

    assert dashboard.TARGET.read_text(encoding="utf-8") == dashboard.format_dashboard(), "run tools/dashboard.py"


def test_panels_do_not_overlap_and_have_unique_ids() -> None:
    import dashboard

    panels = dashboard.build_panels()
    cells = [
        (column, line)
        for panel in panels
        for column in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for line in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert len({panel["id"] for panel in panels}) == len(panels)
