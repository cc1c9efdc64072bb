"""The pages for platform engineers name everything that exists, and nothing else."""

from __future__ import annotations

import re
import sys

from servers import ROOT

from synth_api.resources.conditions import Reason
from synth_api.resources.sweep import Phase

sys.path.insert(0, str(ROOT / "tests/operator/metrics"))

from prometheus import ALERTS
from trial_fleet import Fleet


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def first_cells(table: str) -> str:
    return "\n".join(line.split("|")[1] for line in table.splitlines() if line.startswith("|"))


def test_every_reason_has_a_line_that_says_what_to_do() -> None:
    named = re.findall(r"`(\w+)`", first_cells(section(page("kubernetes.md"), "Reasons")))
    assert sorted(named) == sorted(reason.value for reason in Reason)


def test_every_phase_is_explained() -> None:
    cells = first_cells(section(page("kubernetes.md"), "Phases"))
    assert {phase.value for phase in Phase} == set(re.findall(r"\b[A-Z]\w+", cells))


def test_every_metric_is_listed() -> None:
    fleet = Fleet()
    operator = fleet.operator()
    operator.api_call("get", "leases", 200)
    operator.heard("jobs")
    exposed = set(re.findall(r"^# TYPE (synth_\w+)", fleet.text(operator), re.MULTILINE))
    assert set(re.findall(r"^\| `(synth_\w+)`", page("metrics.md"), re.MULTILINE)) == exposed


def test_every_alert_is_listed() -> None:
    listed = re.findall(r"^\| `(Synth[A-Z]\w+)`", page("metrics.md"), re.MULTILINE)
    assert listed == re.findall(r"alert: (\w+)", ALERTS.read_text(encoding="utf-8"))
