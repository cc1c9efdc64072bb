"""Pages for platform engineers: every phase, reason, metric, alert and value that exists, and no other."""

from __future__ import annotations

import re
import shlex
import sys
from typing import TYPE_CHECKING, Any

import yaml
from servers import ROOT

from synth_api.reasons import FailureReason, Reason
from synth_api.resources.base import list_keys
from synth_api.resources.default_output import DefaultOutput
from synth_api.resources.pod_template import PodTemplate
from synth_api.resources.synth_sweep import Phase

if TYPE_CHECKING:
    from conftest import Helm

sys.path.insert(0, str(ROOT / "tests/operator/metrics"))
sys.path.insert(0, str(ROOT / "tools"))

from prometheus import ALERTS
from reason_tables import with_tables
from trial_fleet import Fleet


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def first_cells(table: str) -> str:
    return "\n".join(line.split("|")[1] for line in table.splitlines() if line.startswith("|"))


def test_the_tables_of_reasons_are_current() -> None:
    text = page("kubernetes.md")
    assert with_tables(text) == text
    for reason in (*Reason, *FailureReason):
        assert f"\n| `{reason}` | {reason.remedy} |" in text


def test_the_pod_template_on_the_page_has_every_field_that_is_allowed() -> None:
    text = page("kubernetes-api.md").partition("\n### Pod template\n")[2].partition("```yaml\n")[2].partition("```")[0]
    shown = yaml.safe_load(text)["spec"]["podTemplate"]
    PodTemplate.model_validate(shown)
    assert sorted(shown) == sorted(list_keys(PodTemplate, ()))
    assert sorted(shown["metadata"]) == sorted(list_keys(PodTemplate, ("metadata",)))
    assert sorted(shown["spec"]) == sorted(list_keys(PodTemplate, ("spec",)))
    assert sorted(shown["spec"]["containers"][0]) == sorted(list_keys(PodTemplate, ("spec", "containers")))


def commands(text: str, verbs: str = "install|upgrade") -> list[list[str]]:
    """Return the arguments of every helm command with one of these verbs on a page."""
    joined = text.replace("\\\n", " ")
    return [shlex.split(line) for line in re.findall(rf"^    (helm (?:{verbs}) .*)$", joined, re.MULTILINE)]


def test_every_install_on_the_page_renders(helm: Helm) -> None:
    found = commands(page("kubernetes.md"))
    assert len(found) >= 3
    for _, _, release, chart, *options in found:
        kept = [option for option in options if option not in {"--create-namespace", "--reset-then-reuse-values"}]
        assert "Deployment" in helm.run("template", release, str(ROOT / chart), "--kube-version", "1.35.4", *kept)


def test_the_policy_of_another_namespace_is_printed(helm: Helm) -> None:
    (found,) = commands(page("kubernetes.md"), "template")
    _, _, release, chart, *options = found
    text = helm.run("template", release, str(ROOT / chart), "--kube-version", "1.35.4", *options)
    (policy,) = yaml.safe_load_all(text)
    assert (policy["kind"], policy["metadata"]["namespace"]) == ("NetworkPolicy", "lab-c")


def has_value(values: Any, name: str) -> bool:
    """Return True if a value of this name exists; the keys of `sweeps.output`, empty by default, are in the model."""
    for key in name.split("."):
        if not isinstance(values, dict) or key not in values:
            return False
        values = DefaultOutput.model_json_schema()["properties"] if key == "output" else values[key]
    return True


def test_values_named_on_the_page_exist() -> None:
    values = yaml.safe_load((ROOT / "charts/synth-operator/values.yaml").read_text(encoding="utf-8"))
    rows = section(page("kubernetes.md"), "Install").splitlines()
    cells = [row.split("|")[2] for row in rows if row.startswith("|") and row.count("|") == 3]
    named = re.findall(r"`([a-zA-Z.]+)", " ".join(cells))
    assert len(named) >= 8
    assert [name for name in named if not has_value(values, name) and not name.startswith("spec.")] == []


def test_every_phase_is_explained() -> None:
    cells = first_cells(section(page("kubernetes.md"), "Phases"))
    assert {phase.value for phase in Phase} == set(re.findall(r"\b[A-Z]\w+", cells))


def test_every_metric_is_listed() -> None:
    fleet = Fleet()
    operator = fleet.operator()
    operator.record_api_call("get", "leases", 200)
    operator.record_watch_activity("jobs")
    exposed = set(re.findall(r"^# TYPE (synth_\w+)", fleet.text(operator), re.MULTILINE))
    assert set(re.findall(r"^\| `(synth_\w+)`", page("metrics.md"), re.MULTILINE)) == exposed


def test_every_alert_is_listed() -> None:
    listed = re.findall(r"^\| `(Synth[A-Z]\w+)`", page("metrics.md"), re.MULTILINE)
    assert listed == re.findall(r"alert: (\w+)", ALERTS.read_text(encoding="utf-8"))


def test_every_alert_leads_to_its_section_of_the_runbooks() -> None:
    base = "https://github.com/synth-operator/synth-operator/blob/main/docs/runbooks.md"
    (group,) = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    links = {rule["alert"]: rule["annotations"]["runbook_url"] for rule in group["rules"]}
    assert links == {alert: f"{base}#{alert.lower()}" for alert in links}
    assert re.findall(r"^## (\w+)$", page("runbooks.md"), re.MULTILINE) == list(links)
