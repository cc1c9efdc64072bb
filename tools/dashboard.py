"""Write charts/synth-operator/dashboards/sweeps.json, the Grafana dashboard of sweeps, datasets and operator."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

TARGET: Final = Path(__file__).parent.parent / "charts/synth-operator/dashboards/sweeps.json"
SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
WIDTH: Final = 24
ROW_HEIGHT: Final = 1
OF: Final = 'namespace=~"$namespace",sweep=~"$sweep"'
RATE: Final = "[$__rate_interval]"

Tree = dict[str, Any]


@dataclass(frozen=True)
class Panel:
    """A panel: its type, texts and PromQL expressions."""

    kind: str
    title: str
    description: str
    expressions: dict[str, str]
    """PromQL expressions by their legend."""
    unit: str = "short"
    width: int = 8
    height: int = 8
    custom: Tree = field(default_factory=dict)
    options: Tree = field(default_factory=dict)


COLOURS: Final = {
    "succeeded": "green",
    "Complete": "green",
    "Published": "green",
    "used": "green",
    "cached": "blue",
    "Rendering": "blue",
    "Exporting": "blue",
    "failed": "red",
    "Failed": "red",
    "lost": "red",
    "Waiting": "orange",
    "pending": "#9aa0a6",
    "Suspended": "#9aa0a6",
}
"""Colours of series with the same meaning in all panels."""
STACKED: Final = {"stacking": {"mode": "normal"}, "fillOpacity": 60, "lineWidth": 0}


def stat(title: str, description: str, expression: str, unit: str = "short") -> Panel:
    """Return a panel with one number."""
    return Panel("stat", title, description, {title: expression}, unit=unit, width=4, height=5)


def lines(title: str, description: str, unit: str, *, custom: Tree | None = None, **expressions: str) -> Panel:
    """Return a panel with curves over time; keywords are legends and their expressions."""
    return Panel("timeseries", title, description, expressions, unit=unit, custom=custom or {})


FLEET: Final = (
    stat("Runs to render", "Pending runs of all sweeps.", 'sum(synth_sweep_runs{result="pending"})'),
    stat("Render pods", "Running render pods.", "sum(synth_sweep_active_pods)"),
    stat(
        "Runs that exist",
        "Rendered by the current attempts, or cached.",
        'sum(synth_sweep_runs{result=~"cached|succeeded"})',
    ),
    stat(
        "Failed share",
        "Failed runs as a share of the finished ones.",
        'sum(synth_sweep_runs{result="failed"}) / clamp_min(sum(synth_sweep_runs{result=~"succeeded|failed"}), 1)',
        "percentunit",
    ),
    stat(
        "GPU time lost",
        "GPU seconds of failed and dropped runs as a share of all.",
        'sum(synth_sweep_gpu_seconds{outcome="lost"}) / clamp_min(sum(synth_sweep_gpu_seconds), 1)',
        "percentunit",
    ),
    stat("Written", "Bytes written by the current attempts.", "sum(synth_sweep_written_bytes)", "bytes"),
    lines("Sweeps by phase", "", "short", custom=STACKED, **{"{{phase}}": "sum by (phase) (synth_sweeps)"}),
    lines(
        "Runs finished per minute",
        "Mean over five minutes; counts change in steps of 2 %.",
        "short",
        custom=STACKED,
        **{"{{namespace}}": '60 * sum by (namespace) (clamp_min(deriv(synth_sweep_runs{result="succeeded"}[5m]), 0))'},
    ),
    Panel(
        "table",
        "Not ready, and why",
        "docs/kubernetes.md has a remedy for each reason.",
        {"": 'max by (namespace, sweep, reason) (synth_sweep_condition{type="Ready",status!="True"})'},
    ),
)

SWEEP: Final = (
    Panel(
        "gauge",
        "Progress",
        "Existing runs as a share of all.",
        {
            "done": f'sum(synth_sweep_runs{{{OF},result=~"cached|succeeded"}}) / '
            f"clamp_min(sum(synth_sweep_runs{{{OF}}}), 1)"
        },
        unit="percentunit",
        width=4,
        height=5,
    ),
    stat(
        "Rendering ends",
        "At the current throughput.",
        f'1000 * max(synth_sweep_timestamp_seconds{{{OF},event="expected_end"}})',
        "dateTimeFromNow",
    ),
    stat("Started", "", f'1000 * min(synth_sweep_timestamp_seconds{{{OF},event="started"}})', "dateTimeFromNow"),
    stat("Pods now", "Render pods of the sweep.", f"sum(synth_sweep_active_pods{{{OF}}})"),
    stat("Runs per minute", "Since rendering began or was resumed.", f"60 * sum(synth_sweep_runs_per_second{{{OF}}})"),
    stat("Cached", "Runs that existed when the attempt began.", f'sum(synth_sweep_runs{{{OF},result="cached"}})'),
    lines(
        "Runs by result",
        "Runs of the current attempt.",
        "short",
        custom=STACKED,
        **{
            result: f'sum(synth_sweep_runs{{{OF},result="{result}"}})'
            for result in ("cached", "succeeded", "failed", "pending")
        },
    ),
    lines(
        "Failed runs by reason",
        "`synth failures` shows their overrides.",
        "short",
        **{"{{reason}}": f"sum by (reason) (synth_sweep_failed_runs{{{OF}}})"},
    ),
    lines(
        "Seconds per run, by stage",
        "Mean over the runs of the current attempt.",
        "s",
        custom=STACKED,
        **{
            "{{stage}}": f"sum by (stage) (synth_sweep_stage_seconds{{{OF}}}) / on () group_left () "
            f'clamp_min(sum(synth_sweep_runs{{{OF},result="succeeded"}}), 1)'
        },
    ),
    lines(
        "GPU seconds by outcome",
        "",
        "s",
        custom=STACKED,
        **{"{{outcome}}": f"sum by (outcome) (synth_sweep_gpu_seconds{{{OF}}})"},
    ),
    lines(
        "GPU hours",
        "Spent by the render pods of all attempts, and expected for the end of the sweep.",
        "h",
        spent=f'sum(synth_sweep_spent_seconds{{{OF},resource="gpu"}}) / 3600',
        expected=f'sum(synth_sweep_forecast_seconds{{{OF},resource="gpu"}}) / 3600',
    ),
    lines("Bytes written", "", "bytes", **{"{{sweep}}": f"sum by (sweep) (synth_sweep_written_bytes{{{OF}}})"}),
    Panel(
        "table",
        "Conditions",
        "As `kubectl describe` shows them.",
        {"": f"max by (namespace, sweep, type, status, reason) (synth_sweep_condition{{{OF}}})"},
    ),
)

DATASET: Final = (
    lines("Datasets by phase", "", "short", custom=STACKED, **{"{{phase}}": "sum by (phase) (synth_datasets)"}),
    lines(
        "Runs of published versions",
        "By split, of the version that was published last.",
        "short",
        **{"{{dataset}} {{split}}": 'sum by (namespace, dataset, split) (synth_dataset_runs{namespace=~"$namespace"})'},
    ),
    Panel(
        "table",
        "Datasets that are not ready, and why",
        "docs/kubernetes.md has a remedy for each reason.",
        {
            "": "max by (namespace, dataset, reason) "
            '(synth_dataset_condition{namespace=~"$namespace",type="Ready",status!="True"})'
        },
    ),
)

OPERATOR: Final = (
    lines("Leader", "1 in exactly one replica.", "short", **{"{{instance}}": "synth_operator_leader"}),
    lines(
        "Duration of a reconcile",
        "Median and 99th percentile.",
        "s",
        **{
            f"{quantile}": f"histogram_quantile({quantile}, "
            f"sum by (le) (rate(synth_operator_reconcile_seconds_bucket{RATE})))"
            for quantile in ("0.5", "0.99")
        },
    ),
    lines(
        "Reconciles per second",
        "",
        "ops",
        **{"{{outcome}}": f"sum by (outcome) (rate(synth_operator_reconcile_seconds_count{RATE}))"},
    ),
    lines(
        "Queue",
        "Sweeps, recipes and datasets that wait for a reconcile.",
        "short",
        **{"waiting": "sum(synth_operator_queue_depth)"},
    ),
    lines(
        "API requests per second",
        "",
        "reqps",
        custom=STACKED,
        **{"{{verb}} {{resource}}": f"sum by (verb, resource) (rate(synth_operator_api_requests_total{RATE}))"},
    ),
    lines(
        "API answers per second",
        "409 is a conflict, which the next reconcile resolves; 403 is a missing right.",
        "reqps",
        **{"{{code}}": f"sum by (code) (rate(synth_operator_api_requests_total{RATE}))"},
    ),
    lines(
        "Age of the watches",
        "A watch without a sign of life for minutes is stale.",
        "s",
        **{"{{resource}}": "max by (resource) (synth_operator_watch_age_seconds)"},
    ),
    lines(
        "Memory",
        "",
        "bytes",
        **{"{{instance}}": "process_resident_memory_bytes and on (instance) synth_operator_leader"},
    ),
    lines(
        "Processor",
        "Processor cores in use.",
        "short",
        **{"{{instance}}": f"rate(process_cpu_seconds_total{RATE}) and on (instance) synth_operator_leader"},
    ),
)


def build_panel(panel: Panel, number: int, x: int, y: int) -> Tree:
    """Return a panel as JSON of Grafana's dashboard model."""
    table = panel.kind == "table"
    tree: Tree = {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "gridPos": {"h": panel.height, "w": panel.width, "x": x, "y": y},
        "fieldConfig": {"defaults": build_defaults(panel), "overrides": build_overrides(panel)},
        "options": {**OPTIONS.get(panel.kind, {}), **panel.options},
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": SOURCE,
                "expr": expression,
                "legendFormat": legend,
                "instant": table,
                "range": not table,
                **({"format": "table"} if table else {}),
            }
            for index, (legend, expression) in enumerate(panel.expressions.items())
        ],
    }
    if table:
        hidden = {"Time": True, "Value": True}
        tree["transformations"] = [{"id": "organize", "options": {"excludeByName": hidden}}]
    return tree


def build_defaults(panel: Panel) -> Tree:
    """Return the options of all series of a panel."""
    full = {"max": 1} if panel.kind == "gauge" else {}
    return {"unit": panel.unit, "min": 0, "custom": panel.custom, **full}


def build_overrides(panel: Panel) -> list[Tree]:
    """Return the colours of known series, for panels with several."""
    if panel.kind != "timeseries":
        return []
    return [
        {
            "matcher": {"id": "byName", "options": name},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
        }
        for name, colour in COLOURS.items()
    ]


LAST: Final = {"reduceOptions": {"calcs": ["lastNotNull"]}}
OPTIONS: Final[dict[str, Tree]] = {
    "stat": {**LAST, "colorMode": "none", "graphMode": "area"},
    "gauge": LAST,
    "timeseries": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
}


def build_row(title: str, number: int, y: int) -> Tree:
    """Return a heading over panels."""
    return {
        "id": number,
        "type": "row",
        "title": title,
        "collapsed": False,
        "panels": [],
        "gridPos": {"h": ROW_HEIGHT, "w": WIDTH, "x": 0, "y": y},
    }


def build_panels() -> list[Tree]:
    """Return all panels with their places, from left to right and from top to bottom."""
    placed: list[Tree] = []
    y = 0
    for title, content in (("Fleet", FLEET), ("Sweep", SWEEP), ("Datasets", DATASET), ("Operator", OPERATOR)):
        placed.append(build_row(title, len(placed) + 1, y))
        x, y, height = 0, y + ROW_HEIGHT, 0
        for each in content:
            if x + each.width > WIDTH:
                x, y = 0, y + height
            placed.append(build_panel(each, len(placed) + 1, x, y))
            x, height = x + each.width, each.height
        y += height
    return placed


def build_variable(name: str, query: str) -> Tree:
    """Return a variable with the values of a label."""
    return {
        "name": name,
        "label": name.capitalize(),
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def build_dashboard() -> Tree:
    """Return the dashboard as JSON of Grafana's dashboard model."""
    choices = [
        {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"},
        build_variable("namespace", "label_values(synth_sweep_phase, namespace)"),
        build_variable("sweep", 'label_values(synth_sweep_phase{namespace=~"$namespace"}, sweep)'),
    ]
    return {
        "uid": "synth-sweeps",
        "title": "Synthetic image sweeps",
        "description": "Sweeps of synth-operator: the fleet, one sweep, the operator itself.",
        "tags": ["synth-operator"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": choices},
        "panels": build_panels(),
    }


def format_dashboard() -> str:
    """Return the content of the file."""
    return json.dumps(build_dashboard(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.write_text(format_dashboard(), encoding="utf-8")
